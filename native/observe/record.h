// What is kept of one ended exchange or tunnel: a head of fixed size, then its texts one behind the other. It lies in the ring of its
// worker on the board, where whoever formats it reads it from another process. TypeScript twin: src/native/abi.ts (record…).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/abi.h"

namespace weir {

// One attempt that came to nothing.
struct AttemptNote {
  uint32_t at_us = 0;  // since the exchange began
  uint16_t server = 0xffff;
  uint16_t reason : 4 = 0;  // abi::failure
  uint16_t detail : 12 = 0;  // errno where there is one; of the reason `status` that status
};
constexpr unsigned kMostNotes = 8;

enum class RecordText : uint8_t { method, host, target, request_id, referer, user_agent, traceparent, count };
constexpr unsigned kRecordTexts = unsigned(RecordText::count);

// By which a captured field is known: of its name in lower case, FNV-1a folded to 16 bits. A record that outlives a change of the
// configuration is never shown under the name of another field.
constexpr uint16_t capture_key(std::string_view name) {
  uint32_t h = 2166136261u;
  for (const char c : name) h = (h ^ uint8_t(c >= 'A' && c <= 'Z' ? c | 0x20 : c)) * 16777619u;
  return uint16_t(h ^ h >> 16);
}

constexpr uint16_t kNobody = 0xffff;

struct RecordHead {
  uint32_t bytes = 0;  // of all of it, a multiple of 8
  uint8_t kind = 0;    // abi::record_kind
  uint8_t termination = 0;
  uint8_t attempts = 0;
  uint8_t notes = 0;  // AttemptNotes behind this head
  uint64_t ended_at_us = 0;  // since 1970
  uint64_t bytes_in = 0;     // from the client
  uint64_t bytes_out = 0;    // to the client
  uint32_t queue_us = 0;     // phases that did not happen are 0
  uint32_t connect_us = 0;
  uint32_t first_byte_us = 0;
  uint32_t total_us = 0;
  uint32_t overhead_us = 0;
  uint32_t flags = 0;  // abi::record_flag
  uint16_t status = 0;   // that the client got; 0 for none
  uint16_t listener = 0;
  uint16_t route = 0;         // row of the board; a listener's own for none
  uint16_t server = kNobody;  // row of the last one that was tried
  uint16_t peer_port = 0;
  uint16_t captures = 0;      // header fields that the configuration names: behind the texts, each (capture_key u16, length u16, bytes)
  unsigned char peer[16] = {};    // who connected; IPv4 as ::ffff:a.b.c.d
  unsigned char client[16] = {};  // who asked, past proxies that are trusted
  uint16_t lengths[kRecordTexts] = {};  // of the texts, in the order of RecordText
  uint16_t unused[3] = {};
};
static_assert(sizeof(RecordHead) == 120 && sizeof(AttemptNote) == 8);

// Longer texts are cut, and `truncated` is set. A record is never larger than kMostRecordBytes.
constexpr unsigned kMostTargetBytes = 8192;
constexpr unsigned kMostTextBytes = 1024;
constexpr unsigned kMostCaptures = 8;
constexpr unsigned kMostRecordBytes = 32768;

}  // namespace weir
