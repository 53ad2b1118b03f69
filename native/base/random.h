// Fast random numbers for ids and jitter (xoshiro256**, Blackman and Vigna 2018), seeded by the kernel. Not for secrets.
#pragma once
#include <sys/random.h>

#include <bit>
#include <cstdint>

namespace weir {

class Random {
 public:
  Random() {
    if (::getrandom(s_, sizeof s_, 0) != sizeof s_) s_[0] = 0x9e3779b97f4a7c15u;
  }
  uint64_t next() {
    const uint64_t result = std::rotl(s_[1] * 5, 7) * 9, t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = std::rotl(s_[3], 45);
    return result;
  }
  // 32 hexadecimal digits: 128 bits.
  void hex32(char* out) {
    static const char digits[] = "0123456789abcdef";
    for (int half = 0; half < 2; ++half) {
      uint64_t v = next();
      for (int i = 0; i < 16; ++i, v >>= 4) *out++ = digits[v & 15];
    }
  }

 private:
  uint64_t s_[4] = {1, 2, 3, 4};
};

}  // namespace weir
