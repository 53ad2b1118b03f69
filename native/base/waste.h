// A slow-down that is planted on purpose: the test of the benchmark guard builds with it, and the guard must find it. Without
// WEIR_WASTE_NS, which no ordinary build sets, there is no code at all.
#pragma once
#include <cstdint>

#ifdef WEIR_WASTE_NS
#include <ctime>
#endif

namespace weir {

#ifndef WEIR_WASTE_NS

inline void waste() {}

#elif defined(WEIR_WASTE_IS_COUNTED)

// Where instructions are counted a clock would make every run another one: one step stands for a nanosecond.
inline void waste() {
  for (uint32_t i = 0; i < uint32_t(WEIR_WASTE_NS); ++i) asm volatile("");
}

#else

inline uint64_t waste_clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

inline void waste() {
  for (const uint64_t until = waste_clock_ns() + uint64_t(WEIR_WASTE_NS); waste_clock_ns() < until;) {
  }
}

#endif

}  // namespace weir
