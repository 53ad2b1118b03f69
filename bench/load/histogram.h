// Counts durations in log-linear buckets: 128 per power of two, so a reported value is at most 0.8 % off.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace weir::bench {

class Histogram {
 public:
  // Negative durations count as zero, anything above 2^41 ns (36 minutes) as the last bucket.
  void record(int64_t ns) {
    const uint64_t value = ns < 0 ? 0 : static_cast<uint64_t>(ns);
    counts_[std::min(bucket_of(value), counts_.size() - 1)]++;
    total_++;
    max_ = std::max(max_, value);
  }

  // The middle of the bucket in which the share (0 to 1) of all durations is reached, in ns.
  [[nodiscard]] double quantile(double share) const {
    const double wanted = share * static_cast<double>(total_);
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < counts_.size(); bucket++) {
      seen += counts_[bucket];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(middle_of(bucket), static_cast<double>(max_));
    }
    return static_cast<double>(max_);
  }

  [[nodiscard]] uint64_t max() const { return max_; }

 private:
  static constexpr int kBits = 7;
  static constexpr size_t kLinear = size_t{1} << kBits;

  static size_t bucket_of(uint64_t value) {
    if (value < kLinear) return static_cast<size_t>(value);
    const int shift = std::bit_width(value) - 1 - kBits;
    return (static_cast<size_t>(shift) + 1) * kLinear + static_cast<size_t>((value >> shift) - kLinear);
  }

  static double middle_of(size_t bucket) {
    if (bucket < kLinear) return static_cast<double>(bucket);
    const size_t shift = bucket / kLinear - 1;
    const uint64_t width = uint64_t{1} << shift;
    return static_cast<double>((bucket % kLinear + kLinear) * width) + static_cast<double>(width) / 2;
  }

  std::array<uint64_t, 36 * kLinear> counts_{};
  uint64_t total_ = 0;
  uint64_t max_ = 0;
};

}  // namespace weir::bench
