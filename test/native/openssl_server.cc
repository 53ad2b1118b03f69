// TLS of a listener: which certificate a client gets, what is agreed on, who has to show a certificate, and what options are refused.
#include <string>
#include <vector>

#include "check.h"
#include "openssl_pair.h"

using namespace weir;
using certificates::usual;
using certificates::Wish;

namespace {

using Kind = IoResult::Kind;

TlsCertificate named(const std::string& name, bool is_rsa = false) {
  return usual().authority.issue({.name = name, .alternatives = "DNS:" + name, .is_rsa = is_rsa});
}

std::string name_of(X509* certificate) {
  char name[256] = "nobody";
  if (certificate) X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  return name;
}

struct Serving {
  explicit Serving(const TlsServerOptions& options) { pairs.server = make_server(pairs.worker, options); }

  TlsPair open(const std::string& name, SslContext theirs, const std::string& alpn = "") {
    return {pairs.server->open(name, alpn), std::move(theirs), TlsPeer::Role::client};
  }
  // Whose certificate a client gets that asks for a name, or "refused".
  std::string shown_to(const std::string& name) {
    std::unique_ptr<TlsSession> session = pairs.server->open(name, "");
    if (!session) return "refused";
    TlsPair pair(std::move(session), client_peer_context(), TlsPeer::Role::client);
    if (!name.empty()) SSL_set_tlsext_host_name(pair.peer.ssl(), name.c_str());
    CHECK_EQ(pair.shake_hands(), Kind::ok);
    const X509Handle shown(SSL_get1_peer_certificate(pair.peer.ssl()));
    return name_of(shown.get());
  }

  TlsPairs pairs;
};

// Why options are not taken.
std::string refused(const TlsServerOptions& options) {
  TlsPairs pairs;
  std::string why;
  CHECK(!OpenSslServer::make(pairs.worker, options, why));
  CHECK_EQ(ERR_peek_error(), 0ul);
  return why;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TlsServerOptions asking(int client_auth) {
  TlsServerOptions o = usual_server_options();
  o.client_auth = client_auth;
  o.client_ca = usual().authority.pem();
  return o;
}

// A handshake with a client that shows a certificate, or none.
TlsPair greet(Serving& serving, const TlsCertificate* certificate, int version) {
  SslContext theirs = client_peer_context(version);
  if (certificate) show_certificate(theirs.get(), *certificate);
  return serving.open("weir.test", std::move(theirs));
}

}  // namespace

TEST("a TLS client gets the certificate of the name that it asks for, exact before wildcard before default") {
  TlsServerOptions o;
  o.sets = {{named("default.test")}, {named("a.wild.test")}, {named("*.wild.test")}};
  o.names = {{"default.test", 0}, {"a.wild.test", 1}, {"*.wild.test", 2}, {"gone.test", 9}};
  Serving serving(o);
  CHECK_EQ(serving.shown_to("a.wild.test"), "a.wild.test");
  CHECK_EQ(serving.shown_to("b.wild.test"), "*.wild.test");
  for (const char* other : {"", "default.test", "wild.test", "a.b.wild.test", "other.test", "gone.test", ".wild.test", "test"})
    CHECK_EQ(serving.shown_to(other), "default.test");
}

TEST("a TLS listener may refuse names that it has no certificate for") {
  TlsServerOptions o;
  o.sets = {{named("one.test")}};
  o.names = {{"one.test", 0}};
  o.default_set = -1;
  Serving serving(o);
  CHECK_EQ(serving.shown_to("one.test"), "one.test");
  for (const char* other : {"", "two.test", "x.one.test"}) CHECK_EQ(serving.shown_to(other), "refused");
}

TEST("of two kinds of TLS certificates a client gets one that it understands, with its own staple") {
  TlsServerOptions o;
  o.sets = {{usual().rsa, usual().ecdsa}};
  o.sets[0][0].ocsp = "what is said of the RSA one";
  o.sets[0][1].ocsp = "what is said of the ECDSA one";
  Serving serving(o);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool wants_rsa : {true, false}) {
      TlsPair pair = serving.open("weir.test", client_peer_context(version));
      SSL_set1_sigalgs_list(pair.peer.ssl(), wants_rsa ? "RSA-PSS+SHA256:RSA+SHA256" : "ECDSA+SHA256");
      SSL_set_tlsext_status_type(pair.peer.ssl(), TLSEXT_STATUSTYPE_ocsp);
      CHECK_EQ(pair.shake_hands(), Kind::ok);
      const X509Handle shown(SSL_get1_peer_certificate(pair.peer.ssl()));
      CHECK_EQ(EVP_PKEY_get_base_id(X509_get0_pubkey(shown.get())), wants_rsa ? EVP_PKEY_RSA : EVP_PKEY_EC);
      const unsigned char* staple = nullptr;
      const long size = SSL_get_tlsext_status_ocsp_resp(pair.peer.ssl(), &staple);
      CHECK_EQ(std::string(reinterpret_cast<const char*>(staple), size > 0 ? size_t(size) : 0), o.sets[0][wants_rsa ? 0 : 1].ocsp);
    }
  }
}

