// TLS towards a server: whom it believes, what it shows of itself, and that it resumes.
#include <string>

#include "check.h"
#include "openssl_pair.h"

using namespace weir;
using certificates::usual;
using certificates::Wish;

namespace {

using Kind = IoResult::Kind;

struct Outcome {
  Kind kind;
  std::string why;
};

// A handshake with a server that shows `certificate`.
Outcome call(const TlsClientOptions& options, const TlsCertificate& certificate, int version) {
  TlsPairs pairs;
  pairs.client = make_client(pairs.worker, options);
  TlsPair pair = pairs.call(server_peer_context(certificate, version));
  const Kind kind = pair.shake_hands();
  CHECK_EQ(ERR_peek_error(), 0ul);
  if (kind != Kind::ok) {
    pair.peer.pump();
    CHECK(!pair.peer.failure.empty());
  }
  return {kind, pair.session->why()};
}

SslContext shared(const SslContext& context) {
  SSL_CTX_up_ref(context.get());
  return SslContext(context.get());
}

TlsClientOptions to(const std::string& name) {
  TlsClientOptions o = usual_client_options();
  o.server_name = name;
  return o;
}

}  // namespace

TEST("TLS towards a server believes who shows a certificate of its authority for the name, and says why it does not") {
  const auto issue = [](const std::string& alternatives) { return usual().authority.issue({.name = "other.test", .alternatives = alternatives}); };
  const TlsCertificate expired = usual().authority.issue({.from_days = -9, .to_days = -1}), early = usual().authority.issue({.from_days = 1});
  const TlsCertificate strange = usual().stranger.issue({}), addressed = issue("IP:192.0.2.7,IP:2001:db8::7"), wild = issue("DNS:*.weir.test");
  struct Case {
    std::string name;
    const TlsCertificate* shown;
    std::string why;  // empty: good
  };
  for (const Case& c : {Case{"weir.test", &usual().ecdsa, ""}, Case{"weir.test", &usual().rsa, ""}, Case{"other.test", &usual().ecdsa, "hostname mismatch"},
                        Case{"sub.weir.test", &wild, ""}, Case{"weir.test", &wild, "hostname mismatch"}, Case{"a.b.weir.test", &wild, "hostname mismatch"},
                        Case{"192.0.2.7", &addressed, ""}, Case{"2001:db8::7", &addressed, ""}, Case{"192.0.2.8", &addressed, "IP address mismatch"},
                        Case{"192.0.2.7", &usual().ecdsa, "IP address mismatch"}, Case{"weir.test", &strange, "unable to get local issuer certificate"},
                        Case{"weir.test", &expired, "certificate has expired"}, Case{"weir.test", &early, "certificate is not yet valid"}}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Outcome got = call(to(c.name), *c.shown, version);
      CHECK_EQ(got.kind, c.why.empty() ? Kind::ok : Kind::failed);
      CHECK_EQ(got.why, c.why);
    }
  }
}

TEST("TLS towards a server believes everybody where it is told to, and blames nothing else on that") {
  TlsClientOptions o = to("weir.test");
  o.verify = false;
  o.ca = "";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) CHECK_EQ(call(o, usual().stranger.issue({.alternatives = ""}), version).kind, Kind::ok);
  // It wants a certificate of ours, and says so with an alert.
  TlsPairs pairs;
  pairs.client = make_client(pairs.worker, o);
  SslContext theirs = server_peer_context(usual().stranger.issue({}), TLS1_2_VERSION);
  SSL_CTX_set_verify(theirs.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  TlsPair pair = pairs.call(std::move(theirs));
  CHECK_EQ(pair.shake_hands(), Kind::failed);
  CHECK(pair.session->why().find("alert") != std::string::npos);
}

TEST("TLS towards a server names it, unless it is an address") {
  for (const std::string& name : {std::string("weir.test"), std::string("192.0.2.7"), std::string()}) {
    TlsPairs pairs;
    TlsClientOptions o = to(name);
    o.verify = false;
    pairs.client = make_client(pairs.worker, o);
    TlsPair pair = pairs.call();
    CHECK_EQ(pair.shake_hands(), Kind::ok);
    pair.peer.pump();
    const char* named = SSL_get_servername(pair.peer.ssl(), TLSEXT_NAMETYPE_host_name);
    CHECK_EQ(std::string(named ? named : ""), name == "weir.test" ? name : "");
  }
}

