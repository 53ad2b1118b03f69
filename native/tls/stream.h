// A connection's bytes: a socket, with or without TLS on it. The one transport that exchanges, tunnels and connections to servers use.
// Owns     the socket and the session.
#pragma once
#include <sys/socket.h>

#include <memory>
#include <utility>

#include "base/fd.h"
#include "loop/io.h"
#include "tls/session.h"

namespace weir {

class Stream {
 public:
  Stream() = default;
  explicit Stream(UniqueFd fd) : fd_(std::move(fd)) {}
  Stream(UniqueFd fd, std::unique_ptr<TlsSession> tls) : fd_(std::move(fd)), tls_(std::move(tls)) {}

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  // Its bytes are the socket's own: they may be spliced.
  [[nodiscard]] bool is_plain() const { return !tls_; }
  [[nodiscard]] TlsSession* tls() const { return tls_.get(); }
  // What follows is encrypted.
  void begin_tls(std::unique_ptr<TlsSession> session) { tls_ = std::move(session); }

  [[nodiscard]] IoResult read(char* to, size_t room) const { return tls_ ? tls_->read(fd(), to, room) : read_some(fd(), to, room); }
  [[nodiscard]] IoResult write(const iovec* parts, int count) const {
    return tls_ ? tls_->write(fd(), parts, count) : write_some(fd(), parts, count);
  }
  // Whether bytes or an end are there to be read; takes nothing.
  [[nodiscard]] IoResult peek() const {
    if (tls_) return tls_->peek(fd());
    char byte;
    return peek_some(fd(), &byte, 1);
  }
  // How many bytes to write at once so that they leave in full segments; see piece_to_send.
  [[nodiscard]] uint32_t piece() const {
    const uint32_t segments = piece_to_send(fd());
    return tls_ ? tls_->plain_of(segments) : segments;
  }
  // Bytes, or an end, are here that no edge of the socket tells of.
  [[nodiscard]] bool holds_bytes() const { return tls_ && (tls_->holds_bytes() || tls_->has_news()); }
  // A read that did not fill its room has left nothing behind: the next edge is to be waited for.
  [[nodiscard]] bool was_emptied_by(const IoResult& r, size_t room) const { return r.bytes < room && !(tls_ && tls_->has_news()); }

  // We send no more; what comes is still read.
  void end_output() const {
    if (tls_) tls_->end(fd());
    ::shutdown(fd(), SHUT_WR);
  }
  // The same without the word of TLS that it was all.
  void cut_output() const { ::shutdown(fd(), SHUT_WR); }
  // Without a word, so that whoever expects more knows that it was cut off.
  void close() {
    tls_.reset();
    fd_.reset();
  }
  void close_in_order() {
    if (tls_) tls_->end(fd());
    close();
  }

 private:
  UniqueFd fd_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace weir
