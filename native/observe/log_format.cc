#include "observe/log_format.h"

#include "observe/text_escape.h"

namespace weir {

namespace {

uint64_t mixed(uint64_t h, uint64_t value) {
  h = (h ^ value) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 32;
}

uint64_t hash_of(const RecordView& record) {
  uint64_t h = 0x2545f4914f6cdd1du;
  const std::string_view id = record.text(RecordText::request_id);
  if (!id.empty()) {
    for (const char c : id) h = mixed(h, static_cast<unsigned char>(c));
    return mixed(h, id.size());
  }
  h = mixed(mixed(h, record.head.ended_at_us), record.head.peer_port);
  for (const unsigned char c : record.head.peer) h = mixed(h, c);
  return mixed(h, record.head.total_us);
}

}  // namespace

LogFormat::Header::Header(std::string_view plain, bool secret) : name(escaped_json(plain, kMostHeaderNameBytes)), is_secret(secret), key(capture_key(plain)) {}

bool LogFormat::may_want(const RecordHead& head) const {
  if (only_traced && head.lengths[unsigned(RecordText::traceparent)] == 0) return false;
  if (share > 0 || (slow_us > 0 && head.total_us >= slow_us)) return true;
  return head.termination != abi::termination::ok || head.status >= 500 || head.attempts > 1;
}

bool LogFormat::wants(const RecordView& record) const {
  const RecordHead& head = record.head;
  if (!may_want(head)) return false;
  if (share >= 1 || (slow_us > 0 && head.total_us >= slow_us)) return true;
  if (head.termination != abi::termination::ok || head.status >= 500 || head.attempts > 1) return true;
  return double(hash_of(record) >> 11) * 0x1p-53 < share;
}

}  // namespace weir
