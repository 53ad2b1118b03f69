#include "observe/text_escape.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace weir {

namespace {

static_assert(std::endian::native == std::endian::little, "a word's lowest byte is taken for its first");

constexpr uint64_t kEach = 0x0101010101010101u;
constexpr char kHex[] = "0123456789abcdef";

// The highest bit of each byte that may not stand as it is: control characters, quotes, backslashes, what is not ASCII. Only the
// lowest of the bits is exact.
uint64_t special_bytes(uint64_t word) {
  const auto zero = [](uint64_t w) { return w - kEach; };
  return (word | (word - kEach * 0x20) | zero(word ^ kEach * '"') | zero(word ^ kEach * '\\') | zero(word ^ kEach * 0x7f)) & kEach * 0x80;
}

constexpr bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// Eight bytes at once; answers how many of them may stand as they are.
int copy_word(char* to, const char* from) {
  uint64_t word;
  std::memcpy(&word, from, 8);
  std::memcpy(to, &word, 8);
  const uint64_t special = special_bytes(word);
  return special ? std::countr_zero(special) / 8 : 8;
}

// Copies what may stand as it is; answers where it ends, which is before the end of the bytes also when `out` is full.
const char* copy_plain(TextOut& out, const char* p, const char* end) {
  const char* const begin = p;
  while (end - p >= 8 && out.end - out.at >= 8) {
    const int plain = copy_word(out.at, p);
    p += plain;
    out.at += plain;
    if (plain < 8) return p;
  }
  if (p - begin >= 8 && p < end && end - p < 8 && out.end - out.at >= end - p) {
    // The last word once more, with the bytes in front that were copied already.
    const auto again = 8 - (end - p);
    const int plain = copy_word(out.at - again, end - 8);
    out.at += plain - again;
    return end - 8 + plain;
  }
  while (p < end && out.at < out.end && is_plain(*p)) *out.at++ = *p++;
  return p;
}

// Whole or not at all; then nothing more fits.
bool put(TextOut& out, const char* piece, size_t bytes) {
  if (size_t(out.end - out.at) < bytes) {
    out.end = out.at;
    return false;
  }
  std::memcpy(out.at, piece, bytes);
  out.at += bytes;
  return true;
}

bool put_backslashed(TextOut& out, char c) {
  const char piece[] = {'\\', c};
  return put(out, piece, 2);
}

bool put_code_point(TextOut& out, unsigned code) {
  const char piece[] = {'\\', 'u', kHex[code >> 12 & 15], kHex[code >> 8 & 15], kHex[code >> 4 & 15], kHex[code & 15]};
  return put(out, piece, 6);
}

// One character of UTF-8, or the longest beginning of one that something else interrupts.
struct Character {
  unsigned bytes;
  unsigned code;
  bool is_valid;
};

// Lead byte: how many follow, and what the first of them may be, which rules out overlong forms, surrogates and more than U+10FFFF.
struct Lead {
  unsigned following, low, high;
};

Lead lead_of(unsigned byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {1, 0x80, 0xbf};
  if (byte >= 0xe0 && byte <= 0xef) return {2, byte == 0xe0 ? 0xa0u : 0x80u, byte == 0xed ? 0x9fu : 0xbfu};
  if (byte >= 0xf0 && byte <= 0xf4) return {3, byte == 0xf0 ? 0x90u : 0x80u, byte == 0xf4 ? 0x8fu : 0xbfu};
  return {0, 0, 0};
}

Character decode(const char* p, const char* end) {
  const auto byte = [p](unsigned i) { return unsigned(static_cast<unsigned char>(p[i])); };
  Lead lead = lead_of(byte(0));
  if (lead.following == 0) return {1, 0, false};
  unsigned code = byte(0) & (0x3fu >> lead.following);
  for (unsigned i = 1; i <= lead.following; ++i) {
    if (p + i == end || byte(i) < lead.low || byte(i) > lead.high) return {i, 0, false};
    code = code << 6 | (byte(i) & 0x3f);
    lead.low = 0x80;
    lead.high = 0xbf;
  }
  return {lead.following + 1, code, true};
}

// C1 controls; line and paragraph separators; embeddings, overrides and isolates of direction.
bool is_treacherous(unsigned code) {
  return code < 0xa0 || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

// What is not plain; answers where it ends, null when it does not fit.
const char* escape_one_json(TextOut& out, const char* p, const char* end) {
  const unsigned byte = static_cast<unsigned char>(*p);
  if (byte == '"' || byte == '\\') return put_backslashed(out, *p) ? p + 1 : nullptr;
  if (byte < 0x80) return put_code_point(out, byte) ? p + 1 : nullptr;
  const Character c = decode(p, end);
  const bool fits = !c.is_valid ? put(out, "\xef\xbf\xbd", 3) : is_treacherous(c.code) ? put_code_point(out, c.code) : put(out, p, c.bytes);
  return fits ? p + c.bytes : nullptr;
}

const char* escape_one_combined(TextOut& out, const char* p, const char*) {
  const unsigned byte = static_cast<unsigned char>(*p);
  const char hex[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
  const auto letter = [&](char c) { return put_backslashed(out, c); };
  bool fits = false;
  switch (*p) {
    case '"': case '\\': fits = letter(*p); break;
    case '\b': fits = letter('b'); break;
    case '\n': fits = letter('n'); break;
    case '\r': fits = letter('r'); break;
    case '\t': fits = letter('t'); break;
    case '\v': fits = letter('v'); break;
    default: fits = put(out, hex, sizeof hex);
  }
  return fits ? p + 1 : nullptr;
}

template <typename One>
void escape(TextOut& out, std::string_view bytes, One escape_special) {
  const char *p = bytes.data(), *end = p + bytes.size();
  while (p && p < end) {
    p = copy_plain(out, p, end);
    if (p == end || is_plain(*p)) return;  // a plain one was left because there is no room
    p = escape_special(out, p, end);
  }
}

}  // namespace

void escape_json(TextOut& out, std::string_view bytes) { escape(out, bytes, escape_one_json); }
std::string escaped_json(std::string_view bytes, size_t most) {
  std::string text(most, '\0');
  TextOut out{text.data(), text.data() + most};
  escape_json(out, bytes);
  text.resize(size_t(out.at - text.data()));
  return text;
}
void escape_combined(TextOut& out, std::string_view bytes) { escape(out, bytes, escape_one_combined); }

}  // namespace weir
