#include "lib/virtual_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace {
bool frozen = false;
uint64_t frozen_us = 0;

int ask_kernel(clockid_t id, timespec* to) { return static_cast<int>(::syscall(SYS_clock_gettime, id, to)); }
}  // namespace

// Takes the place of the C library's function in the whole program: the engine needs no hook for it.
extern "C" int clock_gettime(clockid_t id, timespec* to) noexcept {
  if (id != CLOCK_MONOTONIC || !frozen) return ask_kernel(id, to);
  to->tv_sec = static_cast<time_t>(frozen_us / 1'000'000);
  to->tv_nsec = static_cast<long>(frozen_us % 1'000'000 * 1000);
  return 0;
}

namespace weir::virtual_clock {

void freeze() {
  timespec now{};
  ask_kernel(CLOCK_MONOTONIC, &now);
  // Never backwards: a wheel that was made earlier must not see time run back.
  const uint64_t real_us = uint64_t(now.tv_sec) * 1'000'000 + uint64_t(now.tv_nsec) / 1000;
  if (!frozen) frozen_us = real_us;
  frozen = true;
}

void advance_ms(uint64_t ms) { frozen_us += ms * 1000; }

uint64_t real_ms() {
  timespec now{};
  ask_kernel(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1000 + uint64_t(now.tv_nsec) / 1'000'000;
}

}  // namespace weir::virtual_clock
