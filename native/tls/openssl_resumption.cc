#include "tls/openssl_resumption.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstring>
#include <span>

namespace weir {

namespace {
constexpr long kLifetimeS = 2 * 3600;

int worker_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

TlsWorker& worker_of(const SSL_CTX* context) { return *static_cast<TlsWorker*>(SSL_CTX_get_ex_data(context, worker_index())); }

bool use_key(const TicketKey& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypts) {
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac), sizeof key.mac),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher, iv, encrypts) == 1 && EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// -1: an error. 0: no such key, so a whole handshake. 1: go on. 2: go on, and give a ticket with the current key.
int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypts) {
  const std::vector<TicketKey>& keys = worker_of(SSL_get_SSL_CTX(ssl)).ticket_keys;
  if (encrypts) {
    if (keys.empty() || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    memcpy(name, keys.front().name, sizeof keys.front().name);
    return use_key(keys.front(), iv, cipher, mac, 1) ? 1 : -1;
  }
  for (const TicketKey& key : keys) {
    if (memcmp(name, key.name, sizeof key.name) != 0) continue;
    if (!use_key(key, iv, cipher, mac, 0)) return -1;
    // A ticket of TLS 1.3 is good for one connection (RFC 8446 C.4): whoever resumes needs the next one.
    return &key == &keys.front() && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
  }
  return 0;
}

std::string_view id_of(const SSL_SESSION* session) {
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  return {reinterpret_cast<const char*>(id), size};
}

// Of TLS 1.3 OpenSSL tells each session, though the client's ticket holds all of it.
int keep(SSL* ssl, SSL_SESSION* session) {
  if (SSL_version(ssl) >= TLS1_3_VERSION && !(SSL_get_options(ssl) & SSL_OP_NO_TICKET)) return 0;
  SessionCache* cache = worker_of(SSL_get_SSL_CTX(ssl)).sessions;
  unsigned char der[SessionCache::kMaxDerBytes];
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (!cache || size <= 0 || size_t(size) > sizeof der) return 0;
  unsigned char* at = der;
  (void)i2d_SSL_SESSION(session, &at);
  (void)cache->put(id_of(session), {reinterpret_cast<char*>(der), size_t(size)}, uint32_t(kLifetimeS));
  OPENSSL_cleanse(der, sizeof der);
  return 0;  // the reference stays OpenSSL's
}

SSL_SESSION* find(SSL* ssl, const unsigned char* id, int size, int* copy) {
  *copy = 0;
  const SessionCache* cache = worker_of(SSL_get_SSL_CTX(ssl)).sessions;
  if (!cache || size <= 0) return nullptr;
  unsigned char der[SessionCache::kMaxDerBytes];
  const size_t found = cache->get({reinterpret_cast<const char*>(id), size_t(size)}, std::span(der));
  const unsigned char* at = der;
  SSL_SESSION* session = found > 0 ? d2i_SSL_SESSION(nullptr, &at, long(found)) : nullptr;
  OPENSSL_cleanse(der, sizeof der);
  return session;
}

void forget(SSL_CTX* context, SSL_SESSION* session) {
  if (SessionCache* cache = worker_of(context).sessions) (void)cache->remove(id_of(session));
}
}  // namespace

// Until the primary has sent keys for all, tickets are this worker's own.
TlsWorker::TlsWorker(const uint64_t& now) : now_us(now) {
  sealed.reserve(kBatch + 4096);
  ticket_keys.resize(1);
  // Without randomness nothing of TLS works: handshakes fail, and say why.
  (void)RAND_bytes(reinterpret_cast<unsigned char*>(ticket_keys.data()), sizeof(TicketKey));
}

void resume_sessions(SSL_CTX* context, TlsWorker& worker, bool with_tickets, std::string_view context_name) {
  SSL_CTX_set_ex_data(context, worker_index(), &worker);
  unsigned char name[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(context_name.data(), context_name.size(), name, &size, EVP_sha256(), nullptr) == 1)
    SSL_CTX_set_session_id_context(context, name, std::min<unsigned>(size, SSL_MAX_SID_CTX_LENGTH));
  SSL_CTX_set_timeout(context, kLifetimeS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep);
  SSL_CTX_sess_set_get_cb(context, find);
  SSL_CTX_sess_set_remove_cb(context, forget);
  if (with_tickets) SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
  else SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
}

}  // namespace weir
