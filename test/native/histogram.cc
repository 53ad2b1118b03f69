// The log-linear buckets of the latency histograms.
#include <string>

#include "check.h"
#include "stats/histogram.h"

using namespace weir;

namespace {

unsigned bucket_of(uint64_t us) {
  Histogram h;
  h.record(us);
  for (unsigned i = 0; i < Histogram::kCounts; ++i)
    if (h.counts()[i]) return i;
  return Histogram::kCounts;
}

// Lowest value of a bucket, as TypeScript computes it: the first 256 are exact, then 128 per doubling.
uint64_t lowest(unsigned index) {
  if (index < 2 * Histogram::kHalf) return index;
  const unsigned doubling = index / Histogram::kHalf - 1;
  return uint64_t(index % Histogram::kHalf + Histogram::kHalf) << doubling;
}

}  // namespace

TEST("every value falls into the bucket whose bounds hold it") {
  for (uint64_t us = 0; us < Histogram::kMax; us += 1 + us / 700) {
    const unsigned i = bucket_of(us);
    CHECK(i < Histogram::kCounts);
    CHECK(lowest(i) <= us);
    CHECK(i + 1 == Histogram::kCounts || us < lowest(i + 1));
  }
}

TEST("buckets grow with their values and are at most one percent wide") {
  for (unsigned i = 1; i < Histogram::kCounts; ++i) {
    CHECK_EQ(bucket_of(lowest(i)), i);
    CHECK_EQ(bucket_of(lowest(i) - 1), i - 1);
    if (i + 1 < Histogram::kCounts && i >= Histogram::kSubBuckets) CHECK(double(lowest(i + 1) - lowest(i)) <= 0.01 * double(lowest(i)));
  }
}

TEST("what is longer than the longest counts as the longest") {
  CHECK_EQ(bucket_of(Histogram::kMax), Histogram::kCounts - 1);
  CHECK_EQ(bucket_of(Histogram::kMax + 1), Histogram::kCounts - 1);
  CHECK_EQ(bucket_of(UINT64_MAX), Histogram::kCounts - 1);
  CHECK(Histogram::kMax > 60'000'000u);
  Histogram h;
  for (int i = 0; i < 5; ++i) h.record(uint64_t(i) * 1000);
  CHECK_EQ(h.total(), 5u);
}
