// A record taken apart. Whoever wrote it is not believed: nothing of it reaches past its end.
#pragma once
#include <string_view>

#include "observe/record.h"

namespace weir {

struct CapturedField {
  uint16_t key;  // capture_key of its name
  std::string_view value;
};

// Borrows  the record's bytes.
struct RecordView {
  RecordHead head;
  AttemptNote notes[kMostNotes];
  std::string_view texts[kRecordTexts];
  CapturedField captures[kMostCaptures];

  [[nodiscard]] std::string_view text(RecordText which) const { return texts[unsigned(which)]; }
  [[nodiscard]] bool has(int flag) const { return head.flags & uint32_t(flag); }

  // False: it is none, or its lengths are wrong.
  [[nodiscard]] bool parse(const char* record, size_t bytes);
};

}  // namespace weir
