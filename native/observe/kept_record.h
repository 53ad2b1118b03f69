// What a record needs of an exchange that goes on after the buffer of its request head is given back, and of attempts that failed.
#pragma once
#include <string>

#include "observe/record.h"

namespace weir {

struct KeptRecord {
  bool has_texts = false;
  RecordHead head;    // client, lengths and captures
  std::string texts;  // as they come behind the notes
  AttemptNote notes[kMostNotes];
  unsigned note_count = 0;

  void note(const AttemptNote& n) {
    if (note_count < kMostNotes) notes[note_count++] = n;
  }
};

}  // namespace weir
