// Sessions that workers share: what is put is found until it ends, slots make room, garbage and dead writers do no harm, and what is
// read while others write is always whole.
#include "tls/session_cache.h"

#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "base/fd.h"
#include "check.h"

using namespace weir;

namespace {

constexpr uint32_t kNow = 1000;
constexpr size_t kSlotWords = abi::board::tls_session_bytes / 8;

struct Shared {
  Shared() { CHECK(board.map(-1, 1, 0)); }

  std::string get(const std::string& id, uint32_t now_s = kNow) {
    unsigned char out[SessionCache::kMaxDerBytes];
    return {reinterpret_cast<char*>(out), cache.get(id, out, now_s)};
  }
  // The raw words of the slot that holds `id`, which was the only one put so far.
  uint64_t* only_slot() {
    auto* words = reinterpret_cast<uint64_t*>(board.tls_sessions());
    for (size_t i = 0; i < size_t(abi::board::tls_sessions); ++i)
      if (words[i * kSlotWords] != 0) return words + i * kSlotWords;
    CHECK(false);
    return words;
  }

  Board board;
  SessionCache cache{board};
};

std::string id_of(uint64_t n) {
  std::string id(32, '\0');
  for (size_t i = 0; i < 4; ++i) {
    const uint64_t word = (n + 1) * 0x9e3779b97f4a7c15u + i;
    memcpy(id.data() + i * 8, &word, 8);
  }
  return id;
}

}  // namespace

TEST("a session is found with every byte, by its own id only, until it ends") {
  Shared s;
  std::string der;
  for (size_t i = 0; i < SessionCache::kMaxDerBytes; ++i) der += char(i * 31);
  for (size_t size : {size_t(1), size_t(7), size_t(8), size_t(201), SessionCache::kMaxDerBytes}) {
    CHECK(s.cache.put(id_of(size), der.substr(0, size), 60, kNow));
    CHECK_EQ(s.get(id_of(size)), der.substr(0, size));
  }
  CHECK_EQ(s.get(id_of(1), kNow + 59), der.substr(0, 1));
  CHECK_EQ(s.get(id_of(1), kNow + 60), "");
  CHECK_EQ(s.get(id_of(2)), "");
  CHECK_EQ(s.get(id_of(1).substr(0, 31)), "");
}

TEST("ids of 1 to 32 bytes are taken, and an id is no prefix of another") {
  Shared s;
  CHECK(s.cache.put("a", "one", 60, kNow));
  CHECK(s.cache.put(std::string("a\0", 2), "two", 60, kNow));
  CHECK_EQ(s.get("a"), "one");
  CHECK_EQ(s.get(std::string("a\0", 2)), "two");
  CHECK(!s.cache.put("", "der", 60, kNow));
  CHECK(!s.cache.put(std::string(33, 'x'), "der", 60, kNow));
  CHECK_EQ(s.get(""), "");
  CHECK_EQ(s.get(std::string(33, 'x')), "");
  CHECK(!s.cache.remove("", kNow));
}

TEST("a session that does not fit is not stored, nor one that has no bytes or no life") {
  Shared s;
  CHECK(!s.cache.put(id_of(1), std::string(SessionCache::kMaxDerBytes + 1, 'x'), 60, kNow));
  CHECK(!s.cache.put(id_of(1), "", 60, kNow));
  CHECK(!s.cache.put(id_of(1), "der", 0, kNow));
  CHECK_EQ(s.get(id_of(1)), "");
}

TEST("no session lives longer than a day") {
  Shared s;
  CHECK(s.cache.put(id_of(1), "der", 0xffffffff, kNow));
  CHECK_EQ(s.get(id_of(1), kNow + SessionCache::kMaxLifetimeS - 1), "der");
  CHECK_EQ(s.get(id_of(1), kNow + SessionCache::kMaxLifetimeS), "");
}

TEST("a session that is longer than the caller's room is not given out in part") {
  Shared s;
  CHECK(s.cache.put(id_of(1), "four", 60, kNow));
  unsigned char out[4] = {9, 9, 9, 9};
  CHECK_EQ(s.cache.get(id_of(1), std::span(out).first(3), kNow), size_t(0));
  CHECK_EQ(out[0], 9);
  CHECK_EQ(s.cache.get(id_of(1), out, kNow), size_t(4));
}

TEST("a removed session is gone, and its bytes with it") {
  Shared s;
  CHECK(s.cache.put(id_of(1), "secret secret secret", 60, kNow));
  CHECK(s.cache.remove(id_of(1), kNow));
  CHECK(!s.cache.remove(id_of(1), kNow));
  CHECK_EQ(s.get(id_of(1)), "");
  const std::string_view all(s.board.tls_sessions(), Board::kTlsSessionsBytes);
  CHECK(all.find("secret") == std::string_view::npos);
}

TEST("the same id again replaces what it had") {
  Shared s;
  for (int i = 0; i < 10; ++i) CHECK(s.cache.put(id_of(1), std::to_string(i), 60, kNow));
  CHECK_EQ(s.get(id_of(1)), "9");
  CHECK(s.cache.remove(id_of(1), kNow));
  CHECK_EQ(s.get(id_of(1)), "");
}

