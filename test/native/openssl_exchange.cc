// Exchanges over TLS, towards clients, towards servers, and both: nothing differs from plain connections but what must.
#include <string>
#include <vector>

#include "check.h"
#include "openssl_round.h"

using namespace weir;
using certificates::usual;

namespace {

using Sides = TlsRound::Sides;

const std::string kGet = "GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t x = 12345;
  for (char& c : bytes) c = char((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::string with_length(const std::string& start, const std::string& body) {
  return start + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST("a request and its response pass over TLS on any side") {
  TlsRound::each([](Sides sides) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsRound round(sides);
      round.server_context = [version] { return server_peer_context(usual().rsa, version); };
      round.connect(version);
      round.client.send(kGet);
      CHECK(round.meet());
      CHECK_EQ(round.requests().all[0].line, "GET / HTTP/1.1");
      CHECK_EQ(round.requests().all[0].field("x-forwarded-proto"), sides.client ? "https" : "http");
      CHECK(round.answer(kOk));
      CHECK_EQ(round.responses().all[0].body, "ok");
      CHECK_EQ(round.counted(abi::listener_counter::tls_handshakes), sides.client ? 1 : 0);
      CHECK_EQ(round.counted(abi::listener_counter::tls_resumed), 0);
      CHECK(round.bed.decider.refusals.empty() && round.bed.decider.failures.empty());
      // Once more, on the same connections.
      round.client.send(kGet);
      CHECK(round.wait([&] { return round.requests().all.size() == 2; }));
      CHECK(round.answer(kOk, 2));
      CHECK_EQ(round.accepts, 1u);
      round.expect_clean();
    }
  });
}

TEST("pipelined requests over TLS are answered in order") {
  TlsRound::each([](Sides sides) {
    TlsRound round(sides);
    round.connect();
    round.client.send(kGet + kGet + "GET /last HTTP/1.1\r\nHost: weir.test\r\nConnection: close\r\n\r\n");
    for (size_t i = 1; i <= 3; ++i) {
      CHECK(round.wait([&] { return round.server.open() && round.requests().all.size() >= i; }));
      CHECK(round.answer(with_length("HTTP/1.1 200 OK\r\n", "number " + std::to_string(i)), i));
    }
    CHECK_EQ(round.responses().all[2].body, "number 3");
    CHECK(round.wait([&] { return round.client.ended_in_order() && round.client.peer.socket.ended; }));
    CHECK(!round.client.peer.socket.broken);
    round.expect_clean();
  });
}

TEST("a request that comes together with the end of the TLS handshake is served at once") {
  for (const std::string& request : {kGet, with_length("POST / HTTP/1.1\r\nHost: weir.test\r\n", pattern(9000))}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsRound round({true, false});
      round.connect(version);
      // Before anything of the handshake: it leaves with the client's last bytes of it.
      round.client.send(request);
      if (request != kGet) round.methods = {Method::post};
      CHECK(round.meet());
      CHECK(round.answer(kOk));
      round.expect_clean();
    }
  }
}

TEST("a TLS client whose hello comes in pieces is served") {
  for (const size_t piece : {size_t(1), size_t(50), size_t(200)}) {
    TlsRound round({true, false});
    round.connect();
    round.client.peer.piece = piece;
    round.client.send(kGet);
    CHECK(round.wait([&] { return round.bed.advance(2), round.server.open() && !round.requests().all.empty(); }));
    CHECK(round.answer(kOk));
    round.expect_clean();
  }
}

TEST("large bodies pass over TLS both ways though nobody reads quickly") {
  const std::string body = pattern(1 << 20), tail = body.substr(body.size() - 100);
  TlsRound::each([&](Sides sides) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsRound round(sides);
      round.server_context = [version] { return server_peer_context(usual().ecdsa, version); };
      round.methods = {Method::post};
      round.connect(version);
      round.client.peer.socket.shrink_buffers(32768);
      round.client.send(with_length("POST /up HTTP/1.1\r\nHost: weir.test\r\n", body));
      // The server sleeps, then reads now and then.
      CHECK(round.wait([&] { return round.server.open(); }));
      round.server.peer.socket.shrink_buffers(32768);
      unsigned n = 0;
      CHECK(round.wait([&] {
        round.server.peer.socket.stalled = ++n % 4 != 0;
        return round.server.received().size() > body.size() && round.server.received().ends_with(tail);
      }));
      CHECK(round.requests().all[0].body == body);
      CHECK(round.bed.usage().buffers < 16);
      round.server.peer.socket.stalled = false;
      round.server.send(with_length("HTTP/1.1 200 OK\r\n", body));
      CHECK(round.wait([&] {
        round.client.peer.socket.stalled = ++n % 4 != 0;
        return round.client.received().size() > body.size() && round.client.received().ends_with(tail);
      }));
      CHECK_EQ(round.whole_responses(), 1u);
      CHECK(round.responses().all[0].body == body);
      round.expect_clean();
    }
  });
}

