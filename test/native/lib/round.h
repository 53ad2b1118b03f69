// One client and one server around an engine, and the usual steps of a request between them.
#pragma once
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/test_bed.h"

namespace weir {

struct Round {
  explicit Round(TestBed::Sockets servers = TestBed::Sockets::tcp) : bed(servers), client(bed.connect()) {}

  // Waits until the server has a connection and the head of a request.
  [[nodiscard]] bool meet_head() {
    return wait([&] { return server.open() && !read_requests(server.received).all.empty(); });
  }
  // Waits until the server has a whole request.
  [[nodiscard]] bool meet() {
    return wait([&] { return server.open() && read_requests(server.received).used > 0; });
  }
  // The server sends, and the client has `count` whole responses.
  [[nodiscard]] bool answer(std::string_view response, size_t count = 1) {
    if (server.open()) server.send(response);
    return wait([&] { return whole_responses() >= count; });
  }
  // A request that was sent reaches the server, its response reaches the client (with `count` 0: is on its way).
  [[nodiscard]] bool serve(std::string_view response, size_t count = 1) { return meet() && answer(response, count); }

  // Turns with both ends reading, and the server accepting, until `fact` holds; false after 2 s.
  template <typename Fact>
  [[nodiscard]] bool wait(Fact&& fact) {
    return bed.until([&] {
      if (!server.open()) server = bed.accept_now();
      client.pump();
      server.pump();
      return fact();
    });
  }

  [[nodiscard]] Message request() const { return first(read_requests(server.received)); }
  [[nodiscard]] Message response() const { return first(responses()); }
  [[nodiscard]] Messages responses() const {
    return read_responses(client.received, methods, client.ended && !client.broken);
  }
  [[nodiscard]] size_t whole_responses() const {
    const Messages got = responses();
    return got.all.size() - size_t(!got.all.empty() && !got.all.back().complete);
  }

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
  std::vector<Method> methods;  // of the requests, where they are not all GET

 private:
  static Message first(const Messages& got) { return got.all.empty() ? Message() : got.all.front(); }
};

}  // namespace weir
