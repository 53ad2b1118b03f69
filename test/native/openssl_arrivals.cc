// Connections that are about to speak TLS: names, deadlines, and what is said to those who cannot or do not.
#include <string>

#include "check.h"
#include "openssl_round.h"

using namespace weir;
using namespace std::string_literals;
using certificates::usual;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: weir.test\r\n\r\n";

// Sends bytes as a plain client, until the engine ends the connection.
void say(TlsRound& round, const std::string& bytes) {
  round.client = TlsEnd();
  round.client.peer.socket = round.bed.connect();
  round.client.send(bytes);
  CHECK(round.wait([&] { return round.client.peer.socket.ended; }));
  CHECK_EQ(round.bed.usage().arrivals, 0u);
}

}  // namespace

TEST("plain HTTP on a TLS port gets an answer that says so") {
  TlsRound round({true, false});
  for (const std::string& request : {kGet, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x')}) {
    say(round, request);
    CHECK(round.client.peer.socket.received.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(round.client.peer.socket.got("this port speaks HTTPS"));
    const Messages got = read_responses(round.client.peer.socket.received, {}, true);
    CHECK(got.all.size() == 1 && got.all[0].complete);
    CHECK_EQ(round.bed.decider.last_refusal, "plain HTTP");
  }
  CHECK_EQ(round.refusals(abi::refusal::tls_handshake), 2);
  round.expect_clean();
}

TEST("garbage on a TLS port is refused without a word about HTTP") {
  for (const int protocol : {abi::protocol::http, abi::protocol::tcp}) {
    TlsRound round({true, false}, protocol);
    int refused = 0;
    for (const std::string& bytes : {"\0\0\0\0\0\0"s, "\x16\x03\x01\0\0"s, "\x16\x03\x01\xff\xff"s, "\x15\x03\x01\0\2\2\x28"s, "{\"json\": true}"s, "\x16\x03\x01\0\5\2\0\0\1\0"s}) {
      say(round, bytes);
      CHECK_EQ(round.client.peer.socket.received, "");
      CHECK_EQ(round.refusals(abi::refusal::tls_handshake), ++refused);
      CHECK(!round.bed.decider.last_refusal.empty());
    }
    CHECK_EQ(round.bed.decider.decided, 0u);
    round.expect_clean();
  }
}

TEST("a hello that OpenSSL does not like fails the TLS handshake with an alert and in words") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsRound round({true, false});
    TlsServerOptions o = usual_server_options();
    o.alpn = {"http/1.1"};
    round.listen(o);
    SslContext theirs = client_peer_context(version);
    const unsigned char offered[] = "\4none";
    SSL_CTX_set_alpn_protos(theirs.get(), offered, 5);
    round.connect(std::move(theirs));
    round.client.send(kGet);
    CHECK(round.wait([&] { return round.client.peer.socket.ended; }));
    CHECK(round.client.peer.failure.find("no application protocol") != std::string::npos);
    CHECK(!round.client.peer.socket.broken);
    CHECK_EQ(round.bed.decider.last_refusal, "no application protocol");
    CHECK_EQ(round.refusals(abi::refusal::tls_handshake), 1);
    CHECK_EQ(round.counted(abi::listener_counter::tls_handshakes), 0);
    round.expect_clean();
  }
}

TEST("a TLS client that asks for a name that nobody has here is told so") {
  for (const std::string& name : {"other.test"s, ""s}) {
    TlsRound round({true, false});
    TlsServerOptions o = usual_server_options();
    o.names = {{"weir.test", 0}};
    o.default_set = -1;
    round.listen(o);
    round.connect();
    if (!name.empty()) SSL_set_tlsext_host_name(round.client.peer.ssl(), name.c_str());
    round.client.send(kGet);
    CHECK(round.wait([&] { return round.client.peer.socket.ended; }));
    CHECK(round.client.peer.failure.find("unrecognized name") != std::string::npos);
    // A reset could overtake the alert.
    CHECK(!round.client.peer.socket.broken);
    CHECK_EQ(round.bed.decider.last_refusal, name.empty() ? "no server name" : name);
    CHECK_EQ(round.refusals(abi::refusal::unknown_name), 1);
    round.expect_clean();
  }
}

TEST("a TLS handshake has its time, however it is trickled") {
  for (const bool says_hello : {false, true}) {
    TlsRound round({true, false});
    TlsServerOptions o = usual_server_options();
    o.handshake_ms = 1000;
    round.listen(o);
    round.connect();
    // The hello is on its way, or comes byte by byte; the rest never comes.
    if (!says_hello) round.client.peer.piece = 1;
    round.client.peer.pump();
    round.client.peer.holds = says_hello;
    for (int i = 0; i < 9; ++i) {
      round.client.pump();
      round.bed.advance(105);
    }
    CHECK_EQ(round.bed.usage().arrivals, 1u);
    round.bed.advance(100);
    CHECK_EQ(round.bed.usage().arrivals, 0u);
    CHECK_EQ(round.bed.decider.last_refusal, says_hello ? "no end of the TLS handshake in time" : "no ClientHello in time");
    CHECK_EQ(round.refusals(abi::refusal::too_slow), 1);
    round.expect_clean();
  }
}

