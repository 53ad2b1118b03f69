// Addresses of 16 bytes as text; IPv4 is ::ffff:a.b.c.d there.
#pragma once
#include <cstring>

namespace weir {

using IpBytes = unsigned char[16];

[[nodiscard]] inline bool is_ipv4(const IpBytes& ip) {
  static constexpr IpBytes kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(ip, kMapped, 12) == 0;
}
[[nodiscard]] inline bool is_no_ip(const IpBytes& ip) {
  static constexpr IpBytes kNone = {};
  return std::memcmp(ip, kNone, sizeof kNone) == 0;
}

// Writes the usual text (RFC 5952), at most 45 bytes, and answers where it ends.
[[nodiscard]] char* write_ip(const IpBytes& ip, char* out);

}  // namespace weir
