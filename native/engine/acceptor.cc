#include "engine/acceptor.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "loop/listening_socket.h"

namespace weir {

namespace {
constexpr int kAcceptsPerTurn = 32;
constexpr uint32_t kPatienceMs = 6;
constexpr uint32_t kMaxAllowance = 32;
constexpr uint32_t kFullPauseMs = 20;
constexpr uint32_t kNoFdPauseMs = 100;
}  // namespace

Acceptor::Acceptor(Runtime& rt, Arrivals& arrivals, Forwarder& forwarder, const Tunnels& tunnels)
    : rt_(rt), arrivals_(arrivals), forwarder_(forwarder), tunnels_(tunnels) {
  // A client that is accepted with the last descriptor could not be served: there would be none for its server. An eighth is kept
  // back for that, and a few for Node itself.
  constexpr uint64_t kOwn = 48;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const uint64_t all = uint64_t(limit.rlim_cur);
  descriptors_ = all > 2 * kOwn ? all - kOwn - all / 8 : kOwn;
}

bool Acceptor::add(int fd, unsigned listener, uint16_t port) {
  ListeningSocket* s = find(fd);
  const bool is_new = !s;
  if (is_new) {
    prepare_to_accept(fd);
    // Places are used again: reloads may come and go for ever.
    s = find(-1);
    if (!s) s = sockets_.emplace_back(std::make_unique<ListeningSocket>()).get();
    *s = ListeningSocket();
    s->kind = kListenerTimer;
  }
  s->listener = listener;
  s->port = port;
  if (!is_new) return true;
  s->fd = fd;
  resume(*s);
  if (!s->watched) s->fd = -1;
  return s->watched;
}

ListeningSocket* Acceptor::find(int fd) const {
  for (const auto& s : sockets_)
    if (s->fd == fd) return s.get();
  return nullptr;
}

void Acceptor::remove(int fd) {
  if (fd < 0) return;
  if (ListeningSocket* s = find(fd)) close(*s);
  else ::close(fd);
}

void Acceptor::close(ListeningSocket& s) {
  if (s.watched) rt_.loop.unwatch(s.fd);
  s.watched = false;
  rt_.wheel.cancel(&s);
  // The last worker that closes it makes the kernel refuse connections, instead of queueing them for nobody.
  ::close(s.fd);
  s.fd = -1;
}

void Acceptor::on_event(uint32_t index) {
  if (index >= sockets_.size()) return;
  ListeningSocket& s = *sockets_[index];
  for (int i = 0; i < kAcceptsPerTurn && s.watched; ++i) {
    if (full(s)) {
      rt_.count(abi::worker_counter::accept_pauses);
      s.exhausted = true;
      return pause(s, kFullPauseMs);
    }
    if (const int other = better_placed(s); other >= 0) {
      if (s.allowance == 0) {
        wake(unsigned(other));
        return pause(s, kPatienceMs);
      }
      --s.allowance;
    } else {
      s.allowance = 0;
      s.next_allowance = 1;
    }
    Address peer;
    peer.length = sizeof peer.un;
    UniqueFd fd(::accept4(s.fd, &peer.any, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      arrivals_.take(std::move(fd), &peer.any, s.listener, s.port);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Out of descriptors: connections wait in the kernel's queue until some are free again.
      rt_.count(abi::worker_counter::accept_pauses);
      s.exhausted = true;
      pause(s, kNoFdPauseMs);
    }
    return;
  }
}

bool Acceptor::full(const ListeningSocket& s) const {
  const uint64_t used = arrivals_.arrivals.live() + forwarder_.clients.live() + forwarder_.upstream_connections() + 2 * (tunnels_.tunnels.live() + rt_.pipes.lent());
  if (used >= descriptors_) return true;
  const ListenerSettings* l = forwarder_.find_listener(s.listener);
  double open = 0;
  for (unsigned w = 0; w < rt_.board.workers(); ++w) open += rt_.board.listener(w, s.listener)[abi::listener_counter::connections];
  return l && open >= l->connections;
}

int Acceptor::better_placed(const ListeningSocket& s) const {
  if (wakers_.empty()) return -1;
  const unsigned me = rt_.board.column();
  const double mine = rt_.board.listener(me, s.listener)[abi::listener_counter::connections];
  double least = mine;
  int other = -1;
  for (unsigned w = 0; w < rt_.board.workers(); ++w) {
    if (w == me || rt_.board.worker(w)[abi::worker_counter::alive] == 0) continue;
    const double theirs = rt_.board.listener(w, s.listener)[abi::listener_counter::connections];
    if (theirs >= least) continue;
    least = theirs;
    other = int(w);
  }
  // A little ahead does not matter, and handing over costs two system calls.
  return mine > least + 1 + least / 32 ? other : -1;
}

bool Acceptor::use_wakers(const std::vector<int>& fds) {
  wakers_ = fds;
  const unsigned me = rt_.board.column();
  return me < fds.size() && rt_.loop.watch(fds[me], {TokenKind::waker, 0, 0}, EPOLLIN);
}

void Acceptor::wake(unsigned column) const {
  const uint64_t one = 1;
  if (column < wakers_.size()) (void)!::write(wakers_[column], &one, sizeof one);
}

void Acceptor::on_wake() {
  uint64_t count;
  (void)!::read(wakers_[rt_.board.column()], &count, sizeof count);
  for (const auto& s : sockets_)
    if (!s->watched && s->fd >= 0 && !s->exhausted) resume(*s);
}

void Acceptor::resume(ListeningSocket& s) {
  rt_.wheel.cancel(&s);
  const auto at = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& other) { return other.get() == &s; });
  s.exhausted = false;
  s.watched = rt_.loop.watch(s.fd, {TokenKind::listener, 0, uint32_t(at - sockets_.begin())}, EPOLLIN);
}

void Acceptor::pause(ListeningSocket& s, uint32_t ms) {
  rt_.loop.unwatch(s.fd);
  s.watched = false;
  rt_.wheel.arm(&s, ms);
}

void Acceptor::on_timer(ListeningSocket& s) {
  if (!s.exhausted) {
    // Nobody woke us: whoever was better placed may be stuck.
    s.allowance = s.next_allowance;
    s.next_allowance = std::min(s.next_allowance * 2, kMaxAllowance);
  }
  resume(s);
}

void Acceptor::stop() {
  // Others must not leave connections to us any more.
  rt_.board.mine()[abi::worker_counter::alive] = 0;
  for (const auto& s : sockets_)
    if (s->fd >= 0) close(*s);
}

}  // namespace weir