TEST("a chunked body with small pieces passes over TLS") {
  TlsRound::each([&](Sides sides) {
    TlsRound round(sides);
    round.connect();
    round.client.send(kGet);
    CHECK(round.meet());
    round.server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string all;
    for (int i = 0; i < 100; ++i) {
      const std::string piece = "piece " + std::to_string(i) + ";";
      char size[8];
      std::snprintf(size, sizeof size, "%zx", piece.size());
      round.server.send(size + ("\r\n" + piece) + "\r\n");
      all += piece;
      // Each arrives without waiting for the next.
      if (i % 20 == 0) CHECK(round.wait([&] { return round.client.got(piece); }));
    }
    CHECK(round.answer("0\r\n\r\n"));
    CHECK_EQ(round.responses().all[0].body, all);
    round.expect_clean();
  });
}

TEST("a connection to a TLS server is kept, whatever tickets and keys come late, until it says its end") {
  TlsRound round({false, true});
  round.connect();
  for (size_t i = 1; i <= 4; ++i) {
    round.client.send(kGet);
    CHECK(round.wait([&] { return round.server.open() && round.requests().all.size() == i; }));
    CHECK(round.answer(kOk, i));
    CHECK_EQ(round.bed.usage().upstream_connections, 1u);
    SSL* ssl = round.server.peer.ssl();
    if (i == 1) SSL_new_session_ticket(ssl);
    if (i == 2) SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(ssl);
    round.server.peer.push();
    round.bed.run();
    CHECK_EQ(round.bed.usage().upstream_connections, 1u);
  }
  CHECK_EQ(round.accepts, 1u);
  round.server.peer.say_end();
  CHECK(round.bed.until([&] { return round.bed.usage().upstream_connections == 0; }));
  round.expect_clean();
}

