// The epoll set of one worker. Its own fd is watched by libuv, so sockets never pass through libuv's tables.
// Owns     the epoll fd. Watched fds belong to others: closing one takes it out of the set.
// Note     everything is edge-triggered and armed once for both directions: no epoll_ctl per request. Listeners are level-triggered.
#pragma once
#include <sys/epoll.h>

#include <cstdint>

#include "base/fd.h"

namespace weir {

// What an event belongs to: 4 bits of kind, 28 of generation, 32 of slab index. A stale event finds no object.
enum class TokenKind : uint8_t { listener, waker, client, upstream, tunnel_client, tunnel_server, arrival, gather_clock };

struct Token {
  TokenKind kind;
  uint32_t generation;
  uint32_t index;
  [[nodiscard]] uint64_t pack() const { return uint64_t(kind) << 60 | uint64_t(generation & 0x0fffffffu) << 32 | index; }
  [[nodiscard]] static Token unpack(uint64_t v) { return {TokenKind(v >> 60), uint32_t(v >> 32) & 0x0fffffffu, uint32_t(v)}; }
};

class Loop {
 public:
  static constexpr int kBatch = 256;
  static constexpr uint32_t kStream = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

  Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  [[nodiscard]] bool valid() const { return epoll_.valid(); }
  [[nodiscard]] int fd() const { return epoll_.get(); }

  [[nodiscard]] bool watch(int fd, Token token, uint32_t events) {
    epoll_event e{};
    e.events = events;
    e.data.u64 = token.pack();
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e) == 0;
  }
  // For a socket that changes hands, e.g. a connection that becomes a tunnel. Re-arms the edge: current readiness is reported again.
  [[nodiscard]] bool rewatch(int fd, Token token, uint32_t events) {
    epoll_event e{};
    e.events = events;
    e.data.u64 = token.pack();
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &e) == 0;
  }
  void unwatch(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  [[nodiscard]] int wait(epoll_event* out, int timeout_ms) { return ::epoll_wait(epoll_.get(), out, kBatch, timeout_ms); }

 private:
  UniqueFd epoll_;
};

}  // namespace weir
