// Records for tests, put together from their parts.
#pragma once
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "observe/record_ring.h"

namespace weir::check {

struct RecordParts {
  RecordHead head;
  std::vector<AttemptNote> notes;
  std::string texts[kRecordTexts];
  std::vector<std::pair<uint16_t, std::string>> captures;

  std::string& text(RecordText which) { return texts[unsigned(which)]; }

  // As it lies in a ring.
  std::string bytes() {
    std::string body;
    const auto put = [&body](const void* p, size_t n) { body.append(static_cast<const char*>(p), n); };
    head.notes = uint8_t(notes.size());
    head.captures = uint16_t(captures.size());
    for (unsigned i = 0; i < kRecordTexts; ++i) head.lengths[i] = uint16_t(texts[i].size());
    put(notes.data(), notes.size() * sizeof(AttemptNote));
    for (const std::string& text : texts) body += text;
    for (const auto& [index, value] : captures) {
      const uint16_t lead[] = {index, uint16_t(value.size())};
      put(lead, sizeof lead);
      body += value;
    }
    body.resize((body.size() + 7) / 8 * 8);
    head.bytes = uint32_t(sizeof head + body.size());
    return std::string(reinterpret_cast<const char*>(&head), sizeof head) + body;
  }
};

// An exchange of every day.
inline RecordParts usual_record() {
  RecordParts r;
  r.head.kind = abi::record_kind::exchange;
  r.head.attempts = 1;
  r.head.ended_at_us = 1'714'979'289'012'345;  // 2024-05-06T07:08:09.012Z
  r.head.bytes_in = 120;
  r.head.bytes_out = 4321;
  r.head.first_byte_us = 850;
  r.head.total_us = 1234;
  r.head.overhead_us = 17;
  r.head.flags = abi::record_flag::reused_connection;
  r.head.status = 200;
  r.head.listener = 0;
  r.head.route = 64;
  r.head.server = 3;
  r.head.peer_port = 54321;
  const unsigned char ip[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7};
  std::memcpy(r.head.peer, ip, 16);
  std::memcpy(r.head.client, ip, 16);
  r.text(RecordText::method) = "GET";
  r.text(RecordText::host) = "api.example.com";
  r.text(RecordText::target) = "/v1/users/4711?fields=name,mail";
  r.text(RecordText::request_id) = "0123456789abcdef0123456789abcdef";
  r.text(RecordText::user_agent) = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";
  return r;
}

inline void append(RecordRing& ring, const std::string& record) {
  if (char* at = ring.begin(record.size())) {
    std::memcpy(at, record.data(), record.size());
    ring.commit();
  }
}

}  // namespace weir::check
