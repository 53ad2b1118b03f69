#include "http/request_target.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "http/scan.h"
#include "http/text.h"

namespace weir {
namespace {

enum : uint8_t { kRefused, kPlain, kSlash, kPercent, kQuestion };

constexpr std::array<uint8_t, 256> path_table() {
  std::array<uint8_t, 256> table{};
  for (int c = 0x21; c < 0x7f; ++c) table[c] = kPlain;
  for (const char* s = "#\\\"<>`{}"; *s != 0; ++s) table[static_cast<uint8_t>(*s)] = kRefused;
  table['/'] = kSlash;
  table['%'] = kPercent;
  table['?'] = kQuestion;
  return table;
}
constexpr std::array<uint8_t, 256> kPath = path_table();

// unreserved and sub-delims of RFC 3986 without the comma, which would look like a list of hosts.
constexpr std::array<bool, 256> name_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32] = true;
  for (const char* s = "-._~!$&'()*+;="; *s != 0; ++s) table[static_cast<uint8_t>(*s)] = true;
  return table;
}
constexpr std::array<bool, 256> kName = name_table();

bool is_hex(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f'); }

bool is_escape(const char* p, const char* end) { return end - p >= 3 && is_hex(p[1]) && is_hex(p[2]); }

bool is_port(std::string_view text, PortRule rule) {
  if (text.empty()) return rule == PortRule::optional;
  if (text.size() > 5) return false;
  uint32_t port = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  return port <= 65535 && (port > 0 || rule == PortRule::optional);
}

bool is_ipv6(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof(terminated)) return false;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = 0;
  in6_addr ignored;
  return std::memchr(terminated, 0, text.size()) == nullptr && inet_pton(AF_INET6, terminated, &ignored) == 1;
}

// What follows the host: nothing, or a colon and a port.
bool is_port_part(std::string_view text, PortRule rule) {
  if (text.empty()) return rule == PortRule::optional;
  return text[0] == ':' && is_port(text.substr(1), rule);
}

Span16 span(const MessageHead& head, const char* from, const char* to) {
  return {static_cast<uint16_t>(from - head.base), static_cast<uint16_t>(to - from)};
}

// Path and query up to `end`. An empty path is fine here: "http://host" has one.
bool parse_path(MessageHead& head, const char* p, const char* end) {
  const char* start = p;
  for (; p < end; ++p) {
    const uint8_t kind = kPath[static_cast<uint8_t>(*p)];
    if (kind == kPlain) continue;
    if (kind == kQuestion) break;
    if (kind == kSlash) {
      if (end - p >= 2 && (p[1] == '/' || p[1] == '.')) head.path_needs_normalizing = true;
    } else if (kind == kPercent && is_escape(p, end)) {
      head.path_needs_normalizing = true;
    } else {
      return false;
    }
  }
  head.path = span(head, start, p);
  if (p == end) return true;
  head.has_query = true;
  head.query = span(head, p + 1, end);
  return scan::skip_target(p + 1, end) == end;
}

bool parse_absolute(MessageHead& head, const char* p, const char* end) {
  const size_t length = static_cast<size_t>(end - p);
  size_t scheme = 0;
  if (length >= 7 && equals_ignoring_case({p, 7}, "http://")) scheme = 7;
  if (length >= 8 && equals_ignoring_case({p, 8}, "https://")) scheme = 8;
  if (scheme == 0) return false;
  const char* host = p + scheme;
  const char* host_end = host;
  while (host_end < end && *host_end != '/' && *host_end != '?') ++host_end;
  if (!is_authority({host, static_cast<size_t>(host_end - host)}, PortRule::optional)) return false;
  head.absolute_form = true;
  head.authority = span(head, host, host_end);
  return parse_path(head, host_end, end);
}

}  // namespace

bool is_authority(std::string_view text, PortRule port) {
  if (text.empty()) return false;
  if (text[0] == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    return is_ipv6(text.substr(1, close - 1)) && is_port_part(text.substr(close + 1), port);
  }
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    if (kName[static_cast<uint8_t>(*p)]) {
      ++p;
    } else if (*p == '%' && is_escape(p, end)) {
      p += 3;
    } else {
      break;
    }
  }
  const size_t host = static_cast<size_t>(p - text.data());
  return host > 0 && is_port_part(text.substr(host), port);
}

bool parse_target(MessageHead& head) {
  const char* p = head.base + head.target.at;
  const char* end = p + head.target.len;
  if (head.target.len == 0) return false;
  if (head.method == Method::connect) {
    head.authority = head.target;
    return is_authority({p, head.target.len}, PortRule::required);
  }
  if (*p == '/') return parse_path(head, p, end);
  if (*p == '*') {
    head.path = head.target;
    return head.target.len == 1 && head.method == Method::options;
  }
  return parse_absolute(head, p, end);
}

}  // namespace weir
