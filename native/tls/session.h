// What the engine knows of TLS: a session on a connection, and the two that begin sessions. Nothing here or above knows OpenSSL;
// openssl_*.cc has it.
// Caller   gives the socket with each call; a session owns none.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "loop/io.h"

namespace weir {

// Of a verified client certificate.
struct PeerCertificate {
  std::string subject;      // RFC 4514
  std::string fingerprint;  // SHA-256 of the certificate, lower-case hex
};

class TlsSession {
 public:
  virtual ~TlsSession() = default;

  // Goes on with the handshake. ok: it is complete. would_block: the socket has no more, or takes no more. Else it failed: see why().
  [[nodiscard]] virtual IoResult handshake(int fd) = 0;
  // Fills the room as far as bytes are there. closed with `cut`: the connection ended without a close_notify, so what came may be
  // less than what was sent (RFC 8446 6.1).
  [[nodiscard]] virtual IoResult read(int fd, char* to, size_t room) = 0;
  // Reads one byte that the next read brings again.
  [[nodiscard]] virtual IoResult peek(int fd) = 0;
  // What is written is what the kernel has taken, encrypted. The rest has to be offered again, the same bytes first: their records may
  // be made already.
  [[nodiscard]] virtual IoResult write(int fd, const iovec* parts, int count) = 0;
  // Says that we send no more (close_notify), as far as the socket takes it. Once.
  virtual void end(int fd) = 0;

  // After a read that did not fill its room: whether there is news all the same (an end, an error) that the socket will not announce.
  [[nodiscard]] virtual bool has_news() const = 0;
  // Whether bytes that came are here and not in the socket any more: no edge will tell of them.
  [[nodiscard]] virtual bool holds_bytes() const = 0;
  // Encrypted bytes that the kernel has taken.
  [[nodiscard]] virtual uint64_t sent() const = 0;
  // How many bytes, in records as large as they may be, fill so many encrypted ones.
  [[nodiscard]] virtual uint32_t plain_of(uint32_t sealed) const = 0;
  // Why the handshake failed, in words; never empty then.
  [[nodiscard]] virtual std::string why() const = 0;
  [[nodiscard]] virtual bool is_resumed() const = 0;
  // It is a validation of a certificate authority (RFC 8737), and no connection to forward.
  [[nodiscard]] virtual bool is_challenge() const { return false; }
  // nullptr where none was shown.
  [[nodiscard]] virtual const PeerCertificate* peer() const { return nullptr; }
};

// Ends TLS for a listener. Immutable; one that is replaced lives on for the handshakes that it began.
class TlsServer {
 public:
  virtual ~TlsServer() = default;
  // nullptr: no certificate is there for this name, and unknown names are refused.
  [[nodiscard]] virtual std::unique_ptr<TlsSession> open(std::string_view server_name, std::string_view alpn) = 0;
  [[nodiscard]] virtual uint32_t handshake_ms() const = 0;
};

// Speaks TLS to one server, and remembers its latest session to resume it.
class TlsClient {
 public:
  virtual ~TlsClient() = default;
  // nullptr: out of memory.
  [[nodiscard]] virtual std::unique_ptr<TlsSession> open() = 0;
};

}  // namespace weir