TEST("the next connection to a TLS server resumes") {
  TlsRound round({false, true});
  const SslContext shared = server_peer_context(usual().ecdsa);
  round.server_context = [&] {
    SSL_CTX_up_ref(shared.get());
    return SslContext(shared.get());
  };
  round.connect();
  for (size_t i = 1; i <= 3; ++i) {
    round.client.send(kGet);
    CHECK(round.meet());
    CHECK_EQ(SSL_session_reused(round.server.peer.ssl()), i > 1);
    CHECK(round.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", i));
    round.server = TlsEnd();
  }
  CHECK_EQ(round.accepts, 3u);
  round.expect_clean();
}

TEST("a TLS handshake with a server that fails is a failure of its own kind") {
  for (const char* what : {"a stranger", "plain HTTP", "silence, then an end", "a reset", "an old version"}) {
    const std::string_view kind = what;
    TlsRound round({false, true});
    round.bed.decider.retries = 1;
    if (kind == "a stranger") round.server_context = [] { return server_peer_context(usual().stranger.issue({})); };
    if (kind == "an old version") {
      TlsClientOptions o = usual_client_options();
      o.bounds.min_version = TLS1_3_VERSION;
      round.bed.server().tls = make_client(round.worker, o);
      round.server_context = [] { return server_peer_context(usual().ecdsa, TLS1_2_VERSION); };
    }
    round.connect();
    round.client.send(kGet);
    const bool spoils = kind == "plain HTTP" || kind == "silence, then an end" || kind == "a reset";
    if (spoils) round.sides.server = false;
    CHECK(round.wait([&] {
      if (spoils && round.server.open() && round.server.got("\x16\x03\x01")) {
        if (kind == "plain HTTP") round.server.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        kind == "a reset" ? round.server.peer.socket.reset() : round.server.peer.socket.close();
      }
      if (!spoils && !round.server.peer.failure.empty()) round.server = TlsEnd();
      return round.whole_responses() == 1;
    }));
    CHECK_EQ(round.responses().all.empty() ? 0 : round.responses().all[0].status, 502);
    CHECK_EQ(round.bed.decider.failures.size(), 2u);
    for (const Failure& f : round.bed.decider.failures) {
      if (f.reason != abi::failure::tls) check::report(__FILE__, __LINE__, std::string(what) + ": reason " + std::to_string(f.reason));
      CHECK(f.unsent);
    }
    round.expect_clean();
  }
}

TEST("a TLS server that does not end its handshake in time is one that cannot be connected to") {
  TlsRound round({false, true});
  round.sides.server = false;  // it accepts, and says nothing
  round.bed.decider.retries = 0;
  round.connect();
  round.client.send(kGet);
  CHECK(round.wait([&] { return round.server.open() && !round.server.received().empty(); }));
  round.bed.advance(60'000);
  CHECK(round.wait([&] { return round.whole_responses() == 1; }));
  CHECK_EQ(round.bed.decider.failures.size(), 1u);
  for (const Failure& f : round.bed.decider.failures) CHECK_EQ(f.reason, abi::failure::connect_timeout);
  round.expect_clean();
}

TEST("a body that ends with the connection is whole only where TLS says so") {
  for (const bool says_so : {true, false}) {
    for (const bool to_tls : {true, false}) {
      TlsRound round({to_tls, true});
      round.connect();
      round.client.send(kGet);
      CHECK(round.meet());
      round.server.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nas far as it goes");
      CHECK(round.wait([&] { return round.client.got("as far as it goes"); }));
      if (says_so) round.server.peer.say_end();
      round.server.peer.socket.half_close();
      CHECK(round.wait([&] { return round.client.peer.socket.ended || round.whole_responses() == 1; }));
      const Messages got = round.responses();
      CHECK(!got.all.empty() && got.all[0].complete == says_so);
      round.expect_clean();
    }
  }
}

TEST("a body without an end of its own reaches a TLS client that speaks HTTP/1.0 with close_notify, and is cut without") {
  for (const bool is_cut : {false, true}) {
    TlsRound round({true, false});
    round.connect();
    round.client.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(round.meet());
    round.server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    CHECK(round.wait([&] { return round.client.got("half"); }));
    if (!is_cut) round.server.send("0\r\n\r\n");
    else round.server.peer.socket.reset();
    CHECK(round.wait([&] { return round.client.peer.socket.ended; }));
    CHECK_EQ(round.client.peer.saw_end(), !is_cut);
    round.expect_clean();
  }
}

TEST("a client that leaves in the middle of a response over TLS costs the server its connection, and us nothing") {
  TlsRound::each([](Sides sides) {
    for (const bool resets : {true, false}) {
      TlsRound round(sides);
      round.connect();
      round.client.send(kGet);
      CHECK(round.meet());
      round.server.send(with_length("HTTP/1.1 200 OK\r\n", pattern(3'000'000)));
      CHECK(round.wait([&] { return round.client.got("200 OK"); }));
      resets ? round.client.peer.socket.reset() : round.client.peer.socket.close();
      CHECK(round.bed.until([&] {
        if (round.server.open()) round.server.pump();
        return round.bed.usage().exchanges == 0;
      }));
      round.expect_clean();
    }
  });
}

TEST("a client's certificate is told to the server, and nobody else may tell of one") {
  for (const bool shows_one : {true, false}) {
    TlsRound round({true, false});
    TlsServerOptions o = usual_server_options();
    o.client_auth = abi::client_auth::optional;
    o.client_ca = usual().authority.pem();
    round.listen(o);
    round.bed.listener().certificate_subject = "X-Client-Cert-Subject";
    round.bed.listener().certificate_fingerprint = "X-Client-Cert-Fingerprint";
    SslContext theirs = client_peer_context();
    if (shows_one) show_certificate(theirs.get(), usual().client);
    round.connect(std::move(theirs));
    round.client.send("GET / HTTP/1.1\r\nHost: weir.test\r\nX-Client-Cert-Subject: CN=root\r\nX_Client_Cert_Fingerprint: 00\r\n\r\n");
    CHECK(round.meet());
    const Message at_server = round.requests().all.empty() ? Message() : round.requests().all[0];
    CHECK_EQ(at_server.count("x-client-cert-subject"), shows_one ? 1u : 0u);
    CHECK_EQ(at_server.field("x-client-cert-subject"), shows_one ? "CN=a client\\, of \\C3\\A4 kind" : "");
    CHECK_EQ(at_server.field("x-client-cert-fingerprint").size(), shows_one ? 64u : 0u);
    CHECK_EQ(at_server.count("x_client_cert_fingerprint"), 0u);
    CHECK(round.answer(kOk));
    round.expect_clean();
  }
}

TEST("an upgrade over TLS becomes a tunnel, with ends in order on each side") {
  const std::string upgrade = "GET /chat HTTP/1.1\r\nHost: weir.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  const std::string switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  TlsRound::each([&](Sides sides) {
    for (const bool client_first : {true, false}) {
      TlsRound round(sides);
      round.connect();
      round.client.send(upgrade + "early");
      CHECK(round.wait([&] { return round.server.open() && round.server.got("\r\n\r\n"); }));
      round.server.send(switching + "greeting");
      CHECK(round.wait([&] { return round.client.got("\r\n\r\ngreeting") && round.server.got("\r\n\r\nearly"); }));
      CHECK_EQ(round.bed.usage().tunnels, 1u);
      const std::string bulk = pattern(700'000);
      round.client.send(bulk);
      round.server.send(bulk);
      CHECK(round.wait([&] { return round.client.received().ends_with("greeting" + bulk) && round.server.received().ends_with("early" + bulk); }));
      TlsEnd& first = client_first ? round.client : round.server;
      TlsEnd& second = client_first ? round.server : round.client;
      first.end_output();
      CHECK(round.wait([&] { return second.ended_in_order() && second.peer.socket.ended; }));
      CHECK_EQ(round.bed.usage().tunnels, 1u);
      second.send("still here");
      CHECK(round.wait([&] { return first.received().ends_with("still here"); }));
      second.end_output();
      CHECK(round.wait([&] { return first.ended_in_order() && round.bed.usage().tunnels == 0; }));
      round.expect_clean();
    }
  });
}
