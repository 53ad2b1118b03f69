// Reading the rings of all workers through one mapping: whole lines, several cursors, counts.
#include "observe/record_reader.h"

#include <errno.h>

#include <set>

#include "base/fd.h"
#include "check.h"
#include "record_parts.h"
#include "stats/board.h"

using namespace weir;
using check::append;
using check::RecordParts;

namespace {

using From = RecordCursor::From;

// A board of three workers and a reader of it.
struct Fleet {
  Fleet() {
    CHECK(fd.valid() && board.map(fd.get(), 3, 0));
    CHECK(reader->map(fd.get(), 3));
  }
  void write(unsigned column, const std::string& id, size_t target_bytes = 10) {
    RecordParts r = check::usual_record();
    r.text(RecordText::request_id) = id;
    r.text(RecordText::target) = "/" + std::string(target_bytes - 1, 'x');
    RecordRing ring(board.ring(column));
    append(ring, r.bytes());
  }
  // All that is new for a cursor, read through a buffer of so many bytes.
  std::string read(int cursor, size_t room = kMostLineBytes) {
    std::string all, into(room, '\0');
    while (const size_t bytes = reader->read(unsigned(cursor), into.data(), room)) {
      CHECK(bytes <= room && into[bytes - 1] == '\n');
      all.append(into, 0, bytes);
    }
    return all;
  }
  static LogFormat ids() {
    LogFormat format;
    format.fields = 1u << abi::record_field::worker | 1u << abi::record_field::request_id;
    return format;
  }
  UniqueFd fd{Board::create(3)};
  Board board;
  std::unique_ptr<RecordReader> reader = std::make_unique<RecordReader>();
};

}  // namespace

TEST("records of all workers are read, each once for every cursor") {
  Fleet f;
  f.write(1, "before");
  const int all = f.reader->open(Fleet::ids(), From::oldest), new_ones = f.reader->open(Fleet::ids(), From::latest);
  CHECK_EQ(f.read(all), "{\"worker\":2,\"requestId\":\"before\"}\n");
  CHECK_EQ(f.read(new_ones), "");
  f.write(2, "after");
  CHECK_EQ(f.read(all), "{\"worker\":3,\"requestId\":\"after\"}\n");
  CHECK_EQ(f.read(all), "");
  CHECK_EQ(f.read(new_ones), "{\"worker\":3,\"requestId\":\"after\"}\n");
  CHECK_EQ(f.reader->counts(unsigned(all)).read, 2u);
  CHECK_EQ(f.reader->counts(unsigned(new_ones)).read, 1u);
  CHECK_EQ(f.reader->counts(unsigned(all)).lost, 0u);
}

TEST("lines that fill the room again and again all come, whole and once") {
  Fleet f;
  LogFormat format = Fleet::ids();
  format.fields |= 1u << abi::record_field::path;
  const int cursor = f.reader->open(format, From::latest);
  constexpr int records = 600;
  for (int i = 0; i < records; ++i) f.write(unsigned(i % 3), std::to_string(i), size_t(1 + i * 13 % 8000));
  for (const size_t room : {size_t(kMostLineBytes), size_t(kMostLineBytes + 777), size_t(400'000)}) {
    const int again = room == kMostLineBytes ? cursor : f.reader->open(format, From::oldest);
    std::set<std::string> ids;
    size_t lines = 0;
    const std::string text = f.read(again, room);
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1, ++lines) {
      const std::string line = text.substr(at, end - at);
      CHECK(line.front() == '{' && line.back() == '}');
      const size_t id = line.find("\"requestId\":\"") + 13;
      ids.insert(line.substr(id, line.find('"', id) - id));
    }
    CHECK_EQ(lines, size_t(records));
    CHECK_EQ(ids.size(), size_t(records));
    CHECK_EQ(f.reader->counts(unsigned(again)).read, uint64_t(records));
  }
}

TEST("a worker that never stops writing does not keep the others from being read") {
  Fleet f;
  LogFormat format = Fleet::ids();
  format.fields |= 1u << abi::record_field::path;
  const int cursor = f.reader->open(format, From::latest);
  for (int i = 0; i < 400; ++i) f.write(0, "busy", 8000);
  f.write(2, "patient");
  std::string into(kMostLineBytes, '\0'), seen;
  for (int reads = 0; reads < 4; ++reads) {
    seen.append(into, 0, f.reader->read(unsigned(cursor), into.data(), into.size()));
    for (int i = 0; i < 20; ++i) f.write(0, "busy", 8000);
  }
  CHECK(seen.find("patient") != std::string::npos);
}

TEST("what the share leaves out counts as read, what was overwritten as lost") {
  Fleet f;
  LogFormat format = Fleet::ids();
  format.share = 0;
  const int cursor = f.reader->open(format, From::latest);
  for (int i = 0; i < 100; ++i) f.write(0, "id");
  CHECK_EQ(f.read(cursor), "");
  CHECK_EQ(f.reader->counts(unsigned(cursor)).read, 100u);
  for (int i = 0; i < 2000; ++i) f.write(1, "id", 4000);
  CHECK_EQ(f.read(cursor), "");
  const RecordReader::Counts counts = f.reader->counts(unsigned(cursor));
  CHECK(counts.lost > 900);
  CHECK_EQ(counts.lost + counts.read, 2100u);
}

TEST("a cursor goes on where it is when its lines get another form") {
  Fleet f;
  const int cursor = f.reader->open(Fleet::ids(), From::latest);
  f.write(0, "one");
  CHECK_EQ(f.read(cursor), "{\"worker\":1,\"requestId\":\"one\"}\n");
  f.write(0, "two");
  LogFormat other;
  other.fields = 1u << abi::record_field::request_id;
  f.reader->reformat(unsigned(cursor), other);
  CHECK_EQ(f.read(cursor), "{\"requestId\":\"two\"}\n");
  CHECK_EQ(f.reader->counts(unsigned(cursor)).read, 2u);
}

TEST("there are sixteen cursors, whose numbers come back") {
  Fleet f;
  for (int i = 0; i < int(RecordReader::kMostCursors); ++i) CHECK_EQ(f.reader->open(Fleet::ids(), From::latest), i);
  CHECK_EQ(f.reader->open(Fleet::ids(), From::latest), -1);
  f.reader->close(7);
  CHECK(!f.reader->is_open(7));
  CHECK_EQ(f.reader->open(Fleet::ids(), From::latest), 7);
  CHECK(!f.reader->is_open(RecordReader::kMostCursors));
}

TEST("only a file as large as the board of so many workers is read") {
  const UniqueFd small(Board::create(1));
  RecordReader reader;
  CHECK(!reader.map(small.get(), 2));
  CHECK_EQ(errno, EINVAL);
  CHECK(!reader.map(-1, 1));
  CHECK_EQ(errno, EBADF);
  CHECK(reader.map(small.get(), 1));
}
