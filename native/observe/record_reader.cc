#include "observe/record_reader.h"

#include <cstring>
#include <utility>

namespace weir {

int RecordReader::open(LogFormat format, RecordCursor::From from) {
  for (unsigned i = 0; i < kMostCursors; ++i) {
    if (places_[i]) continue;
    places_[i] = std::make_unique<Place>();
    places_[i]->format = std::move(format);
    for (unsigned column = 0; column < rings_.workers(); ++column) places_[i]->columns.emplace_back(rings_.ring(column), from);
    return int(i);
  }
  return -1;
}

size_t RecordReader::read(unsigned cursor, char* into, size_t room) {
  Place& place = *places_[cursor];
  size_t written = place.left_over.copy(into, room);
  place.left_over.clear();
  // A worker whose records alone fill the room each time must not keep the others waiting.
  place.column = (place.column + 1) % rings_.workers();
  for (;;) {
    const bool has_room = room - written >= kMostLineBytes;
    char* const at = has_room ? into + written : line_;
    const size_t bytes = next_line(place, at);
    if (bytes > room - written) {
      place.left_over.assign(line_, bytes);
      return written;
    }
    if (!has_room) std::memcpy(into + written, line_, bytes);
    written += bytes;
    if (bytes == 0) return written;
  }
}

// The next line of any worker; 0 when none has anything new.
size_t RecordReader::next_line(Place& place, char* into) {
  for (unsigned empty = 0; empty < rings_.workers();) {
    const auto may_want = [](const RecordHead& head, const void* format) { return static_cast<const LogFormat*>(format)->may_want(head); };
    const size_t bytes = place.columns[place.column].next(record_, may_want, &place.format);
    if (bytes == 0) {
      place.column = (place.column + 1) % rings_.workers();
      ++empty;
      continue;
    }
    RecordView record;
    if (!record.parse(record_, bytes) || !place.format.wants(record)) continue;
    const LineContext context{place.format, names, time_, place.column + 1};
    return size_t(write_line(record, context, into) - into);
  }
  return 0;
}

RecordReader::Counts RecordReader::counts(unsigned cursor) const {
  Counts sum;
  for (const RecordCursor& column : places_[cursor]->columns) {
    sum.lost += column.lost();
    sum.read += column.read();
  }
  return sum;
}

}  // namespace weir
