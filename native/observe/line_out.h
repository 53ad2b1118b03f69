// Where a line is written. What is not a client's text is known to fit: see the budget.
#pragma once
#include <charconv>
#include <cstring>
#include <string_view>

#include "observe/ip_text.h"
#include "observe/log_line.h"
#include "observe/text_escape.h"

namespace weir {

// The budget of a line: how long the texts of clients may become by escapes, and what is left for everything else.
constexpr size_t kMostTargetOut = 24 * 1024;  // path and query together
constexpr size_t kMostTextOut = 2 * 1024;
constexpr size_t kMostCaptureOut = 1536;
constexpr size_t kMostFixedOut = 16 * 1024;  // keys, numbers, addresses, names
static_assert(kMostTargetOut + (kRecordTexts - 1) * kMostTextOut + kMostCaptures * kMostCaptureOut + kMostFixedOut <= kMostLineBytes);
static_assert((3 + 2 * kMostNotes) * kMostNameBytes + kMostCaptures * kMostHeaderNameBytes + 4096 <= kMostFixedOut);

using Escape = void (*)(TextOut&, std::string_view);

struct LineOut {
  char* at;

  void put(char c) { *at++ = c; }
  void put(std::string_view s) {
    std::memcpy(at, s.data(), s.size());
    at += s.size();
  }
  void number(uint64_t n) { at = std::to_chars(at, at + 20, n).ptr; }
  void ip(const IpBytes& bytes) { at = write_ip(bytes, at); }
  void text(Escape escape, std::string_view bytes, size_t most) {
    TextOut out{at, at + most};
    escape(out, bytes);
    at = out.at;
  }
  // A query, or a URL with one.
  void redacted(Escape escape, std::string_view bytes, const SecretNames& secrets, size_t most) {
    TextOut out{at, at + most};
    each_redacted_piece(bytes, secrets, [&](std::string_view piece) { escape(out, piece); });
    at = out.at;
  }
};

// A URL whose query has secrets.
inline void put_url(LineOut& out, Escape escape, std::string_view url, const SecretNames& secrets, size_t most) {
  char* const begin = out.at;
  const size_t query = query_at(url);
  out.text(escape, url.substr(0, query), most);
  out.redacted(escape, url.substr(query), secrets, most - size_t(out.at - begin));
}

}  // namespace weir
