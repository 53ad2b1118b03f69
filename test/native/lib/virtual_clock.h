// Monotonic time that a test moves by hand. Until `freeze` is called, and for every other clock, the kernel answers.
// Why      timeouts of an hour are tested in microseconds, and no test depends on how busy the machine is.
#pragma once
#include <cstdint>

namespace weir::virtual_clock {

void freeze();
void advance_ms(uint64_t ms);
// The kernel's own clock, for deadlines of the tests themselves.
[[nodiscard]] uint64_t real_ms();

}  // namespace weir::virtual_clock
