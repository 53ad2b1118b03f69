// Certificates for tests, made when they are needed: authorities, and what they sign.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tls/openssl_handles.h"
#include "tls/options.h"

namespace weir::certificates {

// How a certificate differs from a usual one.
struct Wish {
  std::string name = "weir.test";             // common name
  std::string alternatives = "DNS:weir.test";  // subjectAltName as OpenSSL writes it; empty: none
  bool is_rsa = false;
  int from_days = -1;
  int to_days = 30;
  std::string comment{};                      // makes it long
};

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "no certificates can be made: %s\n", what);
  abort();
}

inline PrivateKey make_key(bool is_rsa) {
  PrivateKey key(is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  require(bool(key), "a key");
  return key;
}

template <typename Write>
std::string pem_of(Write&& write) {
  BioHandle out(BIO_new(BIO_s_mem()));
  require(out && write(out.get()) == 1, "PEM");
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, size_t(size)};
}

inline void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension && X509_add_ext(certificate, extension, -1) == 1, value.c_str());
  X509_EXTENSION_free(extension);
}

class Authority {
 public:
  explicit Authority(const std::string& name) : key_(make_key(false)) { certificate_ = make({.name = name, .alternatives = ""}, key_.get(), true); }

  [[nodiscard]] std::string pem() const {
    return pem_of([&](BIO* out) { return PEM_write_bio_X509(out, certificate_.get()); });
  }
  [[nodiscard]] TlsCertificate issue(const Wish& wish) const {
    const PrivateKey key = make_key(wish.is_rsa);
    const X509Handle made = make(wish, key.get(), false);
    TlsCertificate c;
    c.chain = pem_of([&](BIO* out) { return PEM_write_bio_X509(out, made.get()); });
    c.key = pem_of([&](BIO* out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    return c;
  }

 private:
  [[nodiscard]] X509Handle make(const Wish& wish, EVP_PKEY* key, bool is_authority) const {
    static long serial = 1;
    X509Handle made(X509_new());
    X509* x = made.get();
    X509* issuer = is_authority ? x : certificate_.get();
    require(x && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial) == 1, "a certificate");
    X509_gmtime_adj(X509_getm_notBefore(x), long(wish.from_days) * 86'400);
    X509_gmtime_adj(X509_getm_notAfter(x), long(wish.to_days) * 86'400);
    X509_set_pubkey(x, key);
    const auto* name = reinterpret_cast<const unsigned char*>(wish.name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    extend(x, issuer, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wish.alternatives.empty()) extend(x, issuer, NID_subject_alt_name, wish.alternatives);
    if (!wish.comment.empty()) extend(x, issuer, NID_netscape_comment, wish.comment);
    require(X509_sign(x, is_authority ? key : key_.get(), EVP_sha256()) > 0, "a signature");
    return made;
  }

  PrivateKey key_;
  X509Handle certificate_;
};

// What most tests use: one authority that is believed, one that is not, and a certificate of each kind for weir.test.
struct Usual {
  Authority authority{"Authority of tests"};
  Authority stranger{"Authority of nobody"};
  TlsCertificate ecdsa = authority.issue({});
  TlsCertificate rsa = authority.issue({.is_rsa = true});
  TlsCertificate client = authority.issue({.name = "a client, of \xc3\xa4 kind", .alternatives = ""});
  TlsCertificate strange_client = stranger.issue({.name = "a stranger", .alternatives = ""});
};

inline const Usual& usual() {
  static const Usual all;
  return all;
}

inline X509Handle read_certificate(const std::string& pem) {
  BioHandle in(BIO_new_mem_buf(pem.data(), int(pem.size())));
  return X509Handle(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
}

}  // namespace weir::certificates
