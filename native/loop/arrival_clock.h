// When what a turn brings became ready. The kernel keeps no such time cheaply, but it is known when the loop looked last and whether it
// has slept since: what woke it came just now, and what came while it was busy is in the order of its arrival. A loop that was stopped
// or blocked for long asks the kernel, whose clock for that is coarse.
#pragma once
#include <cstdint>

#include "loop/io.h"

namespace weir {

class ArrivalClock {
 public:
  // The loop is about to wait for events.
  void going_to_wait(uint64_t us) { waits_since_us_ = us; }
  // It has got `count` events.
  void looked(uint64_t us, unsigned count) {
    const bool has_slept = waits_since_us_ == 0 || us - waits_since_us_ >= kLeastSleepUs;
    is_long_ = last_look_us_ != 0 && us - last_look_us_ >= kLongUs;
    from_us_ = has_slept || last_look_us_ == 0 ? us : last_look_us_;
    earliest_us_ = last_look_us_;
    last_look_us_ = us;
    count_ = count;
  }
  // From now on it is about event number `index`, from 0. Arrivals at random are spread evenly over the time that the loop was busy.
  void at(unsigned index) { now_us_ = from_us_ + (last_look_us_ - from_us_) * (index + 1) / (count_ + 1); }
  // What is done now did not come from the loop.
  void all_came_at(uint64_t us) {
    now_us_ = us;
    is_long_ = false;
  }
  // When the event that is looked at came.
  [[nodiscard]] uint64_t came_us() const { return now_us_; }
  // When the bytes that are read from this socket now became ready, in microseconds of the loop's clock.
  [[nodiscard]] uint64_t ready_us(int fd) const {
    if (!is_long_) return now_us_;
    const int64_t ago_us = last_received_us_ago(fd);
    if (ago_us < int64_t(kLongUs)) return now_us_;
    const uint64_t then = last_look_us_ > uint64_t(ago_us) ? last_look_us_ - uint64_t(ago_us) : 0;
    return then > earliest_us_ ? then : earliest_us_;
  }

 private:
  static constexpr uint64_t kLeastSleepUs = 5;
  // The kernel counts these times in ticks of up to 10 ms.
  static constexpr uint64_t kLongUs = 12'000;
  uint64_t waits_since_us_ = 0;
  uint64_t last_look_us_ = 0;
  uint64_t from_us_ = 0;
  uint64_t earliest_us_ = 0;
  uint64_t now_us_ = 0;
  unsigned count_ = 0;
  bool is_long_ = false;
};

}  // namespace weir
