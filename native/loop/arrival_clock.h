// When what a turn brings became ready. The kernel keeps no such time cheaply, but it is known when the loop looked last and whether it
// has slept since: what woke it came just now, and what came while it was busy is in the order of its arrival. After longer than a tick
// of the kernel's clock the kernel is asked, which knows in which tick the last bytes of a connection came.
#pragma once
#include <time.h>

#include <algorithm>
#include <cstdint>

#include "loop/io.h"

namespace weir {

class ArrivalClock {
 public:
  // The loop is about to wait for events.
  void going_to_wait(uint64_t us) {
    waits_since_us_ = us;
    has_looked_ = false;
  }
  [[nodiscard]] bool has_looked() const { return has_looked_; }
  // It has waited, and something else than events of ours ended that.
  void waited(uint64_t us) {
    if (us - waits_since_us_ >= kLeastSleepUs) slept_until_us_ = us;
  }
  // It has got `count` events.
  void looked(uint64_t us, unsigned count) {
    has_slept_ = waits_since_us_ == 0 || us - waits_since_us_ >= kLeastSleepUs;
    has_looked_ = true;
    // While it slept nothing can have come without an end of the sleep.
    earliest_us_ = has_slept_ ? last_look_us_ : std::max(last_look_us_, slept_until_us_);
    is_long_ = last_look_us_ != 0 && us - earliest_us_ >= tick_us_;
    from_us_ = has_slept_ || last_look_us_ == 0 ? us : earliest_us_;
    last_look_us_ = us;
    count_ = count;
  }
  // From now on it is about event number `index`, from 0. Arrivals at random are spread evenly over the time that the loop was busy.
  void at(unsigned index) {
    now_us_ = from_us_ == last_look_us_ ? from_us_ : from_us_ + (last_look_us_ - from_us_) * (index + 1) / (count_ + 1);
  }
  // What is done now did not come from the loop.
  void all_came_at(uint64_t us) {
    now_us_ = us;
    is_long_ = false;
  }
  // When the event that is looked at came, which cannot have come before `us`.
  [[nodiscard]] uint64_t came_after(uint64_t us) const {
    return now_us_ > us || last_look_us_ < us ? std::max(now_us_, us) : us + (last_look_us_ - us) / 2;
  }
  // When the bytes that are read from this socket now became ready, in microseconds of the loop's clock.
  [[nodiscard]] uint64_t ready_us(int fd) const { return is_long_ ? by_ticks(fd) : now_us_; }

 private:
  static constexpr uint64_t kLeastSleepUs = 5;

  static uint64_t coarse(int (*read)(clockid_t, timespec*)) {
    timespec ts{};
    read(CLOCK_MONOTONIC_COARSE, &ts);
    return uint64_t(ts.tv_sec) * 1'000'000 + uint64_t(ts.tv_nsec) / 1000;
  }
  [[nodiscard]] uint64_t by_ticks(int fd) const {
    const int64_t ago_us = last_received_us_ago(fd);
    if (ago_us < 0) return now_us_;
    // What ends a sleep came in this tick or the one before. If it is older than that, the process was kept from running.
    if (has_slept_ && uint64_t(ago_us) <= 2 * tick_us_) return now_us_;
    const uint64_t tick = coarse(clock_gettime);
    const uint64_t begin = tick > uint64_t(ago_us) ? tick - uint64_t(ago_us) : 0;
    const uint64_t earliest = std::clamp(begin, earliest_us_, last_look_us_);
    const uint64_t latest = std::clamp(begin + tick_us_, earliest_us_, last_look_us_);
    return earliest + (latest - earliest) / 2;
  }

  uint64_t tick_us_ = std::max<uint64_t>(coarse(clock_getres), 1000);
  uint64_t waits_since_us_ = 0;
  uint64_t last_look_us_ = 0;
  uint64_t from_us_ = 0;
  uint64_t earliest_us_ = 0;
  uint64_t slept_until_us_ = 0;
  uint64_t now_us_ = 0;
  unsigned count_ = 0;
  bool has_slept_ = true;
  bool has_looked_ = true;
  bool is_long_ = false;
};

}  // namespace weir
