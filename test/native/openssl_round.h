// A client and a server around an engine, each of which may speak TLS, and the usual steps between them.
#pragma once
#include <string>
#include <vector>

#include "lib/messages.h"
#include "lib/test_bed.h"
#include "openssl_pair.h"

namespace weir {

// One end of a connection, encrypted or not.
struct TlsEnd {
  TlsPeer peer;
  bool is_encrypted = false;

  void pump() { is_encrypted ? peer.pump() : peer.socket.pump(); }
  void send(std::string_view bytes) { is_encrypted ? peer.send(bytes) : peer.socket.send(bytes); }
  // An end in order, with the other direction still open.
  void end_output() {
    if (is_encrypted) peer.say_end();
    peer.socket.half_close();
  }
  [[nodiscard]] std::string& received() { return is_encrypted ? peer.received : peer.socket.received; }
  [[nodiscard]] bool got(std::string_view text) { return received().find(text) != std::string::npos; }
  // It was told that there is no more, and it was true.
  [[nodiscard]] bool ended_in_order() { return is_encrypted ? peer.saw_end() && peer.failure.empty() : peer.socket.ended && !peer.socket.broken; }
  [[nodiscard]] bool open() const { return peer.socket.open(); }
};

struct TlsRound {
  struct Sides {
    bool client = true, server = false;
  };

  explicit TlsRound(Sides sides, int protocol = abi::protocol::http) : sides(sides) {
    bed.listener().protocol = protocol;
    if (sides.client) listen(usual_server_options());
    if (sides.server) bed.server().tls = make_client(worker, usual_client_options());
  }

  void listen(const TlsServerOptions& options) { bed.listener().tls = make_server(worker, options); }
  void connect(int version = 0) { connect(client_peer_context(version)); }
  void connect(SslContext context) {
    client.is_encrypted = sides.client;
    if (sides.client) client.peer = TlsPeer(std::move(context), TlsPeer::Role::client, bed.connect());
    else client.peer.socket = bed.connect();
  }
  // Turns with both ends reading, and the server accepting, until `fact` holds; false after 2 s.
  template <typename Fact>
  [[nodiscard]] bool wait(Fact&& fact) {
    return bed.until([&] {
      if (!server.open()) accept();
      client.pump();
      if (server.open()) server.pump();
      return fact();
    });
  }
  void accept() {
    Peer accepted = bed.accept_now();
    if (!accepted.open()) return;
    ++accepts;
    server = TlsEnd();
    server.is_encrypted = sides.server;
    if (sides.server) server.peer = TlsPeer(server_context(), TlsPeer::Role::server, std::move(accepted));
    else server.peer.socket = std::move(accepted);
  }
  // Waits until the server has a whole request.
  [[nodiscard]] bool meet(size_t count = 1) {
    return wait([&] { return server.open() && requests().all.size() >= count && (requests().all.back().complete); });
  }
  // The server sends, and the client has `count` whole responses.
  [[nodiscard]] bool answer(std::string_view response, size_t count = 1) {
    server.send(response);
    return wait([&] { return whole_responses() >= count; });
  }
  [[nodiscard]] Messages requests() { return read_requests(server.received()); }
  [[nodiscard]] Messages responses() { return read_responses(client.received(), methods, client.ended_in_order()); }
  [[nodiscard]] size_t whole_responses() {
    const Messages got = responses();
    return got.all.size() - size_t(!got.all.empty() && !got.all.back().complete);
  }
  [[nodiscard]] int refusals(int reason) { return int(bed.engine.rt.listener_cell(0, abi::listener_counter::refused_untrusted_proxy + reason)); }
  [[nodiscard]] int counted(int counter) { return int(bed.engine.rt.listener_cell(0, unsigned(counter))); }

  // Both ends leave, all deadlines pass, and the engine holds nothing any more.
  void expect_clean() {
    client = TlsEnd();
    server = TlsEnd();
    while (bed.accept_now().open()) {
    }
    bed.run();
    bed.pass_deadlines();
    const Usage left = bed.usage();
    if (!(left == bed.at_start)) check::report(__FILE__, __LINE__, "left behind: " + left.text() + "\n    at start: " + bed.at_start.text());
    CHECK(worker.sealed.empty());
  }

  Sides sides;
  uint64_t now_us = 1'000'000;
  TlsWorker worker{now_us};  // outlives the engine's sessions
  std::function<SslContext()> server_context = [] { return server_peer_context(certificates::usual().ecdsa); };
  TestBed bed;
  TlsEnd client, server;
  unsigned accepts = 0;
  std::vector<Method> methods;  // of the requests, where they are not all GET

  // Every way in which TLS may be on one side at least.
  template <typename Body>
  static void each(Body&& body) {
    for (const Sides sides : {Sides{true, false}, Sides{false, true}, Sides{true, true}}) body(sides);
  }
};

}  // namespace weir
