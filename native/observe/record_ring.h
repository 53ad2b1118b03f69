// A worker's latest records, one behind the other in memory that every process maps. One writer, which asks nobody; readers find out
// by themselves what was overwritten while they read.
//
// Positions count the bytes ever written; byte p lies at p modulo kRingBytes. A record never wraps: a filler of at least 8 bytes precedes
// one that would. The first record that begins in each segment has a mark, so that a reader who was overtaken finds a beginning again.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/abi.h"
#include "observe/record.h"

namespace weir {

constexpr uint64_t kRingBytes = abi::board::ring_bytes;
constexpr uint64_t kSegmentBytes = 65536;
constexpr unsigned kSegments = unsigned(kRingBytes / kSegmentBytes);
// So far ahead of `head` a writer may already have written: a filler and the record behind it.
constexpr uint64_t kMostAhead = 2 * kMostRecordBytes;
static_assert(kRingBytes % kSegmentBytes == 0 && kMostRecordBytes < kSegmentBytes && kMostRecordBytes % 8 == 0);

// The page in front of the ring's bytes.
struct RingNumbers {
  std::atomic<uint64_t> head;     // bytes ever written
  std::atomic<uint64_t> records;  // ever written
  uint64_t unused[6];
  struct Mark {
    std::atomic<uint64_t> position;  // of the first record or filler that begins in this segment
    std::atomic<uint64_t> records;   // that were written before it
  } marks[kSegments];
};
static_assert(sizeof(RingNumbers) <= 4096 && std::atomic<uint64_t>::is_always_lock_free);
constexpr size_t kRingNumberBytes = 4096;

// The writing side.
// Borrows  the memory, `Board::ring` of the worker's own column; zeroed, or as an earlier writer left it: this one goes on behind it.
class RecordRing {
 public:
  explicit RecordRing(char* ring) : numbers_(reinterpret_cast<RingNumbers*>(ring)), bytes_(ring + kRingNumberBytes) {}

  // Room for one record of so many bytes, head included; it is 8-byte aligned and holds whatever was there. Nobody sees it before
  // `commit`; without one, the next `begin` takes the same room. Null: more than kMostRecordBytes, or less than a head.
  [[nodiscard]] char* begin(size_t bytes) {
    const uint64_t rounded = (bytes + 7) & ~uint64_t(7);
    reserved_ = 0;
    if (bytes < sizeof(RecordHead) || rounded > kMostRecordBytes) return nullptr;
    uint64_t at = numbers_->head.load(std::memory_order_relaxed);
    // What follows may not be seen before the head that the last commit wrote: readers compare with it.
    std::atomic_thread_fence(std::memory_order_release);
    mark(at);
    const uint64_t left = kRingBytes - at % kRingBytes;
    if (left < rounded) {
      fill(at, left);
      at += left;
      mark(at);
    }
    at_ = at;
    reserved_ = uint32_t(rounded);
    return bytes_ + at % kRingBytes;
  }

  // Publishes what was written since `begin`; nothing when that gave no room. Its `bytes` are set here: readers walk along them.
  void commit() {
    if (reserved_ == 0) return;
    reinterpret_cast<RecordHead*>(bytes_ + at_ % kRingBytes)->bytes = reserved_;
    numbers_->records.store(numbers_->records.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    numbers_->head.store(at_ + reserved_, std::memory_order_release);
    reserved_ = 0;
  }

 private:
  void mark(uint64_t at) {
    const uint64_t segment = at / kSegmentBytes;
    if (numbers_->marks[segment % kSegments].position.load(std::memory_order_relaxed) / kSegmentBytes != segment) set_mark(at);
  }
  void set_mark(uint64_t at);
  void fill(uint64_t at, uint64_t bytes);

  RingNumbers* numbers_;
  char* bytes_;
  uint64_t at_ = 0;
  uint32_t reserved_ = 0;
};

// The reading side: one place in one ring. Safe beside a writer in another process, and whatever the memory holds.
// Borrows  the memory, which may be mapped read-only.
class RecordCursor {
 public:
  enum class From { latest, oldest };
  RecordCursor(const char* ring, From from);

  // Whether a record may be wanted, by its head alone, which nobody has checked yet.
  using HeadFilter = bool(const RecordHead& head, const void* context);

  // Copies the next record into `into`, of kMostRecordBytes and aligned for a head; answers how many bytes, at least a head's. 0: nothing
  // new. Of what `wants` does not want only the head is looked at: most records are of no interest to most readers.
  [[nodiscard]] size_t next(char* into, HeadFilter* wants = nullptr, const void* context = nullptr);
  [[nodiscard]] uint64_t read() const { return read_; }
  // Overwritten before this cursor came to them.
  [[nodiscard]] uint64_t lost() const { return lost_; }

 private:
  [[nodiscard]] uint64_t head() const { return numbers_->head.load(std::memory_order_acquire); }
  [[nodiscard]] bool is_overtaken(uint64_t position) const;
  [[nodiscard]] size_t copy(uint64_t head, char* into, bool& is_wanted, HeadFilter* wants, const void* context) const;
  void seek(uint64_t from);
  void arrive(uint64_t position, uint64_t ordinal);

  const RingNumbers* numbers_;
  const char* bytes_;
  uint64_t at_ = 0;
  uint64_t ordinal_ = 0;  // records before `at_`
  uint64_t read_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace weir
