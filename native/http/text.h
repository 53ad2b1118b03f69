// ASCII text helpers of HTTP: case, token lists, numbers.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; }

// `other` is in lower case already.
inline bool equals_ignoring_case(std::string_view any, std::string_view other) {
  if (any.size() != other.size()) return false;
  for (size_t i = 0; i < any.size(); ++i)
    if (lower(any[i]) != other[i]) return false;
  return true;
}

inline std::string lower_case(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = lower(c);
  return out;
}

inline std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// Calls `each(token)` for every non-empty element of a comma-separated list (RFC 9110 5.6.1).
template <typename F>
void each_token(std::string_view list, F&& each) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view token = trim(list.substr(0, comma));
    if (!token.empty()) each(token);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace weir
