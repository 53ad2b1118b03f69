#include "stats/address_table.h"

#include <cstring>
#include <utility>
#include <vector>

namespace weir {

namespace {

uint64_t mix(uint64_t x) {
  // Finalizer of SplitMix64 (Steele, Lea and Flood, 2014): a bijection, so that two IPv6 networks of one listener never meet.
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

}  // namespace

uint64_t AddressTable::key_of(const unsigned char (&ip)[16], bool is_v4, unsigned listener) const {
  uint64_t part = 0;
  if (is_v4) {
    uint32_t v4;
    memcpy(&v4, ip + 12, sizeof v4);
    part = uint64_t(v4) | uint64_t(1) << 32;
  } else {
    memcpy(&part, ip, sizeof part);
  }
  const uint64_t key = mix(part + mix(board_.secret() ^ (uint64_t(is_v4) << 32 | listener)));
  return key ? key : 1;
}

AddressTable::Row* AddressTable::find(unsigned column, uint64_t key) const {
  Row* all = rows(column);
  for (uint32_t i = uint32_t(key) % kRows, looked = 0; looked < kRows; i = (i + 1) % kRows, ++looked) {
    const uint64_t there = all[i].key.load(std::memory_order_relaxed);
    if (there == key) return &all[i];
    if (there == 0) return nullptr;
  }
  return nullptr;
}

uint32_t AddressTable::count(uint64_t key) const {
  uint32_t sum = 0;
  for (unsigned w = 0; w < board_.workers(); ++w)
    if (const Row* r = find(w, key)) sum += r->connections.load(std::memory_order_relaxed);
  return sum;
}

bool AddressTable::enter(uint64_t key, uint32_t limit) {
  if (count(key) >= limit) return false;
  Row* r = place_for(key);
  if (r) r->connections.store(r->connections.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return true;
}

void AddressTable::leave(uint64_t key) {
  Row* r = find(board_.column(), key);
  if (!r) return;
  const uint32_t now = r->connections.load(std::memory_order_relaxed);
  if (now > 0) r->connections.store(now - 1, std::memory_order_relaxed);
}

AddressTable::Row* AddressTable::place_for(uint64_t key) {
  if (Row* known = find(board_.column(), key)) return known;
  // Never twice in a row: with so many addresses there at once, one would pay for each new one.
  ++new_since_compaction_;
  if (used_ >= kMostUsed && new_since_compaction_ >= kLeastNew) compact();
  if (used_ >= kMostUsed) return nullptr;
  Row* all = rows(board_.column());
  uint32_t i = uint32_t(key) % kRows;
  while (all[i].key.load(std::memory_order_relaxed) != 0) i = (i + 1) % kRows;
  all[i].connections.store(0, std::memory_order_relaxed);
  all[i].key.store(key, std::memory_order_relaxed);
  ++used_;
  return &all[i];
}

// Drops the rows of addresses that have left. Others who read meanwhile may count too few for a moment.
void AddressTable::compact() {
  Row* all = rows(board_.column());
  std::vector<std::pair<uint64_t, uint32_t>> kept;
  for (uint32_t i = 0; i < kRows; ++i) {
    const uint32_t connections = all[i].connections.load(std::memory_order_relaxed);
    if (connections > 0) kept.emplace_back(all[i].key.load(std::memory_order_relaxed), connections);
    all[i].key.store(0, std::memory_order_relaxed);
    all[i].connections.store(0, std::memory_order_relaxed);
  }
  used_ = new_since_compaction_ = 0;
  for (const auto& [key, connections] : kept) {
    uint32_t i = uint32_t(key) % kRows;
    while (all[i].key.load(std::memory_order_relaxed) != 0) i = (i + 1) % kRows;
    all[i].connections.store(connections, std::memory_order_relaxed);
    all[i].key.store(key, std::memory_order_relaxed);
    ++used_;
  }
}

}  // namespace weir
