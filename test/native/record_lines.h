// Formats records of tests.
#pragma once
#include <memory>
#include <string>

#include "check.h"
#include "observe/log_line.h"
#include "record_json.h"
#include "record_parts.h"

namespace weir::check {

constexpr uint32_t kAllFields = ~0u;

// A format, the names that its lines use, and the bytes of the latest line without its end.
struct Lines {
  LogFormat format;
  RowNames names;
  LogTime time;
  std::unique_ptr<char[]> into = std::make_unique<char[]>(kMostLineBytes);

  explicit Lines(LogFormat::Kind kind = LogFormat::Kind::json) {
    format.kind = kind;
    format.fields = kAllFields;
    names.set(RowNames::Kind::listener, 0, "web");
    names.set(RowNames::Kind::route, 64, "api.example.com/v1/");
    names.set(RowNames::Kind::server, 3, "api/a");
    names.set(RowNames::Kind::server, 4, "api/b/2");
  }

  std::string of(RecordParts parts) {
    const std::string bytes = parts.bytes();
    RecordView record;
    if (!record.parse(bytes.data(), bytes.size())) return "no record";
    const char* end = write_line(record, {format, names, time, 1}, into.get());
    CHECK(end > into.get() && end - into.get() <= int(kMostLineBytes) && end[-1] == '\n');
    const std::string line(into.get(), size_t(end - into.get()) - 1);
    CHECK_EQ(line.find('\n'), std::string::npos);
    return line;
  }

  // One member of a JSON line; `none` when it has none.
  std::string member(const RecordParts& parts, const std::string& name) {
    const std::string line = of(parts);
    JsonText json(line);
    if (!json.is_object()) return "no JSON: " + line;
    const auto found = json.members.find(name);
    return found == json.members.end() ? "none" : found->second;
  }
};

}  // namespace weir::check
