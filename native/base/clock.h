// Monotonic time. The engine reads it once per batch and passes it on; nothing else asks the kernel.
#pragma once
#include <time.h>

#include <cstdint>

namespace weir {

inline uint64_t monotonic_us() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return uint64_t(ts.tv_sec) * 1'000'000 + uint64_t(ts.tv_nsec) / 1000;
}

}  // namespace weir
