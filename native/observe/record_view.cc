#include "observe/record_view.h"

#include <cstring>

namespace weir {

namespace {

// Takes bytes off the front of what is left of a record.
struct Rest {
  const char* at;
  size_t bytes;

  [[nodiscard]] bool take(void* into, size_t n) {
    if (bytes < n) return false;
    std::memcpy(into, at, n);
    at += n;
    bytes -= n;
    return true;
  }
  [[nodiscard]] bool take(std::string_view& into, size_t n) {
    if (bytes < n) return false;
    into = {at, n};
    at += n;
    bytes -= n;
    return true;
  }
};

}  // namespace

bool RecordView::parse(const char* record, size_t bytes) {
  Rest rest{record, bytes};
  if (!rest.take(&head, sizeof head)) return false;
  if (head.kind != abi::record_kind::exchange && head.kind != abi::record_kind::tunnel) return false;
  if (head.notes > kMostNotes || head.captures > kMostCaptures) return false;
  if (!rest.take(notes, head.notes * sizeof(AttemptNote))) return false;
  for (unsigned i = 0; i < kRecordTexts; ++i)
    if (!rest.take(texts[i], head.lengths[i])) return false;
  for (unsigned i = 0; i < head.captures; ++i) {
    uint16_t lead[2];  // index, length
    if (!rest.take(lead, sizeof lead)) return false;
    captures[i].key = lead[0];
    if (!rest.take(captures[i].value, lead[1])) return false;
  }
  return true;
}

}  // namespace weir
