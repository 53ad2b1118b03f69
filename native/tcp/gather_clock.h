// Wakes a worker once, a little later: how long bulk may gather in its socket.
// Owns     a timerfd, which the loop watches. Where the kernel gives none, nothing ever gathers.
#pragma once
#include <sys/timerfd.h>

#include "base/fd.h"
#include "loop/loop.h"

namespace weir {

class GatherClock {
 public:
  explicit GatherClock(Loop& loop) : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    // An edge comes with each expiry, so it need never be read.
    if (fd_.valid() && !loop.watch(fd_.get(), {TokenKind::gather_clock, 0, 0}, EPOLLIN | EPOLLET)) fd_.reset();
  }

  // False when there is no such clock. Nothing happens while it runs already.
  [[nodiscard]] bool start() {
    if (runs_) return true;
    const itimerspec once{{0, 0}, {0, kNs}};
    runs_ = fd_.valid() && ::timerfd_settime(fd_.get(), 0, &once, nullptr) == 0;
    return runs_;
  }
  void rang() { runs_ = false; }

 private:
  static constexpr long kNs = 1'000'000;

  UniqueFd fd_;
  bool runs_ = false;
};

}  // namespace weir
