#include "engine/acceptor.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

namespace weir {

namespace {
constexpr int kAcceptsPerTurn = 32;
constexpr uint64_t kPatienceUs = 2000;
constexpr uint32_t kFullPauseMs = 20;
constexpr uint32_t kNoFdPauseMs = 100;
}  // namespace

bool Acceptor::add(int fd, unsigned listener) {
  auto s = std::make_unique<ListeningSocket>();
  s->kind = kListenerTimer;
  s->fd = fd;
  s->listener = listener;
  s->watched = rt_.loop.watch(fd, {TokenKind::listener, 0, uint32_t(sockets_.size())}, EPOLLIN);
  if (!s->watched) return false;
  sockets_.push_back(std::move(s));
  return true;
}

void Acceptor::on_event(uint32_t index) {
  if (index >= sockets_.size()) return;
  ListeningSocket& s = *sockets_[index];
  for (int i = 0; i < kAcceptsPerTurn && s.watched; ++i) {
    if (full(s)) {
      rt_.count(abi::worker_counter::accept_pauses);
      return pause(s, kFullPauseMs);
    }
    if (!my_turn(s)) return;  // level-triggered: if nobody takes it, the event comes back
    Address peer;
    peer.length = sizeof peer.un;
    UniqueFd fd(::accept4(s.fd, &peer.any, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      forwarder_.accept(std::move(fd), &peer.any, s.listener);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Out of descriptors: connections wait in the kernel's queue until some are free again.
      rt_.count(abi::worker_counter::accept_pauses);
      pause(s, kNoFdPauseMs);
    }
    return;
  }
}

bool Acceptor::full(const ListeningSocket& s) const {
  const ListenerSettings* l = forwarder_.find_listener(s.listener);
  double open = 0;
  for (unsigned w = 0; w < rt_.board.workers(); ++w) open += rt_.board.listener(w, s.listener)[abi::listener_counter::connections];
  return l && open >= l->connections;
}

bool Acceptor::my_turn(ListeningSocket& s) {
  const unsigned me = rt_.board.column();
  const double mine = rt_.board.listener(me, s.listener)[abi::listener_counter::connections];
  double least = mine;
  for (unsigned w = 0; w < rt_.board.workers(); ++w) {
    if (w == me || rt_.board.worker(w)[abi::worker_counter::alive] == 0) continue;
    least = std::min(least, rt_.board.listener(w, s.listener)[abi::listener_counter::connections]);
  }
  if (mine <= least + 2 + least / 16) return true;
  // The one that is behind was woken as well. If it does not come, it is busy, and waiting longer would only cost the client time.
  if (rt_.now_us - s.declined_us > 2 * kPatienceUs) s.declining_since_us = rt_.now_us;
  s.declined_us = rt_.now_us;
  return rt_.now_us - s.declining_since_us >= kPatienceUs;
}

void Acceptor::pause(ListeningSocket& s, uint32_t ms) {
  rt_.loop.unwatch(s.fd);
  s.watched = false;
  rt_.wheel.arm(&s, ms);
}

void Acceptor::on_timer(ListeningSocket& s) {
  const auto at = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& other) { return other.get() == &s; });
  s.watched = rt_.loop.watch(s.fd, {TokenKind::listener, 0, uint32_t(at - sockets_.begin())}, EPOLLIN);
}

void Acceptor::stop() {
  for (const auto& s : sockets_) {
    if (s->watched) rt_.loop.unwatch(s->fd);
    s->watched = false;
    rt_.wheel.cancel(s.get());
    s->fd = -1;
  }
}

}  // namespace weir
