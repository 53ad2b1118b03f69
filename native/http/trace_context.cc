#include "http/trace_context.h"

#include <cstring>

namespace weir {

namespace {

constexpr unsigned kTraceAt = 3, kSpanAt = 36, kFlagsAt = 53;

bool is_hex(std::string_view text) {
  for (const char c : text)
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
  return true;
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

// Of version 00, or of a later one, whose first parts are the same.
bool is_valid(std::string_view t) {
  if (t.size() < TraceContext::kBytes || t[2] != '-' || t[35] != '-' || t[52] != '-') return false;
  if (!is_hex(t.substr(0, 2)) || !is_hex(t.substr(kTraceAt, 32)) || !is_hex(t.substr(kSpanAt, 16)) || !is_hex(t.substr(kFlagsAt, 2))) return false;
  if (t.substr(0, 2) == "ff" || is_zero(t.substr(kTraceAt, 32)) || is_zero(t.substr(kSpanAt, 16))) return false;
  return t.size() == TraceContext::kBytes || (t.substr(0, 2) != "00" && t[TraceContext::kBytes] == '-');
}

}  // namespace

bool begin_trace(std::string_view from_client, double share, Random& random, TraceContext& out) {
  const bool continues = is_valid(from_client);
  if (!continues && double(random.next() >> 11) * 0x1.0p-53 >= share) return false;
  char digits[32];
  memcpy(out.text, "00-", 3);
  if (continues) {
    memcpy(out.text + kTraceAt, from_client.data() + kTraceAt, 32);
  } else {
    random.hex32(out.text + kTraceAt);
    out.text[kTraceAt] = '1';  // never all zero
  }
  random.hex32(digits);
  digits[0] = '1';
  out.text[35] = '-';
  memcpy(out.text + kSpanAt, digits, 16);
  out.text[52] = '-';
  out.text[kFlagsAt] = '0';
  // Only `sampled` is passed on; what other flags mean is not known here.
  const char last = continues ? from_client[kFlagsAt + 1] : '1';
  const bool is_sampled = (last >= 'a' ? last - 'a' + 10 : last - '0') & 1;
  out.text[kFlagsAt + 1] = is_sampled ? '1' : '0';
  return true;
}

}  // namespace weir
