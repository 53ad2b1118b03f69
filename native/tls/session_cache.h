// TLS 1.2 sessions by session id, on the board: what one worker's handshake made, another worker resumes. TLS 1.3 and clients with
// tickets never need it.
// Owns     nothing; the slots are the board's. They hold secrets: nobody but this program's processes maps the board.
// Thread   any number in any number of processes. A slot has a sequence lock; who finds a slot taken goes without, nobody waits.
// Bound    a fixed number of slots in buckets of four; the one of a bucket that ends soonest makes room. No allocation.
// Trust    none: whatever a slot says, also what a process wrote that has gone mad, leads to no access beyond it.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "stats/board.h"

namespace weir {

// Seconds of the clock that all processes of a machine share.
inline uint32_t monotonic_s() { return uint32_t(monotonic_us() / 1'000'000); }

class SessionCache {
 public:
  static constexpr size_t kMaxIdBytes = 32;          // RFC 5246 7.4.1.2
  static constexpr size_t kMaxDerBytes = 464;        // what a slot has room for; usual sessions have 120 to 250
  static constexpr uint32_t kMaxLifetimeS = 86'400;  // RFC 5246 F.1.4: no session lives longer
  // A writer that has not finished after so many seconds is dead, and its slot may be taken.
  static constexpr uint32_t kAbandonedS = 3600;

  // The board may be mapped later, before the first call.
  explicit SessionCache(const Board& board) : board_(board) {}

  // Keeps a session for `lifetime_s` seconds. False: an id or DER of a length that has no place, a lifetime of 0, or all slots that
  // it could have were being written at this moment.
  bool put(std::string_view id, std::string_view der, uint32_t lifetime_s, uint32_t now_s = monotonic_s());
  // Copies the DER of a session that is there and has not ended. Its length; 0 for none, or one that is longer than `out`.
  [[nodiscard]] size_t get(std::string_view id, std::span<unsigned char> out, uint32_t now_s = monotonic_s()) const;
  // Forgets a session, and overwrites its secrets. False when it was not there.
  bool remove(std::string_view id, uint32_t now_s = monotonic_s());

 private:
  static constexpr size_t kIdWords = kMaxIdBytes / 8;
  static constexpr size_t kDerWords = kMaxDerBytes / 8;
  static constexpr size_t kPerBucket = 4;
  static constexpr size_t kBuckets = abi::board::tls_sessions / kPerBucket;
  using IdWords = std::array<uint64_t, kIdWords>;

  // Everything is read and written as atomic words: one process may write what another reads, and the sequence tells them apart.
  struct Slot {
    std::atomic<uint64_t> state;  // upper half: a sequence, odd while being written; lower half: the second in which that began
    std::atomic<uint64_t> facts;  // Facts, packed
    std::atomic<uint64_t> id[kIdWords];
    std::atomic<uint64_t> der[kDerWords];
  };
  static_assert(sizeof(Slot) == abi::board::tls_session_bytes);
  static_assert(std::atomic<uint64_t>::is_always_lock_free);

  struct Facts {
    uint32_t expires_s = 0;
    uint16_t der_bytes = 0;
    uint8_t id_bytes = 0;  // 0: the slot is free
    static Facts of(uint64_t word);
    [[nodiscard]] uint64_t packed() const;
    [[nodiscard]] bool is_live(uint32_t now_s) const;
  };

  [[nodiscard]] Slot* bucket_of(const IdWords& id) const;
  [[nodiscard]] Slot* place_for(const IdWords& id, size_t id_bytes, uint32_t now_s, uint64_t& state) const;
  [[nodiscard]] static bool holds(const Slot& slot, const IdWords& id, size_t id_bytes);
  [[nodiscard]] static bool take(Slot& slot, uint64_t& state, uint32_t now_s);
  static void release(Slot& slot, uint64_t state);

  const Board& board_;
};

}  // namespace weir
