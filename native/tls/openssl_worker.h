// What all TLS connections of a worker share: scratch space for records, keys of session tickets, and the cache of sessions.
// Bound    `sealed` holds the records of one write (kBatch of plaintext) and what a handshake says in one step.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tls/openssl_handles.h"
#include "tls/session_cache.h"

namespace weir {

struct TicketKey {
  unsigned char name[16];
  unsigned char cipher[32];  // AES-256-CBC
  unsigned char mac[32];     // HMAC-SHA256
};
static_assert(sizeof(TicketKey) == 80);

struct TlsWorker {
  static constexpr size_t kRecord = 16 * 1024;  // plaintext of the largest record (RFC 8446 5.1)
  static constexpr size_t kBatch = 4 * kRecord;

  std::string sealed;  // what OpenSSL wants to send; empty between calls
  std::unique_ptr<char[]> plain{new char[kRecord]};
  std::vector<TicketKey> ticket_keys;  // the first one encrypts, all decrypt; never empty
  // Authorities by their PEM: many servers have the same, and reading those of a system takes long.
  std::map<std::string, X509StoreHandle> stores;
  SessionCache* sessions = nullptr;    // of TLS 1.2, shared by all workers; none in tests that need none
  const uint64_t& now_us;

  explicit TlsWorker(const uint64_t& now);
  ~TlsWorker() { wipe_keys(); }
  TlsWorker(const TlsWorker&) = delete;
  TlsWorker& operator=(const TlsWorker&) = delete;

  // At least one.
  void use_keys(std::vector<TicketKey>&& keys) {
    wipe_keys();
    ticket_keys = std::move(keys);
  }

 private:
  void wipe_keys() { OPENSSL_cleanse(ticket_keys.data(), ticket_keys.size() * sizeof(TicketKey)); }
};

}  // namespace weir
