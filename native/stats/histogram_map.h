// Latency histograms on the board, one per phase of each server and each route. The counts of one are given out in blocks, as values
// come: a server that answers within a millisecond needs few of them. Layout of the values as in histogram.h. TypeScript twin:
// src/shared/board/layout.ts.
// Owns     nothing. One writer: the worker whose column it is; one that replaces it goes on where it was.
// Bound    `histogram_blocks` blocks of 512 bytes for all. A value that finds none free is counted as dropped.
#pragma once
#include <cstdint>

#include "stats/board.h"
#include "stats/histogram.h"

namespace weir {

class HistogramMap {
 public:
  explicit HistogramMap(Board& board) : board_(board) {}

  void record_server(unsigned slot, int phase, uint64_t us) { record(slot * unsigned(abi::phase::count) + unsigned(phase), us); }
  void record_route(unsigned row, int phase, uint64_t us) {
    record((unsigned(abi::board::servers) + row) * unsigned(abi::phase::count) + unsigned(phase), us);
  }

 private:
  static constexpr unsigned kBlockCounts = Histogram::kHalf;
  static constexpr unsigned kBlocks = Histogram::kCounts / kBlockCounts;
  struct Series {
    uint64_t count;
    uint64_t sum_us;
    uint16_t blocks[kBlocks];  // 0 is none
    uint16_t unused[3];
  };
  static_assert(sizeof(Series) == abi::board::series_bytes);

  void record(unsigned series, uint64_t us) {
    if (us > Histogram::kMax) us = Histogram::kMax;
    Series& s = reinterpret_cast<Series*>(board_.series(board_.column()))[series];
    const unsigned at = Histogram::index_of(us);
    uint16_t& block = s.blocks[at / kBlockCounts];
    if (block == 0 && !give(block)) return;
    ++reinterpret_cast<uint32_t*>(board_.blocks(board_.column()))[unsigned(block) * kBlockCounts + at % kBlockCounts];
    ++s.count;
    s.sum_us += us;
  }
  // Block 0 is never given out.
  bool give(uint16_t& block) {
    double& used = board_.mine()[abi::worker_counter::histogram_blocks];
    if (used + 1 >= abi::board::histogram_blocks) {
      ++board_.mine()[abi::worker_counter::histogram_dropped];
      return false;
    }
    block = uint16_t(++used);
    return true;
  }

  Board& board_;
};

}  // namespace weir
