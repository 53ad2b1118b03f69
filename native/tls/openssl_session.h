// One TLS connection on OpenSSL, which sees no socket: its records are taken from and given to the calls that read and write.
// Owns     the SSL object, and encrypted bytes that the socket did not take. Borrows the worker's scratch space during a call.
// Bound    pending: the records of one batch of plaintext, or kMostPending of the protocol's own messages; more ends the connection.
#pragma once
#include <memory>
#include <string>

#include "tls/openssl_handles.h"
#include "tls/openssl_worker.h"
#include "tls/session.h"

namespace weir {

class OpenSslSession : public TlsSession {
 public:
  enum class Role : uint8_t { server, client };
  // nullptr: out of memory. The context may be replaced while the session lives: SSL holds on to its own.
  [[nodiscard]] static std::unique_ptr<OpenSslSession> make(SSL_CTX* context, Role role, TlsWorker& worker);
  ~OpenSslSession() override;

  [[nodiscard]] IoResult handshake(int fd) override;
  [[nodiscard]] IoResult read(int fd, char* to, size_t room) override;
  [[nodiscard]] IoResult peek(int fd) override;
  [[nodiscard]] IoResult write(int fd, const iovec* parts, int count) override;
  void end(int fd) override;
  [[nodiscard]] bool has_news() const override { return state_ != State::open; }
  [[nodiscard]] bool holds_bytes() const override { return SSL_has_pending(ssl_.get()) == 1; }
  [[nodiscard]] uint64_t sent() const override { return sent_; }
  [[nodiscard]] uint32_t plain_of(uint32_t sealed) const override;
  [[nodiscard]] std::string why() const override { return why_; }
  [[nodiscard]] bool is_resumed() const override { return SSL_session_reused(ssl_.get()); }
  [[nodiscard]] bool is_challenge() const override { return is_challenge_; }
  [[nodiscard]] const PeerCertificate* peer() const override { return peer_.get(); }

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  // Bytes of memory that hold what the socket did not take.
  [[nodiscard]] size_t memory() const { return pending_.capacity(); }
  void mark_as_challenge() { is_challenge_ = true; }

 private:
  enum class State : uint8_t {
    open,
    ended,   // the peer said close_notify
    cut,     // the connection ended without that
    failed,  // it broke, or what came is no TLS
  };
  static constexpr size_t kMostPending = 128 * 1024;
  // Changes of keys and the like cost a peer little and us much, and one read takes them all: nobody needs so many without a byte of data.
  static constexpr size_t kMostBarren = 256 * 1024;

  OpenSslSession(SslHandle ssl, Role role, TlsWorker& worker) : ssl_(std::move(ssl)), worker_(worker), role_(role) {}

  [[nodiscard]] static BIO_METHOD* bio_method();
  [[nodiscard]] int receive(char* to, int room);
  [[nodiscard]] IoResult::Kind flush(int fd);
  [[nodiscard]] IoResult outcome() const;
  void note_failure(int result);
  void note_peer();
  [[nodiscard]] size_t record_size();
  [[nodiscard]] bool seal(const char* bytes, size_t size);

  SslHandle ssl_;
  TlsWorker& worker_;
  int fd_ = -1;  // of the call that runs
  int error_ = 0;
  State state_ = State::open;
  Role role_;
  bool drained_ = false;  // the socket had no more, in this call
  bool said_end_ = false;
  bool is_ready_ = false;
  bool is_challenge_ = false;
  uint32_t recent_ = 0;   // plaintext sent since the last pause, up to where records have their full size
  uint64_t sent_us_ = 0;
  uint64_t sent_ = 0;
  size_t barren_ = 0;     // encrypted bytes since there was something to read
  size_t owed_ = 0;       // plaintext whose records are in `pending_`: the caller offers it again, and it is skipped
  std::string pending_;
  size_t pending_at_ = 0;
  std::string why_;
  std::unique_ptr<PeerCertificate> peer_;
};

}  // namespace weir
