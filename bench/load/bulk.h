// What echo.cc and tunnels.cc have agreed on: how a bulk transfer is asked for, and which bytes it consists of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace weir::bench {

// The first byte of a connection says what its server does: kBulk takes requests as below, anything else is echoed.
constexpr char kBulk = 'b';
constexpr char kEcho = 'e';

// As it lies in memory: both ends run on one machine. The answer is `bytes` bytes of the pattern, from its byte `phase` on.
struct BulkRequest {
  char kind = kBulk;
  char unused[3] = {};
  uint32_t phase = 0;  // below kPeriod
  uint64_t bytes = 0;
};
static_assert(sizeof(BulkRequest) == 16);

// A prime: no buffer, page or pipe is a multiple of it, so bytes that are lost, doubled or swapped do not look right.
constexpr size_t kPeriod = 65'521;

// The most that is compared or sent at a time.
constexpr size_t kChunk = 128 * 1024;

// The endless repetition of kPeriod pseudo-random bytes (xorshift32).
class Pattern {
 public:
  Pattern() : bytes_(kPeriod + kChunk, '\0') {
    uint32_t state = 2'463'534'242;
    for (size_t i = 0; i < bytes_.size(); i++) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      bytes_[i] = i < kPeriod ? static_cast<char>(state) : bytes_[i - kPeriod];
    }
  }

  // kChunk bytes of it, from any position on.
  [[nodiscard]] const char* at(uint64_t position) const { return bytes_.data() + position % kPeriod; }

 private:
  std::string bytes_;
};

}  // namespace weir::bench
