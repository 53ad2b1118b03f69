// Latencies in microseconds, in HdrHistogram's log-linear layout: 2 significant digits, 1 us to over 60 s (Tene, HdrHistogram).
// Plain memory that TypeScript reads; `record` is a few instructions.
#pragma once
#include <bit>
#include <cstdint>

namespace weir {

class Histogram {
 public:
  static constexpr unsigned kSubBuckets = 256;                    // 2 significant digits
  static constexpr unsigned kHalf = kSubBuckets / 2;
  static constexpr unsigned kBuckets = 20;                        // 256 us << 19 > 60 s
  static constexpr unsigned kCounts = (kBuckets + 1) * kHalf;
  static constexpr uint64_t kMax = (uint64_t(kSubBuckets) << (kBuckets - 1)) - 1;

  // Where a value of at most kMax is counted.
  [[nodiscard]] static unsigned index_of(uint64_t us) {
    // The bucket is how many bits the value has beyond those that the sub-buckets tell apart.
    const unsigned bucket = unsigned(std::bit_width(us | (kSubBuckets - 1))) - 8;
    return (bucket + 1) * kHalf + unsigned(us >> bucket) - kHalf;
  }

  void record(uint64_t us) {
    ++counts_[index_of(us < kMax ? us : kMax)];
    ++total_;
  }
  [[nodiscard]] const uint32_t* counts() const { return counts_; }
  [[nodiscard]] uint64_t total() const { return total_; }

 private:
  uint64_t total_ = 0;
  uint32_t counts_[kCounts] = {};
};

}  // namespace weir
