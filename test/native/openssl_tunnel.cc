// Byte tunnels with TLS on either side, or on both.
#include <string>
#include <utility>

#include "check.h"
#include "openssl_round.h"

using namespace weir;
using certificates::usual;

namespace {

using Sides = TlsRound::Sides;

std::string pattern(size_t size, uint32_t x) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = char((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

// A client that is joined to a server, after its first words.
bool open_tunnel(TlsRound& round, int version = 0) {
  round.connect(version);
  round.client.send("hello");
  return round.wait([&] { return round.server.open() && round.server.got("hello"); });
}

}  // namespace

TEST("a tunnel with TLS on any side moves all bytes and passes on ends in order") {
  TlsRound::each([](Sides sides) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      for (const bool client_first : {true, false}) {
        TlsRound round(sides, abi::protocol::tcp);
        round.server_context = [version] { return server_peer_context(usual().ecdsa, version); };
        CHECK(open_tunnel(round, version));
        const std::string up = pattern(300'000, 1), down = pattern(900'000, 2);
        round.client.send(up);
        round.server.send(down);
        CHECK(round.wait([&] { return round.server.received() == "hello" + up && round.client.received() == down; }));
        TlsEnd& first = client_first ? round.client : round.server;
        TlsEnd& second = client_first ? round.server : round.client;
        first.end_output();
        CHECK(round.wait([&] { return second.ended_in_order() && second.peer.socket.ended; }));
        second.send("afterwards");
        CHECK(round.wait([&] { return first.received().ends_with("afterwards"); }));
        second.end_output();
        CHECK(round.wait([&] { return first.ended_in_order() && round.bed.usage().tunnels == 0; }));
        CHECK(!first.peer.socket.broken && !second.peer.socket.broken);
        round.expect_clean();
      }
    }
  });
}

TEST("a server that speaks first is heard through TLS") {
  TlsRound::each([](Sides sides) {
    TlsRound round(sides, abi::protocol::tcp);
    round.connect();
    bool spoke = false;
    CHECK(round.wait([&] {
      if (round.server.open() && !std::exchange(spoke, true)) round.server.send("220 welcome\r\n");
      return round.client.got("220 welcome\r\n");
    }));
    round.expect_clean();
  });
}

TEST("a TLS tunnel moves bytes no faster than its slower side takes them, and loses none") {
  TlsRound::each([](Sides sides) {
    for (const bool to_client : {true, false}) {
      TlsRound round(sides, abi::protocol::tcp);
      CHECK(open_tunnel(round));
      TlsEnd& from = to_client ? round.server : round.client;
      TlsEnd& to = to_client ? round.client : round.server;
      to.received().clear();
      to.peer.socket.shrink_buffers(16384);
      to.peer.socket.stalled = true;
      const std::string bulk = pattern(12'000'000, 3);
      from.send(bulk);
      for (int i = 0; i < 60; ++i) from.pump(), round.bed.run();
      CHECK(!from.peer.socket.idle());
      CHECK(round.bed.usage().buffers < 16u);
      to.peer.socket.stalled = false;
      CHECK(round.wait([&] { return to.received().size() == bulk.size(); }));
      CHECK(to.received() == bulk);
      from.end_output();
      CHECK(round.wait([&] { return to.ended_in_order(); }));
      round.expect_clean();
    }
  });
}

TEST("a reset on one side of a TLS tunnel does not look like an end on the other") {
  TlsRound::each([](Sides sides) {
    for (const bool client_first : {true, false}) {
      TlsRound round(sides, abi::protocol::tcp);
      CHECK(open_tunnel(round));
      TlsEnd& first = client_first ? round.client : round.server;
      TlsEnd& second = client_first ? round.server : round.client;
      first.send("last words");
      CHECK(round.wait([&] { return second.received().ends_with("last words"); }));
      first.peer.socket.reset();
      CHECK(round.bed.until([&] { return second.pump(), second.peer.socket.ended; }));
      CHECK(!second.ended_in_order());
      CHECK(second.peer.socket.broken);
      CHECK_EQ(round.bed.usage().tunnels, 0u);
      round.expect_clean();
    }
  });
}

