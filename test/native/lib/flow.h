// One client and one server around an engine that joins them byte for byte, and the usual steps of a connection between them.
#pragma once
#include <string>

#include "check.h"
#include "lib/test_bed.h"

namespace weir {

struct Flow {
  explicit Flow(int protocol = abi::protocol::tcp, TestBed::Sockets servers = TestBed::Sockets::tcp) : bed(servers) {
    bed.listener().protocol = protocol;
  }

  // A client that is connected and, unless the verdict says otherwise, joined to a server.
  [[nodiscard]] bool open() {
    client = bed.connect();
    return wait([&] { return server.open() && joined(); });
  }
  [[nodiscard]] bool joined() {
    bool is = false;
    bed.engine.tunnels.tunnels.each([&](Tunnel* t) { is = is || t->state == Tunnel::State::joined; });
    return is;
  }
  // Turns with both ends reading (unless stalled), and the server accepting, until `fact` holds; false after 2 s.
  template <typename Fact>
  [[nodiscard]] bool wait(Fact&& fact) {
    return bed.until([&] {
      if (!server.open()) server = bed.accept_now();
      client.pump();
      server.pump();
      return fact();
    });
  }
  // Turns until the sockets' buffers are full or empty.
  void settle() {
    for (size_t before = SIZE_MAX; before != client.sent.size() + server.sent.size();) {
      before = client.sent.size() + server.sent.size();
      client.pump();
      server.pump();
      bed.run();
    }
  }
  [[nodiscard]] bool is_over() { return bed.usage().tunnels == 0; }

  // Both ends leave, all deadlines pass, and the engine holds nothing any more.
  void expect_clean() {
    client.close();
    server.close();
    while (bed.accept_now().open()) {
    }
    bed.run();
    bed.pass_deadlines();
    const Usage left = bed.usage();
    if (!(left == bed.at_start)) check::report(__FILE__, __LINE__, "left behind: " + left.text() + "\n    at start: " + bed.at_start.text());
  }

  TestBed bed;
  Peer client;
  Peer server;
};

}  // namespace weir
