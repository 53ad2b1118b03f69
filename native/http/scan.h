// Finds the next byte of interest in a message head, sixteen bytes at a time where the machine can.
// Pure: every function looks at [p, end) only and never reads a byte outside of it.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace weir::scan {

namespace detail {

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32] = true;
  for (const char* s = "!#$%&'*+-.^_`|~"; *s != 0; ++s) table[static_cast<uint8_t>(*s)] = true;
  return table;
}
inline constexpr std::array<bool, 256> kToken = token_table();

#if defined(__SSE2__)
#define WEIR_SCAN_BLOCKS 1
using Block = __m128i;
inline Block load(const char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline Block all(uint8_t c) { return _mm_set1_epi8(static_cast<char>(c)); }
inline Block equal(Block x, uint8_t c) { return _mm_cmpeq_epi8(x, all(c)); }
inline Block either(Block a, Block b) { return _mm_or_si128(a, b); }
inline Block without(Block a, Block b) { return _mm_andnot_si128(b, a); }
inline Block at_most(Block x, uint8_t c) { return _mm_cmpeq_epi8(_mm_min_epu8(x, all(c)), x); }
inline Block minus(Block x, uint8_t c) { return _mm_sub_epi8(x, all(c)); }
inline bool any(Block m) { return _mm_movemask_epi8(m) != 0; }
inline bool full(Block m) { return _mm_movemask_epi8(m) == 0xffff; }
inline size_t first_set(Block m) { return static_cast<size_t>(std::countr_zero(static_cast<uint32_t>(_mm_movemask_epi8(m)))); }
inline size_t first_clear(Block m) { return static_cast<size_t>(std::countr_one(static_cast<uint32_t>(_mm_movemask_epi8(m)))); }
#elif defined(__aarch64__)
#define WEIR_SCAN_BLOCKS 1
using Block = uint8x16_t;
inline Block load(const char* p) { return vld1q_u8(reinterpret_cast<const uint8_t*>(p)); }
inline Block equal(Block x, uint8_t c) { return vceqq_u8(x, vdupq_n_u8(c)); }
inline Block either(Block a, Block b) { return vorrq_u8(a, b); }
inline Block without(Block a, Block b) { return vbicq_u8(a, b); }
inline Block at_most(Block x, uint8_t c) { return vcleq_u8(x, vdupq_n_u8(c)); }
inline Block minus(Block x, uint8_t c) { return vsubq_u8(x, vdupq_n_u8(c)); }
// NEON has no movemask: narrowing by four bits leaves a nibble for each byte.
inline uint64_t nibbles(Block m) { return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(m), 4)), 0); }
inline bool any(Block m) { return nibbles(m) != 0; }
inline bool full(Block m) { return nibbles(m) == ~uint64_t{0}; }
inline size_t first_set(Block m) { return static_cast<size_t>(std::countr_zero(nibbles(m))) >> 2; }
inline size_t first_clear(Block m) { return static_cast<size_t>(std::countr_one(nibbles(m))) >> 2; }
#endif

constexpr bool is_control(uint8_t c) { return (c < 0x20 && c != '\t') || c == 0x7f; }
constexpr bool is_target(uint8_t c) { return c > 0x20 && c < 0x7f && c != '#'; }

}  // namespace detail

// RFC 9110 5.6.2: a byte that a method or a field name may consist of.
[[nodiscard]] constexpr bool is_token(char c) { return detail::kToken[static_cast<uint8_t>(c)]; }

// The first byte that may not stand in a line: a control byte other than HTAB, or DEL. `end` when there is none.
[[nodiscard]] inline const char* find_control(const char* p, const char* end) {
#ifdef WEIR_SCAN_BLOCKS
  for (; end - p >= 16; p += 16) {
    const detail::Block x = detail::load(p);
    const detail::Block low = detail::without(detail::at_most(x, 0x1f), detail::equal(x, '\t'));
    const detail::Block hit = detail::either(low, detail::equal(x, 0x7f));
    if (detail::any(hit)) return p + detail::first_set(hit);
  }
#endif
  while (p < end && !detail::is_control(static_cast<uint8_t>(*p))) ++p;
  return p;
}

// The first byte that is not a token byte, `end` when all are.
[[nodiscard]] inline const char* skip_token(const char* p, const char* end) {
#ifdef WEIR_SCAN_BLOCKS
  while (end - p >= 16) {
    const detail::Block x = detail::load(p);
    const detail::Block upper = detail::at_most(detail::minus(x, 'A'), 25);
    const detail::Block lower = detail::at_most(detail::minus(x, 'a'), 25);
    const detail::Block digit = detail::at_most(detail::minus(x, '0'), 9);
    const detail::Block usual = detail::either(detail::either(upper, lower), detail::either(digit, detail::equal(x, '-')));
    if (detail::full(usual)) {
      p += 16;
      continue;
    }
    p += detail::first_clear(usual);
    if (!is_token(*p)) return p;
    ++p;  // one of the rarer token bytes, such as '_' or '.'
  }
#endif
  while (p < end && is_token(*p)) ++p;
  return p;
}

// The first byte that no request target may contain: outside 0x21-0x7e, or '#'. `end` when there is none.
[[nodiscard]] inline const char* skip_target(const char* p, const char* end) {
#ifdef WEIR_SCAN_BLOCKS
  for (; end - p >= 16; p += 16) {
    const detail::Block x = detail::load(p);
    const detail::Block good = detail::without(detail::at_most(detail::minus(x, 0x21), 0x7e - 0x21), detail::equal(x, '#'));
    if (!detail::full(good)) return p + detail::first_clear(good);
  }
#endif
  while (p < end && detail::is_target(static_cast<uint8_t>(*p))) ++p;
  return p;
}

}  // namespace weir::scan
