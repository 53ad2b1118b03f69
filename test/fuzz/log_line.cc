// Whatever a record holds, its line is one line: strict JSON, or printable ASCII.
// Input    byte 0: which fields, and whether the record is made valid; byte 1: share of the texts; the rest is the record, or its parts.
#include "observe/log_line.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "record_json.h"
#include "record_parts.h"

using namespace weir;

namespace {

void require(bool holds) {
  if (!holds) abort();
}

const char* const kSecret = "token";

struct Fixture {
  Fixture() {
    names.set(RowNames::Kind::listener, 0, "web");
    names.set(RowNames::Kind::route, 64, "r\xff\"");
    names.set(RowNames::Kind::server, 3, "api/a");
    for (LogFormat* format : {&json, &combined, &few}) {
      format->secrets = {kSecret, "k"};
      format->headers = {{"x-a", false}, {"authorization", true}, {"x\x01\"", false}};
      format->fields = ~0u;
    }
    combined.kind = LogFormat::Kind::combined;
  }
  LogFormat json, combined, few;
  RowNames names;
  LogTime time;
  std::unique_ptr<char[]> into = std::make_unique<char[]>(kMostLineBytes);
};

// Its texts and captures from the input, one behind the other, each with a length of its own.
std::string made_record(const uint8_t* data, size_t size) {
  check::RecordParts parts = check::usual_record();
  const auto number = [&]() -> size_t {
    if (size == 0) return 0;
    --size;
    return *data++;
  };
  const auto bytes = [&](size_t n) {
    n = std::min(n, size);
    std::string text(reinterpret_cast<const char*>(data), n);
    data += n;
    size -= n;
    return text;
  };
  parts.head.kind = uint8_t(1 + number() % 2);
  parts.head.termination = uint8_t(number());
  parts.head.flags = uint32_t(number() | number() << 8);
  parts.head.status = uint16_t(number() << 8 | number());
  for (size_t i = number() % (kMostNotes + 1); i > 0; --i)
    parts.notes.push_back({uint32_t(number()), uint16_t(number() % 5), uint16_t(number() & 0xf), uint16_t(number() & 0xfff)});
  for (size_t i = number() % (kMostCaptures + 1); i > 0; --i) parts.captures.emplace_back(number() % 4, bytes(number()));
  for (std::string& text : parts.texts) text = bytes(number() % 8 == 0 ? number() << 5 : number());
  parts.text(RecordText::target) += bytes(kMostTargetBytes);
  return parts.bytes();
}

std::string line_of(Fixture& f, const RecordView& record, const LogFormat& format) {
  const char* end = write_line(record, {format, f.names, f.time, 7}, f.into.get());
  require(end > f.into.get() && end <= f.into.get() + kMostLineBytes && end[-1] == '\n');
  return {f.into.get(), size_t(end - f.into.get()) - 1};
}

void check_json(const std::string& line) {
  check::JsonText json(line);
  require(json.is_object());
}

void check_combined(const std::string& line) {
  for (const char c : line) require(c >= 0x20 && c < 0x7f);
  // Three quoted texts, whose own quotes are all escaped.
  int quotes = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') ++i;
    else if (line[i] == '"') ++quotes;
  }
  require(quotes == 6);
}

// Nothing is left to redact in what was redacted.
void check_redaction(std::string_view query, const SecretNames& secrets) {
  const auto once_more = [&](std::string_view text) {
    std::string out;
    each_redacted_piece(text, secrets, [&](std::string_view piece) { out += piece; });
    return out;
  };
  const std::string out = once_more(query);
  require(once_more(out) == out);
  const size_t at = out.find("&token=");
  require(at == std::string::npos || out.compare(at + 7, kRedacted.size(), kRedacted) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > kMostRecordBytes) return 0;
  static Fixture f;
  f.few.fields = data[1] * 0x01010101u;
  std::string bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  if (data[0] % 4 != 0) bytes = made_record(data + 2, size - 2);
  // In an allocation of its own, so that a read past the end is caught.
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  RecordView record;
  if (!record.parse(exact.get(), bytes.size())) return 0;
  check_json(line_of(f, record, f.json));
  check_json(line_of(f, record, f.few));
  check_combined(line_of(f, record, f.combined));
  check_redaction(record.text(RecordText::target), f.json.secrets);
  return 0;
}
