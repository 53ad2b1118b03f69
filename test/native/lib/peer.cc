#include "lib/peer.h"

#include <errno.h>
#include <sys/socket.h>

#include "loop/io.h"

namespace weir {

void Peer::send(std::string_view bytes) {
  if (fin_wanted_ || !open()) return;
  pending_ += bytes;
  flush();
}

void Peer::send_urgent(char byte) {
  if (!fin_wanted_ && open() && idle() && ::send(fd_.get(), &byte, 1, MSG_OOB | MSG_NOSIGNAL | MSG_DONTWAIT) == 1) sent += byte;
}

void Peer::flush() {
  while (open() && !pending_.empty()) {
    const ssize_t n = ::send(fd_.get(), pending_.data(), pending_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
      broken = true;
      pending_.clear();
      return;
    }
    sent.append(pending_, 0, size_t(n));
    pending_.erase(0, size_t(n));
  }
  if (!open() || !fin_wanted_ || closed_in_order) return;
  closed_in_order = !broken && ::shutdown(fd_.get(), SHUT_WR) == 0;
}

void Peer::take_bytes() {
  char bytes[16384];
  while (open() && !ended) {
    const ssize_t n = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0) {
      received.append(bytes, size_t(n));
      continue;
    }
    if (n == 0) ended = true;
    else if (errno != EAGAIN) broken = ended = true;
    return;
  }
}

void Peer::pump() {
  flush();
  if (!stalled) take_bytes();
}

void Peer::half_close() {
  fin_wanted_ = true;
  flush();
}

void Peer::close() {
  if (!open()) return;
  flush();
  take_bytes();
  // What the socket did not take yet was never sent: the engine sees a shorter stream with an orderly end.
  closed_in_order = closed_in_order || !broken;
  fd_.reset();
}

void Peer::reset() {
  if (!open()) return;
  take_bytes();
  reset_on_close(fd_.get());
  int domain = 0;
  socklen_t size = sizeof domain;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size);
  // A unix socket knows no reset: its end looks orderly.
  if (domain == AF_UNIX && !broken) closed_in_order = true;
  fd_.reset();
}

void Peer::shrink_buffers(int bytes) {
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

}  // namespace weir
