#include "loop/address.h"

#include <arpa/inet.h>

#include <cstddef>
#include <cstring>

namespace weir {

bool Address::from_ip(const std::string& ip, uint16_t port, Address& out) {
  out = Address();
  if (inet_pton(AF_INET, ip.c_str(), &out.in4.sin_addr) == 1) {
    out.in4.sin_family = AF_INET;
    out.in4.sin_port = htons(port);
    out.length = sizeof(sockaddr_in);
    return true;
  }
  if (inet_pton(AF_INET6, ip.c_str(), &out.in6.sin6_addr) == 1) {
    out.in6.sin6_family = AF_INET6;
    out.in6.sin6_port = htons(port);
    out.length = sizeof(sockaddr_in6);
    return true;
  }
  return false;
}

bool Address::from_path(const std::string& path, Address& out) {
  out = Address();
  if (path.empty() || path.size() >= sizeof(out.un.sun_path)) return false;
  out.un.sun_family = AF_UNIX;
  memcpy(out.un.sun_path, path.c_str(), path.size() + 1);
  out.length = socklen_t(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return true;
}

namespace {
constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

char* print_byte(char* p, unsigned v) {
  if (v >= 100) *p++ = char('0' + v / 100);
  if (v >= 10) *p++ = char('0' + v / 10 % 10);
  *p++ = char('0' + v % 10);
  return p;
}

bool parse_plain(std::string_view text, PeerIp& out) {
  char z[INET6_ADDRSTRLEN + 1];
  if (text.empty() || text.size() >= sizeof(z)) return false;
  memcpy(z, text.data(), text.size());
  z[text.size()] = 0;
  if (inet_pton(AF_INET, z, out.bytes + 12) == 1) {
    memcpy(out.bytes, kMapped, 12);
    return true;
  }
  return inet_pton(AF_INET6, z, out.bytes) == 1;
}
}  // namespace

bool PeerIp::is_v4() const { return memcmp(bytes, kMapped, 12) == 0; }

bool PeerIp::is_none() const {
  static const unsigned char zero[16] = {};
  return memcmp(bytes, zero, 16) == 0;
}

size_t PeerIp::print(char* out) const {
  if (is_v4()) {
    char* p = out;
    for (int i = 12; i < 16; ++i) {
      if (i > 12) *p++ = '.';
      p = print_byte(p, bytes[i]);
    }
    return size_t(p - out);
  }
  char z[INET6_ADDRSTRLEN];
  if (!inet_ntop(AF_INET6, bytes, z, sizeof z)) return 0;
  const size_t n = strlen(z);
  memcpy(out, z, n);
  return n;
}

PeerIp PeerIp::from(const sockaddr* a) {
  PeerIp ip;
  if (a->sa_family == AF_INET) {
    memcpy(ip.bytes, kMapped, 12);
    memcpy(ip.bytes + 12, &reinterpret_cast<const sockaddr_in*>(a)->sin_addr, 4);
  } else if (a->sa_family == AF_INET6) {
    memcpy(ip.bytes, &reinterpret_cast<const sockaddr_in6*>(a)->sin6_addr, 16);
  }
  return ip;
}

bool PeerIp::parse(std::string_view text, PeerIp& out) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    return close != std::string_view::npos && parse_plain(text.substr(1, close - 1), out);
  }
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) text = text.substr(0, colon);
  return parse_plain(text, out);
}

bool CidrList::add(std::string_view text) {
  const size_t slash = text.find('/');
  Range r{};
  if (!parse_plain(text.substr(0, slash), r.ip)) return false;
  const unsigned base = r.ip.is_v4() ? 96 : 0;
  unsigned bits = 128 - base;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3) return false;
    unsigned n = 0;
    for (char c : digits) {
      if (c < '0' || c > '9') return false;
      n = n * 10 + unsigned(c - '0');
    }
    if (n > bits) return false;
    bits = n;
  }
  r.bits = uint8_t(base + bits);
  ranges_.push_back(r);
  return true;
}

bool CidrList::contains(const PeerIp& ip) const {
  for (const Range& r : ranges_) {
    const unsigned whole = r.bits / 8, rest = r.bits % 8;
    if (memcmp(ip.bytes, r.ip.bytes, whole) != 0) continue;
    if (rest == 0) return true;
    const unsigned mask = 0xff00u >> rest & 0xff;
    if (((ip.bytes[whole] ^ r.ip.bytes[whole]) & mask) == 0) return true;
  }
  return false;
}

}  // namespace weir
