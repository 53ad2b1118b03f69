// Records behind one another in shared memory: order, wrapping, overtaken readers, writers that died, memory that holds nonsense.
#include "observe/record_ring.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "check.h"
#include "record_parts.h"

using namespace weir;
using check::append;

namespace {

using From = RecordCursor::From;

// Shared with child processes.
struct Ring {
  Ring() : memory(static_cast<char*>(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { ::munmap(memory, kBytes); }
  [[nodiscard]] RingNumbers& numbers() const { return *reinterpret_cast<RingNumbers*>(memory); }
  static constexpr size_t kBytes = kRingNumberBytes + kRingBytes;
  char* memory;
};

uint32_t mixed(uint64_t n) { return uint32_t((n + 1) * 0x9e3779b97f4a7c15u >> 32); }

// The n-th record: its number in `ended_at_us`, a length of its own, and bytes that all follow from the number.
size_t size_of(uint64_t n, size_t most) { return (sizeof(RecordHead) + mixed(n) % (most - sizeof(RecordHead))) & ~size_t(7); }
bool put(RecordRing& ring, uint64_t n, size_t most) {
  const size_t size = size_of(n, most);
  char* at = ring.begin(size);
  if (!at) return false;
  RecordHead head;
  head.kind = abi::record_kind::exchange;
  head.ended_at_us = n;
  std::memcpy(at, &head, sizeof head);
  std::memset(at + sizeof head, int(mixed(n) & 0xff), size - sizeof head);
  ring.commit();
  return true;
}

// Its number; what was read is checked against it.
uint64_t number_of(const char* record, size_t bytes, size_t most) {
  RecordHead head;
  std::memcpy(&head, record, sizeof head);
  bool whole = bytes == size_of(head.ended_at_us, most) && head.bytes == bytes;
  for (size_t i = sizeof head; i < bytes; ++i) whole = whole && uint8_t(record[i]) == uint8_t(mixed(head.ended_at_us));
  return whole ? head.ended_at_us : UINT64_MAX;
}

struct Reader {
  Reader(const Ring& ring, From from) : cursor(ring.memory, from) {}
  // The number of the next record, or -1 for none, -2 for a broken one.
  int64_t next(size_t most) {
    const size_t bytes = cursor.next(into.get());
    if (bytes == 0) return -1;
    const uint64_t n = number_of(into.get(), bytes, most);
    return n == UINT64_MAX ? -2 : int64_t(n);
  }
  RecordCursor cursor;
  std::unique_ptr<char[]> into = std::make_unique<char[]>(kMostRecordBytes);
};

}  // namespace

TEST("records of all sizes come back whole and in order over many laps") {
  const Ring ring;
  RecordRing writer(ring.memory);
  Reader reader(ring, From::latest);
  uint64_t n = 0;
  for (; ring.numbers().head < 5 * kRingBytes; ++n) {
    CHECK(put(writer, n, kMostRecordBytes));
    CHECK_EQ(reader.next(kMostRecordBytes), int64_t(n));
    CHECK_EQ(reader.next(kMostRecordBytes), -1);
  }
  CHECK_EQ(reader.cursor.read(), n);
  CHECK_EQ(reader.cursor.lost(), 0u);
  CHECK_EQ(ring.numbers().records, n);
}

TEST("a reader that was overtaken goes on with a whole record and knows how many it missed") {
  const Ring ring;
  RecordRing writer(ring.memory);
  Reader reader(ring, From::latest);
  constexpr size_t most = 3000;
  uint64_t n = 0, expected = 0;
  for (int round = 0; round < 12; ++round) {
    const uint64_t more[] = {kRingBytes / 2, kRingBytes + 70'000, 3 * kRingBytes + 8};
    const uint64_t until = ring.numbers().head + more[round % 3];
    while (ring.numbers().head < until) CHECK(put(writer, n++, most));
    for (int64_t got; (got = reader.next(most)) != -1;) {
      CHECK(got >= int64_t(expected));
      expected = uint64_t(got) + 1;
    }
    CHECK_EQ(expected, n);
    CHECK_EQ(reader.cursor.read() + reader.cursor.lost(), n);
  }
  CHECK(reader.cursor.lost() > 0 && reader.cursor.read() > 0);
}

TEST("a reader from the oldest gets nearly all that the ring holds, and one from the latest nothing") {
  const Ring ring;
  RecordRing writer(ring.memory);
  constexpr size_t most = 2000;
  for (const uint64_t until : {kSegmentBytes / 2, kRingBytes - 5000, kRingBytes + 5000, 4 * kRingBytes + 3 * kSegmentBytes + 40}) {
    uint64_t n = ring.numbers().records;
    while (ring.numbers().head < until) CHECK(put(writer, n++, most));
    Reader oldest(ring, From::oldest), latest(ring, From::latest);
    uint64_t bytes = 0;
    int64_t before = -1;
    for (int64_t got; (got = oldest.next(most)) != -1; before = got) {
      CHECK(before == -1 || got == before + 1);
      bytes += size_of(uint64_t(got), most);
    }
    CHECK_EQ(before, int64_t(n) - 1);
    CHECK(bytes + kMostAhead + 2 * kSegmentBytes >= std::min<uint64_t>(until, kRingBytes));
    CHECK_EQ(oldest.cursor.lost(), 0u);
    CHECK_EQ(latest.next(most), -1);
    CHECK(put(writer, n, most));
    CHECK_EQ(latest.next(most), int64_t(n));
  }
}

TEST("a writer goes on behind what a killed one has published, whatever that one had begun") {
  const Ring ring;
  constexpr size_t most = 30'000;
  Reader reader(ring, From::latest);
  uint64_t n = 0;
  while (ring.numbers().head < 3 * kRingBytes) {
    RecordRing writer(ring.memory);
    CHECK(put(writer, n, most));
    CHECK_EQ(reader.next(most), int64_t(n++));
    // Killed in the middle of a record, which may have taken a filler.
    if (char* at = writer.begin(kMostRecordBytes)) std::memset(at, 0xff, kMostRecordBytes);
    CHECK_EQ(reader.next(most), -1);
  }
  CHECK_EQ(reader.cursor.read(), n);
  CHECK_EQ(reader.cursor.lost(), 0u);
}

TEST("what a writer has begun to write over is not read, though it has published nothing yet") {
  const Ring ring;
  RecordRing writer(ring.memory);
  Reader overtaken(ring, From::latest);
  constexpr size_t most = 2000;
  uint64_t n = 0;
  while (ring.numbers().head + kMostRecordBytes / 2 < kRingBytes) CHECK(put(writer, n++, most));
  // Only the body of the first record, whose head would still pass.
  CHECK(size_of(0, most) > sizeof(RecordHead));
  if (char* at = writer.begin(kMostRecordBytes)) std::memset(at + sizeof(RecordHead), 0x11, size_of(0, most) - sizeof(RecordHead));
  Reader late(ring, From::oldest);
  for (Reader* reader : {&overtaken, &late}) {
    const int64_t first = reader->next(most);
    CHECK(first > 0);
    CHECK(reader == &late || reader->cursor.lost() == uint64_t(first));
    int64_t last = first;
    for (int64_t got; (got = reader->next(most)) != -1; last = got) CHECK_EQ(got, last + 1);
    CHECK_EQ(last, int64_t(n) - 1);
  }
}

TEST("what is no record by its size gets no room") {
  const Ring ring;
  RecordRing writer(ring.memory);
  writer.commit();
  CHECK(!writer.begin(0));
  CHECK(!writer.begin(sizeof(RecordHead) - 1));
  CHECK(!writer.begin(kMostRecordBytes + 1));
  writer.commit();
  CHECK(writer.begin(sizeof(RecordHead)));
  CHECK(writer.begin(kMostRecordBytes));
  CHECK_EQ(ring.numbers().head, 0u);
  writer.commit();
  writer.commit();
  CHECK_EQ(ring.numbers().head, kMostRecordBytes);
}

TEST("another process writes as fast as it can: every record that is read is whole, none counts twice") {
  const Ring ring;
  constexpr size_t most = 9000;
  constexpr uint64_t all = 60'000;
  Reader reader(ring, From::latest);
  const pid_t child = ::fork();
  if (child == 0) {
    RecordRing writer(ring.memory);
    for (uint64_t n = 0; n < all; ++n) put(writer, n, most);
    ::_exit(0);
  }
  int64_t last = -1;
  bool is_over = false;
  for (;;) {
    const int64_t got = reader.next(most);
    if (got >= 0) {
      CHECK(got > last);
      last = got;
    } else {
      CHECK_EQ(got, -1);
      if (is_over) break;
      is_over = ::waitpid(child, nullptr, WNOHANG) == child;
    }
  }
  CHECK_EQ(last, int64_t(all) - 1);
  CHECK_EQ(reader.cursor.read() + reader.cursor.lost(), all);
}

TEST("whatever the memory holds, a cursor comes to an end and hands out nothing larger than a record") {
  const Ring ring;
  uint64_t state = 1;
  const auto random = [&state] { return state = state * 6364136223846793005u + 1442695040888963407u; };
  const std::unique_ptr<char[]> into = std::make_unique<char[]>(kMostRecordBytes);
  for (int round = 0; round < 40; ++round) {
    auto* words = reinterpret_cast<uint32_t*>(ring.memory);
    // Small numbers are lengths that may pass.
    const uint32_t bits = round % 3 == 0 ? 0x7ffu : round % 3 == 1 ? 0xfff8u : ~0u;
    for (size_t i = 0; i < Ring::kBytes / 4; ++i) words[i] = uint32_t(random() >> 32) & bits;
    if (round % 4 < 2) ring.numbers().head = random() % (3 * kRingBytes);
    for (const From from : {From::oldest, From::latest}) {
      RecordCursor cursor(ring.memory, from);
      ring.numbers().head += 9 + random() % kRingBytes;
      size_t records = 0;
      for (size_t bytes; (bytes = cursor.next(into.get())) != 0; ++records) {
        RecordHead head;
        std::memcpy(&head, into.get(), sizeof head);
        CHECK(bytes >= sizeof head && bytes <= kMostRecordBytes && head.bytes == bytes && head.kind != abi::record_kind::filler);
      }
      CHECK(records <= kRingBytes / sizeof(RecordHead));
      CHECK_EQ(cursor.read(), records);
    }
  }
}
