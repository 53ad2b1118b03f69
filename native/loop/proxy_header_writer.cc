#include <charconv>
#include <cstring>

#include "loop/proxy_header.h"

namespace weir {
namespace {

constexpr std::string_view kUnknownLine = "PROXY UNKNOWN\r\n";
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr uint8_t kLocal = 0x20, kProxy = 0x21;  // version 2 and the command
constexpr uint8_t kUnspec = 0x00, kTcp4 = 0x11, kTcp6 = 0x21;

char* put(char* p, const void* bytes, size_t size) {
  memcpy(p, bytes, size);
  return p + size;
}

char* put(char* p, std::string_view text) { return put(p, text.data(), text.size()); }

char* put_port(char* p, uint16_t port) { return std::to_chars(p, p + 5, port).ptr; }

char* put_ip(char* p, const PeerIp& ip, bool as_v6) {
  if (as_v6 && ip.is_v4()) p = put(p, "::ffff:");
  return p + ip.print(p);
}

bool are_v4(const ProxyAddresses& a) { return a.source.is_v4() && a.destination.is_v4(); }

size_t write_line(const ProxyAddresses& a, char* out) {
  const bool as_v6 = !are_v4(a);
  char* p = put(out, as_v6 ? "PROXY TCP6 " : "PROXY TCP4 ");
  p = put(put_ip(p, a.source, as_v6), " ");
  p = put(put_ip(p, a.destination, as_v6), " ");
  p = put(put_port(p, a.source_port), " ");
  p = put(put_port(p, a.destination_port), "\r\n");
  return static_cast<size_t>(p - out);
}

char* put_u16(char* p, uint16_t value) {
  const char bytes[2] = {static_cast<char>(value >> 8), static_cast<char>(value)};
  return put(p, bytes, 2);
}

char* put_fixed(char* p, uint8_t command, uint8_t family, uint16_t length) {
  const char bytes[2] = {static_cast<char>(command), static_cast<char>(family)};
  return put_u16(put(put(p, kSignature), bytes, 2), length);
}

size_t write_binary(const ProxyAddresses& a, char* out) {
  const bool v4 = are_v4(a);
  const size_t skipped = v4 ? 12 : 0, size = 16 - skipped;
  char* p = put_fixed(out, kProxy, v4 ? kTcp4 : kTcp6, static_cast<uint16_t>(2 * size + 4));
  p = put(p, a.source.bytes + skipped, size);
  p = put(p, a.destination.bytes + skipped, size);
  p = put_u16(put_u16(p, a.source_port), a.destination_port);
  return static_cast<size_t>(p - out);
}

size_t write_empty(ProxyVersion version, uint8_t command, char* out) {
  switch (version) {
    case ProxyVersion::off: return 0;
    case ProxyVersion::v1: return static_cast<size_t>(put(out, kUnknownLine) - out);
    case ProxyVersion::v2: return static_cast<size_t>(put_fixed(out, command, kUnspec, 0) - out);
  }
  return 0;
}

}  // namespace

size_t write_proxy_header(ProxyVersion version, const ProxyAddresses* addresses, char* out) {
  if (!addresses || version == ProxyVersion::off) return write_empty(version, kProxy, out);
  return version == ProxyVersion::v1 ? write_line(*addresses, out) : write_binary(*addresses, out);
}

size_t write_local_proxy_header(ProxyVersion version, char* out) { return write_empty(version, kLocal, out); }

}  // namespace weir
