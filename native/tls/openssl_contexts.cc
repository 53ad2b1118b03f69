#include "tls/openssl_contexts.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <climits>
#include <cstring>

#include "tls/openssl_resumption.h"

namespace weir {

namespace {
constexpr int kMaxCertificatesBytes = 64 * 1024;  // of a chain that a peer shows
constexpr int kMaxDepth = 10;

bool fail(std::string& why, const char* what) {
  why = std::string(what) + ": " + take_openssl_error("OpenSSL does not take it");
  return false;
}

BioHandle memory(std::string_view bytes) { return BioHandle(BIO_new_mem_buf(bytes.data(), int(bytes.size()))); }

// A key with a passphrase cannot be asked for one here.
int no_passphrase(char*, int, int, void*) { return 0; }

bool use_chain(SSL_CTX* context, const std::string& pem, std::string& why) {
  const BioHandle in = memory(pem);
  X509Handle leaf(in ? PEM_read_bio_X509_AUX(in.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return fail(why, "the certificate");
  // Of this leaf alone: a context has a chain for each kind of key.
  SSL_CTX_clear_chain_certs(context);
  for (;;) {
    X509Handle next(PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr));
    if (!next) break;
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) return fail(why, "the chain of the certificate");
    (void)next.release();
  }
  const unsigned long end = ERR_peek_last_error();
  if (end != 0 && !(ERR_GET_LIB(end) == ERR_LIB_PEM && ERR_GET_REASON(end) == PEM_R_NO_START_LINE)) return fail(why, "the chain of the certificate");
  ERR_clear_error();
  return true;
}

bool use_certificate(SSL_CTX* context, const TlsCertificate& certificate, std::string& why) {
  if (!use_chain(context, certificate.chain, why)) return false;
  const BioHandle in = memory(certificate.key);
  PrivateKey key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!key) return fail(why, "the key");
  // A set may hold another certificate, which OpenSSL would take the key for.
  const bool belongs = X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) == 1;
  if (!belongs || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return fail(why, "the key does not belong to the certificate");
  return true;
}

bool trust(X509_STORE* store, const std::string& pem, STACK_OF(X509_NAME)* names, std::string& why) {
  const BioHandle in = memory(pem);
  unsigned count = 0;
  for (; in; ++count) {
    X509Handle authority(PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr));
    if (!authority) break;
    if (X509_STORE_add_cert(store, authority.get()) != 1) return fail(why, "an authority");
    if (!names) continue;
    X509_NAME* name = X509_NAME_dup(X509_get_subject_name(authority.get()));
    if (!name || !sk_X509_NAME_push(names, name)) return X509_NAME_free(name), fail(why, "an authority");
  }
  ERR_clear_error();
  if (count > 0) return true;
  why = "no authority is there to believe: its file holds no certificate";
  return false;
}

// The store of these authorities, read once.
X509_STORE* store_of(TlsWorker& worker, const std::string& pem, std::string& why) {
  constexpr size_t kMostStores = 16;
  const auto known = worker.stores.find(pem);
  if (known != worker.stores.end()) return known->second.get();
  X509StoreHandle store(X509_STORE_new());
  if (!store || !trust(store.get(), pem, nullptr, why)) return nullptr;
  // Contexts hold on to those that they use.
  if (worker.stores.size() >= kMostStores) worker.stores.clear();
  return worker.stores.emplace(pem, std::move(store)).first->second.get();
}

bool limit(SSL_CTX* context, const TlsBounds& b, std::string& why) {
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // One read takes a record's head and body together, and what is behind it.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_max_cert_list(context, kMaxCertificatesBytes);
  if (SSL_CTX_set_min_proto_version(context, b.min_version) != 1 || SSL_CTX_set_max_proto_version(context, b.max_version) != 1)
    return fail(why, "the versions");
  if (!b.ciphers.empty() && SSL_CTX_set_cipher_list(context, b.ciphers.c_str()) != 1) return fail(why, "the ciphers");
  if (!b.cipher_suites.empty() && SSL_CTX_set_ciphersuites(context, b.cipher_suites.c_str()) != 1) return fail(why, "the cipher suites");
  if (!b.groups.empty() && SSL_CTX_set1_groups_list(context, b.groups.c_str()) != 1) return fail(why, "the groups");
  return true;
}

