#include "observe/ip_text.h"

#include <arpa/inet.h>

#include <charconv>

namespace weir {

char* write_ip(const IpBytes& ip, char* out) {
  if (is_ipv4(ip)) {
    for (int i = 12; i < 16; ++i) {
      if (i > 12) *out++ = '.';
      out = std::to_chars(out, out + 3, unsigned(ip[i])).ptr;
    }
    return out;
  }
  char text[INET6_ADDRSTRLEN];
  if (!::inet_ntop(AF_INET6, ip, text, sizeof text)) return out;
  const size_t bytes = std::strlen(text);
  std::memcpy(out, text, bytes);
  return out + bytes;
}

}  // namespace weir