TEST("TLS staples nothing where there is nothing, and only where it is asked for") {
  TlsServerOptions o = usual_server_options();
  for (const bool asks : {true, false}) {
    o.sets[0][0].ocsp = asks ? "" : "something";
    Serving serving(o);
    TlsPair pair = serving.open("weir.test", client_peer_context());
    if (asks) SSL_set_tlsext_status_type(pair.peer.ssl(), TLSEXT_STATUSTYPE_ocsp);
    CHECK_EQ(pair.shake_hands(), Kind::ok);
    const unsigned char* staple = nullptr;
    CHECK(SSL_get_tlsext_status_ocsp_resp(pair.peer.ssl(), &staple) <= 0);
  }
}

TEST("a TLS certificate comes with its chain") {
  TlsServerOptions o = usual_server_options();
  o.sets[0] = {usual().rsa, usual().ecdsa};
  o.sets[0][1].chain += usual().stranger.pem() + usual().authority.pem();
  Serving serving(o);
  for (const bool wants_rsa : {true, false}) {
    TlsPair pair = serving.open("weir.test", client_peer_context());
    SSL_set1_sigalgs_list(pair.peer.ssl(), wants_rsa ? "RSA-PSS+SHA256" : "ECDSA+SHA256");
    CHECK_EQ(pair.shake_hands(), Kind::ok);
    CHECK_EQ(sk_X509_num(SSL_get_peer_cert_chain(pair.peer.ssl())), wants_rsa ? 1 : 3);
  }
}

TEST("TLS agrees on our first protocol that the client offers, on none where it is not asked, and fails where there is no common one") {
  TlsServerOptions o = usual_server_options();
  o.alpn = {"h2", "http/1.1"};
  struct Case {
    std::vector<std::string> offered;
    std::string agreed;  // "-": the handshake fails
  };
  for (const Case& c : {Case{{"http/1.1", "h2"}, "h2"}, Case{{"http/1.1"}, "http/1.1"}, Case{{"spdy/1", "http/1.1"}, "http/1.1"}, Case{{}, ""}, Case{{"spdy/1"}, "-"}}) {
    Serving serving(o);
    TlsPair pair = serving.open("weir.test", client_peer_context());
    if (!c.offered.empty()) offer_protocols(pair.peer.ssl(), c.offered);
    const bool good = pair.shake_hands() == Kind::ok;
    CHECK_EQ(good ? protocol_of(pair.peer.ssl()) : "-", c.agreed);
    if (!good) CHECK(has(pair.peer.failure, "no application protocol") && has(pair.session->why(), "no application protocol"));
  }
  Serving silent(usual_server_options());
  TlsPair pair = silent.open("weir.test", client_peer_context());
  offer_protocols(pair.peer.ssl(), {"http/1.1"});
  CHECK_EQ(pair.shake_hands(), Kind::ok);
  CHECK_EQ(protocol_of(pair.peer.ssl()), "");
}