// What the server speaks, in its order; a client that offers only others is told so (RFC 7301 3.2).
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned size, void* ours) {
  const std::string& wanted = *static_cast<const std::string*>(ours);
  unsigned char* chosen = nullptr;
  const auto* list = reinterpret_cast<const unsigned char*>(wanted.data());
  if (SSL_select_next_proto(&chosen, out_size, list, unsigned(wanted.size()), offered, size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Lives as long as the context.
void speak(SSL_CTX* context, const std::vector<std::string>& protocols) {
  if (protocols.empty()) return;
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                     [](void*, void* list, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(list); });
  auto list = std::make_unique<std::string>();
  for (const std::string& p : protocols) {
    if (p.empty() || p.size() > 255) continue;
    list->push_back(char(p.size()));
    list->append(p);
  }
  std::string* raw = list.release();
  SSL_CTX_set_ex_data(context, kIndex, raw);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, raw);
}

int staple_index() {
  static const int kIndex = X509_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                  [](void*, void* bytes, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(bytes); });
  return kIndex;
}

// One response per kind of key: the certificate that was chosen tells which.
int staple(SSL* ssl, void*) {
  X509* leaf = SSL_get_certificate(ssl);
  auto* response = leaf ? static_cast<std::string*>(X509_get_ex_data(leaf, staple_index())) : nullptr;
  if (!response) return SSL_TLSEXT_ERR_NOACK;
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(response->data(), response->size()));
  if (!copy) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, long(response->size()));
  return SSL_TLSEXT_ERR_OK;
}

void keep_staple(SSL_CTX* context, const std::string& response) {
  X509* leaf = SSL_CTX_get0_certificate(context);
  if (!leaf || response.empty() || response.size() > INT_MAX) return;
  X509_set_ex_data(leaf, staple_index(), new std::string(response));
  SSL_CTX_set_tlsext_status_cb(context, staple);
}

// A certificate that is not shown is allowed where it is only asked for; one that is not to be believed never is.
bool ask_clients(SSL_CTX* context, const TlsServerOptions& o, std::string& why) {
  if (o.client_auth == abi::client_auth::off) return true;
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  const bool good = names && trust(SSL_CTX_get_cert_store(context), o.client_ca, names, why);
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (o.client_auth == abi::client_auth::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_verify_depth(context, kMaxDepth);
  return good;
}

int understand_name(SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; }

SslContext plain_server_context(const TlsBounds& bounds, std::string& why) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(why, "a context"), nullptr;
  if (!limit(context.get(), bounds, why)) return nullptr;
  // Says to clients that their name was understood; which certificate it means was decided before.
  SSL_CTX_set_tlsext_servername_callback(context.get(), understand_name);
  return context;
}

}  // namespace

SslContext server_context(TlsWorker& worker, const TlsServerOptions& o, const std::vector<TlsCertificate>& set, std::string& why) {
  ERR_clear_error();
  SslContext context = plain_server_context(o.bounds, why);
  if (!context) return nullptr;
  for (const TlsCertificate& certificate : set) {
    if (!use_certificate(context.get(), certificate, why)) return nullptr;
    keep_staple(context.get(), certificate.ocsp);
  }
  speak(context.get(), o.alpn);
  if (!ask_clients(context.get(), o, why)) return nullptr;
  resume_sessions(context.get(), worker, o.tickets, o.session_context);
  return context;
}

SslContext challenge_context(TlsWorker& worker, const TlsCertificate& certificate, std::string& why) {
  ERR_clear_error();
  SslContext context = plain_server_context({}, why);
  if (!context || !use_certificate(context.get(), certificate, why)) return nullptr;
  speak(context.get(), {"acme-tls/1"});
  resume_sessions(context.get(), worker, false, {});
  return context;
}

SslContext client_context(TlsWorker& worker, const TlsClientOptions& o, std::string& why) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(why, "a context"), nullptr;
  if (!limit(context.get(), o.bounds, why)) return nullptr;
  X509_STORE* store = o.verify ? store_of(worker, o.ca, why) : nullptr;
  if (o.verify && !store) return nullptr;
  if (store) SSL_CTX_set1_cert_store(context.get(), store);
  SSL_CTX_set_verify(context.get(), o.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_verify_depth(context.get(), kMaxDepth);
  if (o.has_certificate && !use_certificate(context.get(), o.certificate, why)) return nullptr;
  return context;
}

}  // namespace weir
