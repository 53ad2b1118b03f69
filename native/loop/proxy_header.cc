// Version 2, and what both versions share. Version 1 is in proxy_line.cc, writing in proxy_header_writer.cc.
#include "loop/proxy_header.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "loop/proxy_line.h"

namespace weir {
namespace {

constexpr size_t kFixedBytes = 16;       // signature, version and command, family, length
constexpr size_t kTlvHeadBytes = 3;      // type and length
constexpr uint8_t kChecksumType = 0x03;  // PP2_TYPE_CRC32C
constexpr size_t kChecksumBytes = 4;
constexpr uint8_t kUnspec = 0x00, kTcp4 = 0x11, kTcp6 = 0x21;
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};

ProxyRead incomplete() { return {ProxyRead::Kind::incomplete}; }
ProxyRead failed(const char* why) { return {ProxyRead::Kind::failed, 0, why}; }
ProxyRead complete(size_t bytes) { return {ProxyRead::Kind::complete, static_cast<uint32_t>(bytes)}; }

uint8_t byte_at(std::string_view bytes, size_t at) { return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : 0; }

// In network order. A byte that is not there yet counts as 0, so the number can only grow.
size_t at_least_16(std::string_view bytes, size_t at) { return static_cast<size_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1)); }

// How many bytes of addresses a family and transport have; -1: there is no such family or transport.
int address_bytes(uint8_t family) {
  switch (family) {
    case kUnspec: return 0;
    case kTcp4:
    case 0x12: return 12;
    case kTcp6:
    case 0x22: return 36;
    case 0x31:
    case 0x32: return 216;
    default: return -1;
  }
}

// CRC32c (Castagnoli), bits reflected: RFC 3720 12.1.
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78u : 0);
  }
  return table;
}();

// Whether a header has, at `at`, the checksum of itself with zeros there.
bool checksum_holds(std::string_view header, size_t at) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool is_checksum = i >= at && i < at + kChecksumBytes;
    crc = crc >> 8 ^ kCrcTable[(crc ^ (is_checksum ? 0 : byte_at(header, i))) & 0xff];
  }
  return static_cast<uint32_t>(at_least_16(header, at) << 16 | at_least_16(header, at + 2)) == ~crc;
}

struct TlvWalk {
  bool fits = true;
  bool checksum_fits = true;  // one at most, and of the right length
  size_t checksum_at = 0;     // 0: there is none, as the value comes after its type and length
};

// Walks over TLVs that take `length` bytes, as far as they are there.
TlvWalk walk_tlvs(std::string_view there, size_t length) {
  TlvWalk walk;
  for (size_t at = 0; at < length;) {
    const size_t size = at_least_16(there, at + 1);
    if (at + kTlvHeadBytes + size > length) walk.fits = false;
    if (!walk.fits || at >= there.size()) break;
    const bool is_read = at + kTlvHeadBytes <= there.size();
    if (byte_at(there, at) == kChecksumType) {
      if (walk.checksum_at || (is_read ? size != kChecksumBytes : size > kChecksumBytes)) walk.checksum_fits = false;
      walk.checksum_at = at + kTlvHeadBytes;
    }
    if (!is_read) break;
    at += kTlvHeadBytes + size;
  }
  return walk;
}

void copy_addresses(const char* from, uint8_t family, ProxyHeader& out) {
  const size_t size = family == kTcp4 ? 4 : 16;
  for (PeerIp* ip : {&out.addresses.source, &out.addresses.destination}) {
    if (family == kTcp4) *ip = mapped_ipv4(from);
    else memcpy(ip->bytes, from, size);
    from += size;
  }
  out.addresses.source_port = static_cast<uint16_t>(at_least_16({from, 4}, 0));
  out.addresses.destination_port = static_cast<uint16_t>(at_least_16({from, 4}, 2));
  out.has_addresses = true;
}

// What follows the fixed bytes under the command PROXY. `header` ends with the header, or before where bytes are still missing.
ProxyRead read_payload(std::string_view header, size_t total, ProxyHeader& out) {
  const uint8_t family = byte_at(header, 13);
  const size_t tlvs_at = kFixedBytes + static_cast<size_t>(address_bytes(family));
  if (total < tlvs_at) return failed("a PROXY header is too short for its addresses");
  const bool is_whole = header.size() == total;
  const TlvWalk walk = walk_tlvs(header.substr(std::min(tlvs_at, header.size())), total - tlvs_at);
  // Without a family nothing says that these bytes are TLVs: they are when they read as such to the end.
  if (family == kUnspec && (!is_whole || !walk.fits)) return is_whole ? complete(total) : incomplete();
  if (!walk.fits) return failed("the TLVs of a PROXY header do not fit");
  if (!walk.checksum_fits) return failed("a PROXY header's checksum is malformed");
  if (!is_whole) return incomplete();
  if (walk.checksum_at && !checksum_holds(header, tlvs_at + walk.checksum_at)) return failed("a PROXY header's checksum is wrong");
  if (family == kTcp4 || family == kTcp6) copy_addresses(header.data() + kFixedBytes, family, out);
  out.tlvs = header.substr(tlvs_at);
  return complete(total);
}

ProxyRead read_v2(std::string_view bytes, ProxyHeader& out) {
  if (!kSignature.starts_with(bytes.substr(0, kSignature.size()))) return failed("not a PROXY header");
  if (bytes.size() <= 12) return incomplete();
  if (byte_at(bytes, 12) >> 4 != 2) return failed("unknown version of a PROXY header");
  const uint8_t command = byte_at(bytes, 12) & 0x0f;
  if (command > 1) return failed("unknown command in a PROXY header");
  const bool is_local = command == 0;
  if (!is_local && address_bytes(byte_at(bytes, 13)) < 0) return failed("unknown address family in a PROXY header");
  const size_t total = kFixedBytes + at_least_16(bytes, 14);
  if (total > kMaxProxyHeaderBytes) return failed("a PROXY header is too long");
  if (bytes.size() < kFixedBytes) return incomplete();
  // Of a LOCAL header the family is ignored and the payload skipped, whatever they are.
  if (is_local) return bytes.size() < total ? incomplete() : complete(total);
  return read_payload(bytes.substr(0, total), total, out);
}

}  // namespace

ProxyRead read_proxy_header(std::string_view bytes, ProxyHeader& out) {
  out = ProxyHeader{};
  return !bytes.empty() && bytes.front() == kSignature.front() ? read_v2(bytes, out) : read_proxy_line(bytes, out);
}

std::optional<std::string_view> find_tlv(std::string_view tlvs, uint8_t type) {
  while (tlvs.size() >= kTlvHeadBytes) {
    const size_t end = kTlvHeadBytes + at_least_16(tlvs, 1);
    if (end > tlvs.size()) break;
    if (byte_at(tlvs, 0) == type) return tlvs.substr(kTlvHeadBytes, end - kTlvHeadBytes);
    tlvs.remove_prefix(end);
  }
  return std::nullopt;
}

}  // namespace weir