TEST("a full cache takes on: those that end first make room, and ended ones before them") {
  Shared s;
  const uint64_t many = uint64_t(abi::board::tls_sessions) * 4;
  for (uint64_t i = 0; i < many; ++i) CHECK(s.cache.put(id_of(i), "old", 100, kNow));
  for (uint64_t i = 0; i < 100; ++i) CHECK(s.cache.put(id_of(many + i), "long", 1000, kNow + 1));
  for (uint64_t i = 0; i < many; ++i) CHECK(s.cache.put(id_of(2 * many + i), "new", 500, kNow + 100));
  int kept = 0;
  for (uint64_t i = 0; i < 100; ++i) kept += s.get(id_of(many + i), kNow + 100) == "long";
  CHECK(kept > 90);
  CHECK_EQ(s.get(id_of(3 * many - 1), kNow + 100), "new");
}

TEST("processes find each other's sessions on one board") {
  const UniqueFd fd(Board::create(2));
  CHECK(fd.valid());
  Board first, second;
  CHECK(first.map(fd.get(), 2, 0));
  CHECK(second.map(fd.get(), 2, 1));
  CHECK(SessionCache(first).put(id_of(1), "der", 60));
  unsigned char out[SessionCache::kMaxDerBytes];
  CHECK_EQ(SessionCache(second).get(id_of(1), out), size_t(3));
  CHECK(SessionCache(second).remove(id_of(1)));
  CHECK_EQ(SessionCache(first).get(id_of(1), out), size_t(0));
}

TEST("a slot whose writer died is left alone for an hour, then used again") {
  Shared s;
  CHECK(s.cache.put(id_of(1), "der", 60, kNow));
  std::atomic_ref<uint64_t> state(*s.only_slot());
  state += uint64_t(1) << 32;
  CHECK_EQ(s.get(id_of(1)), "");
  CHECK(!s.cache.remove(id_of(1), kNow));
  const uint64_t taken = state;
  // Ours goes to the three others of the bucket, whoever asks.
  for (int i = 0; i < 4; ++i) CHECK(s.cache.put(id_of(1), "der", 60, kNow + SessionCache::kAbandonedS));
  CHECK_EQ(state.load(), taken);
  CHECK_EQ(s.get(id_of(1), kNow + SessionCache::kAbandonedS), "der");
  CHECK(s.cache.remove(id_of(1), kNow + SessionCache::kAbandonedS));
  CHECK(s.cache.put(id_of(1), "again", 60, kNow + SessionCache::kAbandonedS + 1));
  CHECK_EQ(s.get(id_of(1), kNow + SessionCache::kAbandonedS + 1), "again");
  CHECK(state.load() != taken);
  CHECK((state.load() >> 32) % 2 == 0);
}

TEST("nothing is stored where all slots are being written, also by a process whose clock is a second ahead") {
  Shared s;
  auto* words = reinterpret_cast<uint64_t*>(s.board.tls_sessions());
  for (size_t i = 0; i < size_t(abi::board::tls_sessions); ++i) words[i * kSlotWords] = uint64_t(1) << 32 | (kNow + 1);
  CHECK(!s.cache.put(id_of(1), "der", 60, kNow));
  CHECK_EQ(s.get(id_of(1)), "");
}

TEST("garbage on the board is never believed, and gives way") {
  Shared s;
  auto* bytes = reinterpret_cast<unsigned char*>(s.board.tls_sessions());
  uint64_t random = 7;
  for (int round = 0; round < 20; ++round) {
    for (size_t i = 0; i < Board::kTlsSessionsBytes; ++i) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      bytes[i] = round == 0 ? 0xff : (unsigned char)(random >> 56);
    }
    for (uint64_t i = 0; i < 200; ++i) {
      CHECK_EQ(s.get(id_of(i)), "");
      if (s.cache.put(id_of(i), "der", 60, kNow)) CHECK_EQ(s.get(id_of(i)), "der");
    }
  }
}

TEST("lengths beyond a slot are never believed, whatever the id says") {
  Shared s;
  CHECK(s.cache.put(id_of(1), "der", 60, kNow));
  uint64_t* slot = s.only_slot();
  slot[1] |= uint64_t(0xffff) << 32;
  CHECK_EQ(s.get(id_of(1)), "");
  CHECK(s.cache.put(id_of(1), "der", 60, kNow));
  CHECK_EQ(s.get(id_of(1)), "der");
}

TEST("what is read while two others write the same slots is whole, and was put") {
  Shared s;
  std::atomic<bool> over{false};
  const auto write = [&](unsigned seed) {
    for (unsigned i = 0; !over.load(std::memory_order_relaxed); ++i) {
      const char fill = char('a' + (i + seed) % 26);
      const std::string der(size_t(8 + fill), fill);
      (void)s.cache.put(id_of(i % 3), der, 60, kNow);
      if (i % 16 == 0) (void)s.cache.remove(id_of(i % 3), kNow);
    }
  };
  std::thread one(write, 0), two(write, 13);
  int found = 0;
  for (int i = 0; i < 200'000 || (found < 1000 && i < 20'000'000); ++i) {
    const std::string der = s.get(id_of(uint64_t(i % 3)));
    if (der.empty()) continue;
    ++found;
    const bool is_whole = der.size() == size_t(8 + der[0]) && der.find_first_not_of(der[0]) == std::string::npos;
    if (is_whole) continue;
    CHECK(is_whole);
    break;
  }
  over = true;
  one.join();
  two.join();
  CHECK(found >= 1000);
}
