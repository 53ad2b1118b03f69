// How many connections each client address has, over all workers: one table per worker on the board, each written by its worker
// only. A reader adds up what all of them say; it may be one connection behind.
// Owns     nothing; the rows are the board's, so the primary clears those of a dead worker.
// Bound    a fixed number of rows. When one worker has that many addresses at once, further ones are not counted.
#pragma once
#include <cstdint>

#include "stats/board.h"

namespace weir {

class AddressTable {
 public:
  explicit AddressTable(Board& board) : board_(board) {}

  // Names an address at a listener, never 0: all 16 bytes of an IPv4-mapped address, the first 8 of an IPv6 one, because a client
  // has a /64 network (RFC 6177). Keyed with the board's secret, so that nobody can choose addresses that crowd one place.
  [[nodiscard]] uint64_t key_of(const unsigned char (&ip)[16], bool is_v4, unsigned listener) const;

  // Counts one more connection, unless there are `limit` already: false then.
  [[nodiscard]] bool enter(uint64_t key, uint32_t limit);
  void leave(uint64_t key);
  [[nodiscard]] uint32_t count(uint64_t key) const;

 private:
  struct Row {
    std::atomic<uint64_t> key;
    std::atomic<uint32_t> connections;
    uint32_t unused;
  };
  static_assert(sizeof(Row) == 16);
  static constexpr uint32_t kRows = abi::board::addresses;
  static constexpr uint32_t kMostUsed = kRows / 4 * 3;
  static constexpr uint32_t kLeastNew = kRows / 64;  // addresses between two compactions

  [[nodiscard]] Row* rows(unsigned column) const { return reinterpret_cast<Row*>(board_.addresses(column)); }
  [[nodiscard]] Row* find(unsigned column, uint64_t key) const;
  [[nodiscard]] Row* place_for(uint64_t key);
  void compact();

  Board& board_;
  uint32_t used_ = 0;  // rows with a key, also those whose count is back at 0
  uint32_t new_since_compaction_ = 0;
};

}  // namespace weir
