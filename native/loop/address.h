// Socket addresses: TCP over IPv4 or IPv6, or a unix path.
#pragma once
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct Address {
  union {
    sockaddr any;
    sockaddr_in in4;
    sockaddr_in6 in6;
    sockaddr_un un;
  };
  socklen_t length = 0;

  Address() : un{} {}
  [[nodiscard]] int family() const { return any.sa_family; }
  [[nodiscard]] uint16_t port() const {
    return family() == AF_INET ? ntohs(in4.sin_port) : family() == AF_INET6 ? ntohs(in6.sin6_port) : 0;
  }
  [[nodiscard]] static bool from_ip(const std::string& ip, uint16_t port, Address& out);  // textual IPv4 or IPv6
  [[nodiscard]] static bool from_path(const std::string& path, Address& out);
};

// A peer in 16 bytes: IPv4 is kept as an IPv4-mapped IPv6 address, a unix peer is all zero.
struct PeerIp {
  unsigned char bytes[16] = {};
  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool is_none() const;
  // Writes the usual text (RFC 5952), returns its length; at most 45 bytes.
  size_t print(char* out) const;
  [[nodiscard]] static PeerIp from(const sockaddr* a);
  [[nodiscard]] static bool parse(std::string_view text, PeerIp& out);  // IPv4, IPv6, [IPv6], each with an optional :port where unambiguous
};

// A list of CIDR ranges, e.g. the trusted proxies of a listener.
class CidrList {
 public:
  [[nodiscard]] bool add(std::string_view text);  // "10.0.0.0/8", "::1", "fd00::/8"
  [[nodiscard]] bool contains(const PeerIp& ip) const;
  [[nodiscard]] bool empty() const { return ranges_.empty(); }

 private:
  struct Range {
    PeerIp ip;
    uint8_t bits;  // of 128
  };
  std::vector<Range> ranges_;
};

}  // namespace weir
