// What does a record cost: written by the worker, read by the log's thread, and formatted as a line of the access log?
#include <cstring>
#include <memory>

#include "observe/log_line.h"
#include "operation.h"
#include "record_parts.h"
#include "stats/board.h"

namespace weir::guard {

namespace {

using check::usual_record;

Operation ring() {
  auto board = std::make_shared<Board>();
  require(board->map(-1, 1, 0), "the board was not mapped");
  const std::string record = usual_record().bytes();
  return {"record-ring", record.size(), [board, record](unsigned times) {
            RecordRing ring(board->ring(0));
            RecordCursor cursor(board->ring(0), RecordCursor::From::latest);
            const auto into = std::make_unique<char[]>(kMostRecordBytes);
            size_t bytes = 0;
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                if (char* at = ring.begin(record.size())) std::memcpy(at, record.data(), record.size());
                ring.commit();
                bytes = cursor.next(into.get());
              }
            });
            require(bytes == record.size(), "a record was not read");
          }};
}

Operation line(const char* name, LogFormat::Kind kind) {
  auto format = std::make_shared<LogFormat>();
  format->kind = kind;
  format->fields = ~0u;
  auto names = std::make_shared<RowNames>();
  names->set(RowNames::Kind::listener, 0, "web");
  names->set(RowNames::Kind::route, 64, "api.example.com/v1/");
  names->set(RowNames::Kind::server, 3, "api/a");
  const std::string bytes = usual_record().bytes();
  return {name, bytes.size(), [format, names, bytes](unsigned times) {
            LogTime clock;
            const auto into = std::make_unique<char[]>(kMostLineBytes);
            const char* end = into.get();
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                RecordView record;
                if (record.parse(bytes.data(), bytes.size())) end = write_line(record, {*format, *names, clock, 1}, into.get());
                keep(*into.get());
              }
            });
            require(end - into.get() > 80, "a line was not written");
          }};
}

}  // namespace

std::vector<Operation> operations() {
  return {ring(), line("log-line-json", LogFormat::Kind::json), line("log-line-combined", LogFormat::Kind::combined)};
}

}  // namespace weir::guard