TEST("an end of TCP without one of TLS is passed on as such: what may be cut is not called whole") {
  TlsRound::each([](Sides sides) {
    for (const bool client_first : {true, false}) {
      TlsRound round(sides, abi::protocol::tcp);
      CHECK(open_tunnel(round));
      TlsEnd& first = client_first ? round.client : round.server;
      TlsEnd& second = client_first ? round.server : round.client;
      if (!first.is_encrypted || !second.is_encrypted) continue;
      first.send("last words");
      CHECK(round.wait([&] { return second.received().ends_with("last words"); }));
      first.peer.socket.half_close();
      CHECK(round.bed.until([&] { return second.pump(), second.peer.socket.ended; }));
      CHECK(!second.ended_in_order());
      CHECK(!second.peer.socket.broken);
      second.end_output();
      round.expect_clean();
    }
  });
}

TEST("garbage in a TLS tunnel breaks it on both sides") {
  for (const bool client_first : {true, false}) {
    TlsRound round({true, true}, abi::protocol::tcp);
    CHECK(open_tunnel(round));
    TlsEnd& first = client_first ? round.client : round.server;
    TlsEnd& second = client_first ? round.server : round.client;
    first.peer.socket.send("this is no TLS record at all");
    // What came before is looked after for a while.
    CHECK(round.wait([&] { return round.bed.advance(5), second.peer.socket.ended; }));
    CHECK(!second.ended_in_order());
    CHECK(round.wait([&] { return round.bed.usage().tunnels == 0; }));
    round.expect_clean();
  }
}

TEST("keys that change in a TLS tunnel, and tickets that come late, are not passed on") {
  TlsRound round({true, true}, abi::protocol::tcp);
  CHECK(open_tunnel(round, TLS1_3_VERSION));
  for (int i = 0; i < 5; ++i) {
    round.client.peer.update_keys(true);
    round.server.peer.update_keys(true);
    SSL_new_session_ticket(round.server.peer.ssl());
    SSL_do_handshake(round.server.peer.ssl());
    round.server.peer.push();
    round.client.send("c");
    round.server.send("s");
    const size_t n = size_t(i) + 1;
    CHECK(round.wait([&] { return round.server.received().size() == 5 + n && round.client.received().size() == n; }));
  }
  CHECK_EQ(round.client.peer.failure + round.server.peer.failure, "");
  round.expect_clean();
}

TEST("a TLS handshake with the server of a tunnel that fails is a failure of its own kind") {
  for (const bool client_tls : {true, false}) {
    TlsRound round({client_tls, true}, abi::protocol::tcp);
    round.bed.decider.retries = 1;
    round.server_context = [] { return server_peer_context(usual().stranger.issue({})); };
    round.connect();
    round.client.send("hello");
    CHECK(round.wait([&] {
      if (!round.server.peer.failure.empty()) round.server = TlsEnd();
      return round.client.peer.socket.ended;
    }));
    CHECK(round.bed.decider.tunnel_failures == (std::vector<int>{abi::failure::tls, abi::failure::tls}));
    round.expect_clean();
  }
}

TEST("a TLS tunnel that is silent ends in order") {
  TlsRound::each([](Sides sides) {
    TlsRound round(sides, abi::protocol::tcp);
    round.bed.tunnel_plan.idle_ms = 5000;
    CHECK(open_tunnel(round));
    round.bed.advance(3000);
    round.client.send("x");
    CHECK(round.wait([&] { return round.server.got("hellox"); }));
    round.bed.advance(3000);
    CHECK_EQ(round.bed.usage().tunnels, 1u);
    round.bed.advance(3000);
    CHECK(round.wait([&] { return round.client.ended_in_order() && round.server.ended_in_order(); }));
    CHECK_EQ(round.bed.usage().tunnels, 0u);
    round.expect_clean();
  });
}

TEST("a server of a TLS tunnel is told of the client before TLS begins") {
  TlsRound round({true, true}, abi::protocol::tcp);
  round.bed.tunnel_plan.send_proxy = ProxyVersion::v1;
  round.sides.server = false;  // read as it comes
  round.connect();
  round.client.send("hello");
  CHECK(round.wait([&] { return round.server.received().find("\r\n\x16\x03\x01") != std::string::npos; }));
  CHECK(round.server.received().starts_with("PROXY TCP4 127."));
  round.expect_clean();
}
