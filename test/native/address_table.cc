// How many connections an address has: counts over all workers' columns, keys, and what happens when a table is full.
#include "stats/address_table.h"

#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "check.h"
#include "loop/address.h"

using namespace weir;

namespace {

constexpr uint32_t kRows = abi::board::addresses;
constexpr uint32_t kMostUsed = kRows / 4 * 3;

struct Table {
  Table() { CHECK(board.map(-1, 1, 0)); }
  uint64_t key(uint32_t n) { return uint64_t(n) * 0x9e3779b97f4a7c15u + 1; }
  uint64_t key_of(const char* ip, unsigned listener = 0) {
    PeerIp parsed;
    CHECK(PeerIp::parse(ip, parsed));
    return table.key_of(parsed.bytes, parsed.is_v4(), listener);
  }
  Board board;
  AddressTable table{board};
};

}  // namespace

TEST("an address is counted up and down, and held to its limit") {
  Table t;
  const uint64_t key = t.key_of("192.0.2.1");
  CHECK(t.table.enter(key, 2));
  CHECK(t.table.enter(key, 2));
  CHECK(!t.table.enter(key, 2));
  CHECK_EQ(t.table.count(key), 2u);
  t.table.leave(key);
  CHECK_EQ(t.table.count(key), 1u);
  CHECK(t.table.enter(key, 2));
  CHECK_EQ(t.table.count(t.key_of("192.0.2.2")), 0u);
}

TEST("an address that leaves more often than it came stays at none") {
  Table t;
  const uint64_t key = t.key_of("192.0.2.1");
  t.table.leave(key);
  CHECK(t.table.enter(key, 5));
  t.table.leave(key);
  t.table.leave(key);
  CHECK_EQ(t.table.count(key), 0u);
  CHECK(t.table.enter(key, 1));
}

TEST("the limit holds over the columns of all workers, and a key is the same in each") {
  const UniqueFd fd(Board::create(2));
  CHECK(fd.valid());
  Board first, second;
  CHECK(first.map(fd.get(), 2, 0) && second.map(fd.get(), 2, 1));
  AddressTable a(first), b(second);
  PeerIp ip;
  CHECK(PeerIp::parse("2001:db8::1", ip));
  const uint64_t key = a.key_of(ip.bytes, false, 3);
  CHECK_EQ(b.key_of(ip.bytes, false, 3), key);
  CHECK(a.enter(key, 3));
  CHECK(b.enter(key, 3));
  CHECK(b.enter(key, 3));
  CHECK(!a.enter(key, 3));
  CHECK(!b.enter(key, 3));
  CHECK_EQ(a.count(key), 3u);
  // One worker cannot give back what the other has counted.
  a.leave(key);
  a.leave(key);
  CHECK_EQ(b.count(key), 2u);
  CHECK(a.enter(key, 3));
  // The primary clears the column of a worker that died.
  memset(second.addresses(1), 0, size_t(kRows) * 16);
  CHECK_EQ(a.count(key), 1u);
}

TEST("an IPv6 client is its /64, an IPv4 client its address, each at its listener") {
  Table t;
  CHECK_EQ(t.key_of("2001:db8:1:2::1"), t.key_of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  CHECK(t.key_of("2001:db8:1:2::1") != t.key_of("2001:db8:1:3::1"));
  CHECK(t.key_of("192.0.2.1") != t.key_of("192.0.2.2"));
  CHECK_EQ(t.key_of("192.0.2.1"), t.key_of("::ffff:192.0.2.1"));
  CHECK(t.key_of("192.0.2.1", 0) != t.key_of("192.0.2.1", 1));
  CHECK(t.key_of("::") != 0);
  CHECK(t.key_of("0.0.0.0") != t.key_of("::"));
}

TEST("keys depend on the board's secret") {
  const UniqueFd one(Board::create(1)), other(Board::create(1));
  Board a, b;
  CHECK(a.map(one.get(), 1, 0) && b.map(other.get(), 1, 0));
  PeerIp ip;
  CHECK(PeerIp::parse("192.0.2.1", ip));
  CHECK(a.secret() != b.secret());
  CHECK(AddressTable(a).key_of(ip.bytes, true, 0) != AddressTable(b).key_of(ip.bytes, true, 0));
}

TEST("addresses that come and go for ever leave room, and those that stay keep their counts") {
  Table t;
  for (uint32_t n = 0; n < 1000; ++n) {
    CHECK(t.table.enter(t.key(n), 9));
    CHECK(t.table.enter(t.key(n), 9));
  }
  for (uint32_t n = 1000; n < 3 * kRows; ++n) {
    CHECK(t.table.enter(t.key(n), 1));
    // Counted, so that the second is one too many.
    if (n % 97 == 0) CHECK(!t.table.enter(t.key(n), 1));
    t.table.leave(t.key(n));
  }
  for (uint32_t n = 0; n < 1000; ++n) CHECK_EQ(t.table.count(t.key(n)), 2u);
}

TEST("when a table is full further addresses are let in without being counted") {
  Table t;
  for (uint32_t n = 0; n < kMostUsed; ++n) CHECK(t.table.enter(t.key(n), 1));
  for (uint32_t n = kMostUsed; n < kMostUsed + 100'000; ++n) {
    CHECK(t.table.enter(t.key(n), 1));
    CHECK_EQ(t.table.count(t.key(n)), 0u);
    t.table.leave(t.key(n));
  }
  // Those that are counted still are.
  CHECK(!t.table.enter(t.key(0), 1));
  CHECK(!t.table.enter(t.key(kMostUsed - 1), 1));
  // Some leave: after a while there is room again.
  for (uint32_t n = 0; n < 5000; ++n) t.table.leave(t.key(n));
  for (uint32_t n = kMostUsed; n < kMostUsed + 3000; ++n) {
    CHECK(t.table.enter(t.key(n), 1));
    t.table.leave(t.key(n));
  }
  const uint64_t late = t.key(kMostUsed + 1);
  CHECK(t.table.enter(late, 1));
  CHECK_EQ(t.table.count(late), 1u);
  CHECK_EQ(t.table.count(t.key(kMostUsed - 1)), 1u);
}