TEST("the time for a TLS handshake ends with it") {
  TlsRound round({true, false});
  TlsServerOptions o = usual_server_options();
  o.handshake_ms = 1000;
  round.listen(o);
  round.connect();
  CHECK(round.wait([&] { return round.client.peer.ready() && round.bed.usage().clients == 1; }));
  round.bed.advance(2000);
  CHECK_EQ(round.bed.usage().clients, 1u);
  round.client.send(kGet);
  CHECK(round.meet());
  CHECK(round.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  round.expect_clean();
}

TEST("a TLS client that leaves in the handshake leaves nothing behind") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsRound round({true, false});
    for (const size_t bytes : {1, 4, 5, 40, 200}) {
      for (const int how : {0, 1, 2}) {
        round.connect(version);
        round.client.peer.piece = bytes;
        for (int i = 0; i < 1 + how; ++i) round.client.pump(), round.bed.advance(3);
        if (how == 0) round.client.peer.socket.reset();
        else if (how == 1) round.client.peer.socket.close();
        else round.client.peer.socket.half_close();
        CHECK(round.bed.until([&] { return round.bed.advance(3), round.bed.usage().arrivals == 0; }));
      }
    }
    CHECK_EQ(round.bed.decider.decided, 0u);
    round.expect_clean();
  }
}

TEST("a PROXY header comes before TLS, and tells of the client") {
  TlsRound round({true, false});
  round.bed.listener().proxy_protocol = true;
  CHECK(round.bed.listener().trusted.add("127.0.0.0/8"));
  round.connect();
  round.client.peer.socket.send("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n");
  round.client.send(kGet);
  CHECK(round.meet());
  CHECK_EQ(round.requests().all[0].field("x-forwarded-for"), "192.0.2.7");
  CHECK(round.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  round.expect_clean();
}

TEST("a validation of a certificate authority is answered by the handshake alone") {
  TlsRound round({true, false});
  TlsServerOptions o = usual_server_options();
  o.alpn = {"http/1.1"};
  o.challenges = {{"new.test", usual().ecdsa}};
  round.listen(o);
  round.connect();
  SSL_set_tlsext_host_name(round.client.peer.ssl(), "new.test");
  offer_protocols(round.client.peer.ssl(), {"acme-tls/1"});
  CHECK(round.wait([&] { return round.client.peer.socket.ended; }));
  CHECK(round.client.peer.saw_end());
  CHECK_EQ(protocol_of(round.client.peer.ssl()), "acme-tls/1");
  CHECK_EQ(round.bed.usage().clients, 0u);
  CHECK(round.bed.decider.refusals.empty());
  round.expect_clean();
}

TEST("a listener whose TLS is replaced ends the handshakes that it began, and begins others anew") {
  TlsRound round({true, false});
  round.connect();
  round.client.peer.pump();
  round.bed.run();
  TlsServerOptions o = usual_server_options();
  o.sets = {{usual().rsa}};
  round.listen(o);
  CHECK(round.wait([&] { return round.client.peer.ready(); }));
  const auto kind = [&] {
    const X509Handle shown(SSL_get1_peer_certificate(round.client.peer.ssl()));
    return EVP_PKEY_get_base_id(X509_get0_pubkey(shown.get()));
  };
  CHECK_EQ(kind(), EVP_PKEY_EC);
  round.client.send(kGet);
  CHECK(round.meet());
  round.connect();
  CHECK(round.wait([&] { return round.client.peer.ready(); }));
  CHECK_EQ(kind(), EVP_PKEY_RSA);
  round.expect_clean();
}

TEST("tickets of TLS count as resumed handshakes") {
  TlsRound round({true, false});
  SslSession session;
  for (int i = 0; i < 3; ++i) {
    round.connect();
    if (session) SSL_set_session(round.client.peer.ssl(), session.get());
    round.client.send(kGet);
    CHECK(round.meet());
    CHECK(round.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
    session.reset(SSL_get1_session(round.client.peer.ssl()));
    SSL_set_shutdown(round.client.peer.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    round.server = TlsEnd();
  }
  CHECK_EQ(round.counted(abi::listener_counter::tls_handshakes), 3);
  CHECK_EQ(round.counted(abi::listener_counter::tls_resumed), 2);
  round.expect_clean();
}
