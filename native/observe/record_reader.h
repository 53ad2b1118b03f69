// Reads the records of all workers and formats them: for the access log, for `weir tail` and `weir why`.
// Thread   one at a time; each object is on its own.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "observe/log_line.h"
#include "observe/record_ring.h"
#include "observe/ring_map.h"

namespace weir {

class RecordReader {
 public:
  static constexpr unsigned kMostCursors = 16;
  struct Counts {
    uint64_t lost = 0;
    uint64_t read = 0;
  };

  // Once. False: errno says why.
  [[nodiscard]] bool map(int board_fd, unsigned workers) { return rings_.map(board_fd, workers); }

  // A number for the other calls, or -1 when there are as many as there may be.
  [[nodiscard]] int open(LogFormat format, RecordCursor::From from);
  [[nodiscard]] bool is_open(unsigned cursor) const { return cursor < kMostCursors && places_[cursor]; }
  // The cursor of each of these is open.
  void reformat(unsigned cursor, LogFormat format) { places_[cursor]->format = std::move(format); }
  void close(unsigned cursor) { places_[cursor].reset(); }
  // Writes whole lines of what is new; `room` is kMostLineBytes at least. 0: nothing is new.
  [[nodiscard]] size_t read(unsigned cursor, char* into, size_t room);
  [[nodiscard]] Counts counts(unsigned cursor) const;

  RowNames names;

 private:
  // Where one cursor is in the rings of all workers.
  struct Place {
    LogFormat format;
    std::vector<RecordCursor> columns;
    unsigned column = 0;
    std::string left_over;  // a line for which there was no room
  };
  [[nodiscard]] size_t next_line(Place& place, char* into);

  RingMap rings_;
  LogTime time_;
  std::unique_ptr<Place> places_[kMostCursors];
  alignas(8) char record_[kMostRecordBytes];
  char line_[kMostLineBytes];
};

}  // namespace weir
