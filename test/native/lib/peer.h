// The other end of one of the engine's sockets: a client or a server whose every move is a line of a test.
// Owns     its socket, what it still has to send, and everything that it received.
#pragma once
#include <string>
#include <string_view>

#include "base/fd.h"

namespace weir {

class Peer {
 public:
  Peer() = default;
  explicit Peer(UniqueFd fd) : fd_(std::move(fd)) {}

  // Sends as much as the socket takes now, the rest with later calls of `pump`.
  void send(std::string_view bytes);
  // Sends what is pending, and takes what is there unless `stalled`.
  void pump();
  // One byte of urgent data, behind what was sent.
  void send_urgent(char byte);
  // FIN towards the engine, once everything was sent.
  void half_close();
  // Takes what is there, then closes: an orderly end.
  void close();
  // Closes with a reset, whatever is pending.
  void reset();
  // Small kernel buffers, so that a test need not move megabytes to fill them.
  void shrink_buffers(int bytes);

  // The bare socket, for a test that ends it in a way of its own.
  [[nodiscard]] UniqueFd release() { return std::move(fd_); }

  [[nodiscard]] bool open() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool idle() const { return pending_.empty(); }
  [[nodiscard]] bool got(std::string_view text) const { return received.find(text) != std::string::npos; }

  std::string received;
  std::string sent;      // what the socket took
  bool stalled = false;  // reads nothing
  bool ended = false;    // the engine closed in order (FIN)
  bool broken = false;   // the engine reset, or the socket failed
  bool closed_in_order = false;  // we sent a FIN behind what was sent

 private:
  void flush();
  void take_bytes();

  UniqueFd fd_;
  std::string pending_;
  bool fin_wanted_ = false;
};

}  // namespace weir
