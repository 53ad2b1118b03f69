#include "observe/record_ring.h"

#include <algorithm>
#include <cstring>

namespace weir {

namespace {

// The beginning of a record, and all of a filler.
struct Lead {
  uint32_t bytes;
  uint8_t kind;
  uint8_t rest[3];
};
static_assert(sizeof(Lead) == 8 && offsetof(RecordHead, kind) == offsetof(Lead, kind));

}  // namespace

void RecordRing::set_mark(uint64_t at) {
  RingNumbers::Mark& mark = numbers_->marks[at / kSegmentBytes % kSegments];
  // In this order: a position says that the count beside it is there.
  mark.records.store(numbers_->records.load(std::memory_order_relaxed), std::memory_order_relaxed);
  mark.position.store(at, std::memory_order_release);
}

void RecordRing::fill(uint64_t at, uint64_t bytes) {
  const Lead filler = {uint32_t(bytes), uint8_t(abi::record_kind::filler), {}};
  std::memcpy(bytes_ + at % kRingBytes, &filler, sizeof filler);
}

RecordCursor::RecordCursor(const char* ring, From from)
    : numbers_(reinterpret_cast<const RingNumbers*>(ring)), bytes_(ring + kRingNumberBytes) {
  if (from == From::oldest) {
    seek(0);
  } else {
    ordinal_ = numbers_->records.load(std::memory_order_relaxed);
    at_ = head();
  }
  lost_ = 0;
}

size_t RecordCursor::next(char* into, HeadFilter* wants, const void* context) {
  for (;;) {
    const uint64_t now = head();
    if (at_ == now) return 0;
    // A ring that was begun anew has nothing that this cursor could miss.
    if (now < at_) at_ = 0, ordinal_ = 0;
    bool is_wanted = true;
    const size_t bytes = is_overtaken(at_) ? 0 : copy(now, into, is_wanted, wants, context);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (bytes == 0 || is_overtaken(at_)) {
      seek(at_ + 8);
      continue;
    }
    at_ += bytes;
    if (uint8_t(into[offsetof(Lead, kind)]) == abi::record_kind::filler) continue;
    ++ordinal_;
    ++read_;
    if (is_wanted) return bytes;
  }
}

// Whether a writer may have begun to write over what is there.
bool RecordCursor::is_overtaken(uint64_t position) const { return head() - position > kRingBytes - kMostAhead; }

// What begins at `at_`, of a filler only its lead, and of a record that is not wanted only its head; answers how far it reaches. 0: no
// record, whatever it is.
size_t RecordCursor::copy(uint64_t head, char* into, bool& is_wanted, HeadFilter* wants, const void* context) const {
  const uint64_t offset = at_ % kRingBytes, left = kRingBytes - offset;
  Lead lead;
  if (left < sizeof lead) return 0;
  std::memcpy(&lead, bytes_ + offset, sizeof lead);
  const bool is_filler = lead.kind == abi::record_kind::filler;
  if (lead.bytes > std::min(left, head - at_) || lead.bytes > kMostRecordBytes || lead.bytes % 8) return 0;
  if (is_filler ? lead.bytes != left : lead.bytes < sizeof(RecordHead)) return 0;
  if (!is_filler) {
    std::memcpy(into, bytes_ + offset, sizeof(RecordHead));
    is_wanted = !wants || wants(*reinterpret_cast<const RecordHead*>(into), context);
    if (is_wanted) std::memcpy(into + sizeof(RecordHead), bytes_ + offset + sizeof(RecordHead), lead.bytes - sizeof(RecordHead));
  }
  // What was checked, also where another process writes there just now.
  std::memcpy(into, &lead, sizeof lead);
  return lead.bytes;
}

// To the first mark at `from` or later whose record is still there, or behind the latest record.
void RecordCursor::seek(uint64_t from) {
  const uint64_t now = head(), kept = kRingBytes - kMostAhead;
  const uint64_t oldest = std::max(from, now > kept ? now - kept : 0);
  for (uint64_t segment = oldest / kSegmentBytes; segment <= now / kSegmentBytes; ++segment) {
    const RingNumbers::Mark& mark = numbers_->marks[segment % kSegments];
    const uint64_t position = mark.position.load(std::memory_order_acquire);
    const uint64_t records = mark.records.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (position / kSegmentBytes != segment || position < oldest || position > now || is_overtaken(position)) continue;
    return arrive(position, records);
  }
  const uint64_t records = numbers_->records.load(std::memory_order_relaxed);
  arrive(now, records);
}

// However wrong the memory, no more is lost than can have been there.
void RecordCursor::arrive(uint64_t position, uint64_t ordinal) {
  const uint64_t most = position > at_ ? (position - at_) / sizeof(RecordHead) : 0;
  if (ordinal > ordinal_) lost_ += std::min(ordinal - ordinal_, most);
  ordinal_ = ordinal;
  at_ = position;
}

}  // namespace weir
