// What holds for every input of the two PROXY header targets.
#pragma once
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "loop/proxy_header.h"

namespace weir::fuzz {

inline void require(bool holds) {
  if (!holds) abort();
}

// A copy that ends where its allocation ends, so that a read past it is caught.
struct Exact {
  explicit Exact(std::string_view from) : bytes(std::make_unique<char[]>(from.size())), size(from.size()) {
    if (size > 0) std::memcpy(bytes.get(), from.data(), size);
  }
  [[nodiscard]] std::string_view view() const { return {bytes.get(), size}; }
  std::unique_ptr<char[]> bytes;
  size_t size;
};

inline void require_same(const ProxyAddresses& a, const ProxyAddresses& b) {
  require(std::memcmp(a.source.bytes, b.source.bytes, 16) == 0 && std::memcmp(a.destination.bytes, b.destination.bytes, 16) == 0);
  require(a.source_port == b.source_port && a.destination_port == b.destination_port);
}

// The value is inside of the TLVs, and the first of its type.
inline void check_find_tlv(std::string_view tlvs) {
  for (int type = 0; type < 256; ++type) {
    const auto value = find_tlv(tlvs, static_cast<uint8_t>(type));
    if (!value) continue;
    require(value->data() >= tlvs.data() + 3 && value->data() + value->size() <= tlvs.data() + tlvs.size());
    const unsigned char* head = reinterpret_cast<const unsigned char*>(value->data()) - 3;
    require(head[0] == type && static_cast<size_t>(head[1] << 8 | head[2]) == value->size());
    require(!find_tlv(tlvs.substr(0, static_cast<size_t>(value->data() - tlvs.data()) - 3), static_cast<uint8_t>(type)));
  }
}

inline void check_header(std::string_view bytes, const ProxyRead& read, const ProxyHeader& header) {
  if (read.kind != ProxyRead::Kind::complete) return require(!header.has_addresses && header.tlvs.empty());
  require(read.bytes > 0 && read.bytes <= bytes.size() && read.bytes <= kMaxProxyHeaderBytes);
  if (header.tlvs.empty()) return;
  require(header.tlvs.data() > bytes.data() && header.tlvs.data() + header.tlvs.size() == bytes.data() + read.bytes);
}

inline void check_round_trip(const ProxyAddresses& addresses) {
  for (const ProxyVersion version : {ProxyVersion::v1, ProxyVersion::v2}) {
    char out[kMaxSentProxyHeaderBytes];
    const Exact written({out, write_proxy_header(version, &addresses, out)});
    ProxyHeader header;
    const ProxyRead read = read_proxy_header(written.view(), header);
    require(read.kind == ProxyRead::Kind::complete && read.bytes == written.size && header.has_addresses && header.tlvs.empty());
    require_same(header.addresses, addresses);
  }
}

// Reads every prefix: incomplete ones first, then the decision, which no byte that follows changes. Returns the read of all bytes.
inline ProxyRead check_prefixes(std::string_view bytes) {
  ProxyRead decided{ProxyRead::Kind::incomplete};
  ProxyHeader first;
  for (size_t n = 0; n <= bytes.size(); ++n) {
    const Exact part(bytes.substr(0, n));
    ProxyHeader header;
    const ProxyRead read = read_proxy_header(part.view(), header);
    check_header(part.view(), read, header);
    require((read.why != nullptr) == (read.kind == ProxyRead::Kind::failed));
    if (decided.kind == ProxyRead::Kind::incomplete) {
      decided = read;
      if (read.kind == ProxyRead::Kind::complete) require(read.bytes == n);
      first = header;
    }
    require(read.kind == decided.kind && read.bytes == decided.bytes && header.has_addresses == first.has_addresses);
    require_same(header.addresses, first.addresses);
  }
  if (first.has_addresses) check_round_trip(first.addresses);
  return decided;
}

}  // namespace weir::fuzz