TEST("TLS versions and ciphers are held to the options") {
  TlsServerOptions o = usual_server_options();
  o.bounds.min_version = TLS1_3_VERSION;
  Serving newer(o);
  TlsPair old = newer.open("weir.test", client_peer_context(TLS1_2_VERSION));
  CHECK_EQ(old.shake_hands(), Kind::failed);
  CHECK(has(old.session->why(), "unsupported protocol"));
  CHECK(has(old.peer.failure, "alert protocol version"));

  o = usual_server_options();
  o.bounds.max_version = TLS1_2_VERSION;
  o.bounds.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305";
  Serving older(o);
  TlsPair any = older.open("weir.test", client_peer_context());
  CHECK_EQ(any.shake_hands(), Kind::ok);
  CHECK_EQ(SSL_version(any.peer.ssl()), TLS1_2_VERSION);
  CHECK_EQ(std::string(SSL_get_cipher_name(any.peer.ssl())), "ECDHE-ECDSA-AES256-GCM-SHA384");
  TlsPair other = older.open("weir.test", client_peer_context());
  SSL_set_cipher_list(other.peer.ssl(), "ECDHE-ECDSA-AES128-GCM-SHA256");
  CHECK_EQ(other.shake_hands(), Kind::failed);
  CHECK(has(other.session->why(), "no shared cipher"));

  o = usual_server_options();
  o.bounds.cipher_suites = "TLS_AES_256_GCM_SHA384";
  o.bounds.groups = "P-384";
  Serving one(o);
  TlsPair suite = one.open("weir.test", client_peer_context());
  CHECK_EQ(suite.shake_hands(), Kind::ok);
  CHECK_EQ(std::string(SSL_get_cipher_name(suite.peer.ssl())), "TLS_AES_256_GCM_SHA384");
  CHECK_EQ(SSL_get_negotiated_group(suite.peer.ssl()), NID_secp384r1);
}

TEST("a TLS client certificate that is asked for is verified, and told with subject and fingerprint") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const int auth : {abi::client_auth::optional, abi::client_auth::required}) {
      Serving serving(asking(auth));
      TlsPair pair = greet(serving, &usual().client, version);
      CHECK_EQ(pair.shake_hands(), Kind::ok);
      const PeerCertificate* shown = pair.session->peer();
      CHECK(shown != nullptr);
      if (!shown) continue;
      CHECK_EQ(shown->subject, "CN=a client\\, of \\C3\\A4 kind");
      unsigned char digest[32];
      unsigned size = 0;
      X509_digest(certificates::read_certificate(usual().client.chain).get(), EVP_sha256(), digest, &size);
      char expected[65];
      for (int i = 0; i < 32; ++i) std::snprintf(expected + 2 * i, 3, "%02x", digest[i]);
      CHECK_EQ(shown->fingerprint, std::string(expected));
    }
  }
}

TEST("a TLS client without a certificate gets in where it is optional, and one with a wrong one never") {
  const TlsCertificate late = usual().authority.issue({.name = "late", .alternatives = "", .from_days = -10, .to_days = -1});
  struct Case {
    int auth;
    const TlsCertificate* shown;
    std::string why;  // empty: it gets in
  };
  for (const Case& c : {Case{abi::client_auth::off, nullptr, ""}, Case{abi::client_auth::off, &usual().strange_client, ""}, Case{abi::client_auth::optional, nullptr, ""},
                        Case{abi::client_auth::required, nullptr, "peer did not return a certificate"},
                        Case{abi::client_auth::optional, &usual().strange_client, "certificate verify failed"},
                        Case{abi::client_auth::required, &usual().strange_client, "certificate verify failed"},
                        Case{abi::client_auth::optional, &late, "certificate verify failed"}}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      Serving serving(asking(c.auth));
      TlsPair pair = greet(serving, c.shown, version);
      CHECK_EQ(pair.shake_hands(), c.why.empty() ? Kind::ok : Kind::failed);
      CHECK_EQ(pair.session->why(), c.why);
      CHECK(!pair.session->peer());
      pair.peer.pump();
      CHECK_EQ(pair.peer.failure.empty(), c.why.empty());
    }
  }
}