TEST("TLS towards a server shows our certificate where it is asked for") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool has_one : {true, false}) {
      TlsPairs pairs;
      TlsClientOptions o = usual_client_options();
      o.has_certificate = has_one;
      if (has_one) o.certificate = usual().client;
      pairs.client = make_client(pairs.worker, o);
      SslContext theirs = server_peer_context(usual().ecdsa, version);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(theirs.get()), certificates::read_certificate(usual().authority.pem()).get());
      SSL_CTX_set_verify(theirs.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      TlsPair pair = pairs.call(std::move(theirs));
      const Kind kind = pair.shake_hands();
      pair.peer.pump();
      CHECK_EQ(pair.peer.failure, has_one ? "" : "peer did not return a certificate");
      // In TLS 1.3 the client has finished before it is refused.
      if (version == TLS1_3_VERSION && !has_one) CHECK_EQ(pair.read().kind, Kind::failed);
      else CHECK_EQ(kind, has_one ? Kind::ok : Kind::failed);
    }
  }
}

TEST("TLS towards a server resumes from the second connection on") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool with_tickets : {true, false}) {
      TlsPairs pairs;
      const SslContext theirs = server_peer_context(usual().ecdsa, version);
      if (!with_tickets) SSL_CTX_set_options(theirs.get(), SSL_OP_NO_TICKET);
      for (int i = 0; i < 5; ++i) {
        TlsPair pair = pairs.call(shared(theirs));
        CHECK_EQ(pair.shake_hands(), Kind::ok);
        pair.peer.pump();
        pair.peer.send("hello");
        CHECK_EQ(pair.read().kind, Kind::would_block);
        CHECK_EQ(pair.received, "hello");
        CHECK_EQ(pair.session->is_resumed(), i > 0);
        if (i % 2) pair.session->end(pair.fd.get());
        pair.session.reset();
        SSL_set_shutdown(pair.peer.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
      }
    }
  }
}

TEST("a server that forgot our TLS session gets a whole handshake") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPairs pairs;
    for (int i = 0; i < 3; ++i) {
      TlsPair pair = pairs.call(version);
      CHECK_EQ(pair.shake_hands(), Kind::ok);
      pair.peer.pump();
      CHECK_EQ(pair.read().kind, Kind::would_block);
      CHECK(!pair.session->is_resumed());
    }
  }
}

TEST("TLS sessions towards a server may outlive what began them") {
  TlsPairs pairs;
  TlsPair pair = pairs.call(TLS1_3_VERSION);
  pairs.client = nullptr;
  CHECK_EQ(pair.shake_hands(), Kind::ok);
  pair.peer.pump();
  pair.peer.send("late tickets and this");
  CHECK_EQ(pair.read().kind, Kind::would_block);
  CHECK_EQ(pair.received, "late tickets and this");
}

TEST("options of TLS towards a server that cannot be used are refused in words") {
  TlsPairs pairs;
  const auto refused = [&](const TlsClientOptions& o) {
    std::string why;
    CHECK(!OpenSslClient::make(pairs.worker, o, why));
    CHECK_EQ(ERR_peek_error(), 0ul);
    return why;
  };
  TlsClientOptions o = usual_client_options();
  o.ca = "";
  CHECK(refused(o).find("no authority is there to believe") == 0);
  o = usual_client_options();
  o.has_certificate = true;
  o.certificate = usual().client;
  o.certificate.key = usual().ecdsa.key;
  CHECK(refused(o).find("the key does not belong to the certificate") == 0);
  o = usual_client_options();
  o.bounds.ciphers = "NONSENSE";
  CHECK(refused(o).find("the ciphers: ") == 0);
}

TEST("servers that believe the same authorities share what was read of them") {
  TlsPairs pairs;
  const size_t before = pairs.worker.stores.size();
  for (int i = 0; i < 5; ++i) CHECK(make_client(pairs.worker, usual_client_options()) != nullptr);
  CHECK_EQ(pairs.worker.stores.size(), before);
  // Many others make room for each other, and who uses them does not notice.
  for (int i = 0; i < 20; ++i) {
    TlsClientOptions o = usual_client_options();
    o.ca = std::string(size_t(i + 1), '\n') + o.ca;
    CHECK(make_client(pairs.worker, o) != nullptr);
  }
  CHECK(pairs.worker.stores.size() <= 16);
  TlsPair pair = pairs.call();
  CHECK_EQ(pair.shake_hands(), Kind::ok);
}
