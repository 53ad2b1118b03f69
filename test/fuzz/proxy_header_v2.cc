// A version 2 header is read as a plain reading of the whole header has it, however it arrives, and nothing outside is touched.
// Input    byte 0: bit 0 puts the signature before the rest, bit 1 the right checksum into the first TLV for one; the rest: what the peer
//          sends, then also addresses to write and TLVs to search.
#include <string>

#include "proxy_header_checks.h"

using namespace weir;
using namespace weir::fuzz;

namespace {

constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};

size_t byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }
size_t u16(std::string_view bytes, size_t at) { return byte(bytes, at) << 8 | byte(bytes, at + 1); }

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
  }
  return ~crc;
}

std::string with_checksum(std::string header, size_t at) {
  header.replace(at, 4, 4, '\0');
  const uint32_t crc = crc32c(header);
  for (size_t i = 0; i < 4; ++i) header[at + i] = static_cast<char>(crc >> (24 - 8 * i));
  return header;
}

int address_bytes(size_t family) {
  const size_t kind = family >> 4, transport = family & 15;
  if (family == 0) return 0;
  if (kind < 1 || kind > 3 || transport < 1 || transport > 2) return -1;
  return kind == 1 ? 12 : kind == 2 ? 36 : 216;
}

struct Checksums {
  bool fit = false;  // the TLVs
  int count = 0;
  size_t at = 0, size = 0;  // of the first
};

Checksums checksums_of(std::string_view header, size_t at) {
  Checksums found;
  while (at + 3 <= header.size()) {
    if (byte(header, at) == 3 && found.count++ == 0) found.at = at + 3, found.size = u16(header, at + 1);
    at += 3 + u16(header, at + 1);
  }
  found.fit = at == header.size();
  return found;
}

// Whether these bytes, as many as their length says, are a header.
bool plain_read(const std::string& header, ProxyHeader& out) {
  const size_t command = byte(header, 12), family = byte(header, 13);
  if (header.size() > kMaxProxyHeaderBytes) return false;
  if (command == 0x20) return true;
  const int addresses = address_bytes(family);
  if (command != 0x21 || addresses < 0 || header.size() < 16 + static_cast<size_t>(addresses)) return false;
  const size_t tlvs_at = 16 + static_cast<size_t>(addresses);
  const Checksums checksums = checksums_of(header, tlvs_at);
  if (!checksums.fit) return family == 0;
  if (checksums.count > 1 || (checksums.count == 1 && checksums.size != 4)) return false;
  if (checksums.count == 1 && with_checksum(header, checksums.at) != header) return false;
  out.tlvs = std::string_view(header).substr(tlvs_at);
  out.has_addresses = family == 0x11 || family == 0x21;
  return true;
}

void check_against_plain_read(std::string_view bytes, const ProxyRead& read) {
  if (!bytes.starts_with(kSignature) || bytes.size() < 16) return require(read.kind != ProxyRead::Kind::complete);
  const size_t total = 16 + u16(bytes, 14);
  if (total > bytes.size()) return require(read.kind != ProxyRead::Kind::complete);
  const std::string whole(bytes.substr(0, total));
  ProxyHeader header, plain;
  const bool taken = plain_read(whole, plain);
  require(read.kind == (taken ? ProxyRead::Kind::complete : ProxyRead::Kind::failed));
  if (!taken) return;
  require(read.bytes == total && read_proxy_header(bytes, header).kind == read.kind);
  require(header.has_addresses == plain.has_addresses && header.tlvs == plain.tlvs);
  check_find_tlv(header.tlvs);
}

std::string input_of(uint8_t flags, std::string_view rest) {
  std::string bytes(flags & 1 ? kSignature : std::string_view());
  bytes += rest;
  if (!(flags & 2) || bytes.size() < 16 || address_bytes(byte(bytes, 13)) < 0 || 16 + u16(bytes, 14) > bytes.size()) return bytes;
  const std::string header = bytes.substr(0, 16 + u16(bytes, 14));
  const Checksums found = checksums_of(header, 16 + static_cast<size_t>(address_bytes(byte(bytes, 13))));
  if (found.count == 0 || found.at + 4 > header.size()) return bytes;
  return bytes.replace(0, header.size(), with_checksum(header, found.at));
}

void check_writing(std::string_view rest) {
  if (rest.size() < 36) return;
  ProxyAddresses a;
  std::memcpy(a.source.bytes, rest.data(), 16);
  std::memcpy(a.destination.bytes, rest.data() + 16, 16);
  a.source_port = static_cast<uint16_t>(u16(rest, 32));
  a.destination_port = static_cast<uint16_t>(u16(rest, 34));
  check_round_trip(a);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > 1024) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string bytes = input_of(data[0], rest);
  if (!bytes.empty() && bytes[0] == kSignature[0]) check_against_plain_read(bytes, check_prefixes(bytes));
  check_writing(rest);
  check_find_tlv(Exact(rest).view());
  return 0;
}