TEST("a validation of a certificate authority gets the certificate that was made for it, and is no connection") {
  TlsServerOptions o = usual_server_options();
  o.alpn = {"http/1.1"};
  o.challenges = {{"new.test", named("challenge of new.test")}};
  Serving serving(o);
  const auto meet = [&](const std::string& name, const std::string& protocol) {
    TlsPair pair = serving.open(name, client_peer_context(), protocol);
    offer_protocols(pair.peer.ssl(), {protocol});
    const bool good = pair.shake_hands() == Kind::ok;
    const X509Handle shown(SSL_get1_peer_certificate(pair.peer.ssl()));
    return (good ? name_of(shown.get()) : "failed") + (pair.session->is_challenge() ? " challenge " : " ") + protocol_of(pair.peer.ssl());
  };
  CHECK_EQ(meet("new.test", "acme-tls/1"), "challenge of new.test challenge acme-tls/1");
  CHECK_EQ(meet("new.test", "http/1.1"), "weir.test http/1.1");
  CHECK(has(meet("other.test", "acme-tls/1"), "failed "));
}

TEST("certificates, keys and authorities that cannot be used for TLS are refused in words") {
  TlsServerOptions o;
  CHECK_EQ(refused(o), "there is no certificate");
  const auto with = [](const TlsCertificate& c) {
    TlsServerOptions made;
    made.sets = {{c}};
    return made;
  };
  TlsCertificate c = usual().ecdsa;
  c.chain = "";
  CHECK(has(refused(with(c)), "the certificate: "));
  c.chain = "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n";
  CHECK(has(refused(with(c)), "the certificate: "));
  c = usual().ecdsa;
  c.chain += "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n";
  CHECK(has(refused(with(c)), "the chain of the certificate: "));
  c = usual().ecdsa;
  c.key = "no key";
  CHECK(has(refused(with(c)), "the key: "));
  for (const TlsCertificate& other : {usual().client, usual().rsa}) {
    c.key = other.key;
    CHECK(has(refused(with(c)), "the key does not belong to the certificate"));
  }
  // In a set whose other certificate the key does belong to.
  o.sets = {{usual().rsa, c}};
  CHECK(has(refused(o), "the key does not belong to the certificate"));
  o = asking(abi::client_auth::required);
  o.client_ca = "nonsense";
  CHECK(has(refused(o), "no certificate"));
  o = usual_server_options();
  o.bounds.ciphers = "NONSENSE";
  CHECK(has(refused(o), "the ciphers: "));
  o.bounds.ciphers = "";
  o.bounds.cipher_suites = "NONSENSE";
  CHECK(has(refused(o), "the cipher suites: "));
  o.bounds.cipher_suites = "";
  o.bounds.groups = "NONSENSE";
  CHECK(has(refused(o), "the groups: "));
  o = usual_server_options();
  o.challenges = {{"a.test", c}};
  CHECK(has(refused(o), "the key does not belong to the certificate"));
  for (const std::string& why : {refused(o)}) CHECK(!has(why, "PRIVATE KEY"));
}

TEST("a TLS server that is replaced still ends the handshakes that it began") {
  Serving serving(usual_server_options());
  TlsPair pair = serving.open("weir.test", client_peer_context());
  pair.peer.pump();
  CHECK_EQ(pair.session->handshake(pair.fd.get()).kind, Kind::would_block);
  serving.pairs.server = nullptr;
  CHECK_EQ(pair.shake_hands(), Kind::ok);
  pair.peer.send("hello");
  CHECK_EQ(pair.read().kind, Kind::would_block);
  CHECK_EQ(pair.received, "hello");
}
