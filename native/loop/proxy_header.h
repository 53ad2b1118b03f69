// The PROXY protocol, versions 1 and 2 (haproxy.org/download/1.8/doc/proxy-protocol.txt): a few bytes before everything else on a
// connection, in which a proxy says whom it speaks for. Pure: bytes in, facts out, and the other way round.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "loop/address.h"

namespace weir {

constexpr uint32_t kMaxProxyHeaderBytes = 16 * 1024;  // version 2 with its TLVs; longer ones are refused
constexpr uint32_t kMaxSentProxyHeaderBytes = 107;    // version 1 is the longer one of those that we write

struct ProxyAddresses {
  PeerIp source;
  PeerIp destination;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
};

struct ProxyHeader {
  // False: LOCAL, UNKNOWN, UNSPEC, or neither TCP over IPv4 nor over IPv6: what the socket says stands.
  bool has_addresses = false;
  ProxyAddresses addresses;
  // Borrows the bytes that were read; well formed. Empty after LOCAL and for what follows UNSPEC without being TLVs.
  std::string_view tlvs;
};

struct ProxyRead {
  enum class Kind : uint8_t { incomplete, complete, failed } kind;
  uint32_t bytes = 0;         // complete: length of the header
  const char* why = nullptr;  // failed: a few words for people
};

// Reads a header from the start of a connection's bytes. Called again with more bytes after `incomplete`; keeps nothing in between.
// What cannot become a header fails with the first byte that shows it; `out` is empty until complete. Of a LOCAL header the family is
// ignored and the payload skipped. A CRC32c among the TLVs is verified.
[[nodiscard]] ProxyRead read_proxy_header(std::string_view bytes, ProxyHeader& out);

// The value of the first TLV of this type in a header's `tlvs`. Safe with any bytes: it stops where they are no longer TLVs.
[[nodiscard]] std::optional<std::string_view> find_tlv(std::string_view tlvs, uint8_t type);

enum class ProxyVersion : uint8_t { off, v1, v2 };

// Writes a header of at most kMaxSentProxyHeaderBytes and returns its length. `addresses` nullptr: unknown (a unix socket); v1 says
// UNKNOWN and v2 UNSPEC then. IPv4 and IPv6 are mixed as IPv4-mapped IPv6 addresses.
size_t write_proxy_header(ProxyVersion version, const ProxyAddresses* addresses, char* out);
// For connections of our own, as health checks: v1 UNKNOWN, v2 LOCAL.
size_t write_local_proxy_header(ProxyVersion version, char* out);

}  // namespace weir
