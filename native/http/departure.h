// Client connections that are to leave, each at its own time within a window, so that they do not all come back at once.
#pragma once
#include <cstdint>

namespace weir {

struct Departure {
  bool is_on = false;
  uint64_t start_us = 0;
  uint32_t spread_ms = 0;  // 0: everybody at once

  [[nodiscard]] uint64_t end_us() const { return start_us + uint64_t(spread_ms) * 1000; }
  // Whether the turn of the connection in this slot has come. Multiplying by 2^32 divided by the golden ratio spaces neighbouring slots
  // evenly over the window (Knuth, The Art of Computer Programming 3, 6.4), however many of them there are.
  [[nodiscard]] bool has_turn(uint32_t slot_index, uint64_t now_us) const {
    if (!is_on) return false;
    const uint64_t turn_ms = uint64_t(spread_ms / 2) * uint32_t(slot_index * 2654435769u) >> 32;
    return now_us >= start_us + turn_ms * 1000;
  }
  // Whether it has had its turn for half of the window and is still here: no request has come that would have told it to leave.
  [[nodiscard]] bool is_overdue(uint32_t slot_index, uint64_t now_us) const {
    const uint64_t patience_us = uint64_t(spread_ms) * 500;
    return now_us >= patience_us && has_turn(slot_index, now_us - patience_us);
  }
  // A further wish can bring the end nearer, never put it off.
  void begin(uint64_t now_us, uint32_t ms) {
    if (is_on && end_us() <= now_us + uint64_t(ms) * 1000) return;
    *this = {true, now_us, ms};
  }
};

}  // namespace weir
