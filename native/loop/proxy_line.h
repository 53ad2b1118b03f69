// Version 1 of the PROXY protocol: one line of text. For read_proxy_header, which tells the versions apart.
#pragma once
#include <string_view>

#include "loop/proxy_header.h"

namespace weir {

// As read_proxy_header; fills `out` when complete only.
[[nodiscard]] ProxyRead read_proxy_line(std::string_view bytes, ProxyHeader& out);

// Four bytes in network order as an IPv4-mapped address.
[[nodiscard]] PeerIp mapped_ipv4(const void* ipv4);

}  // namespace weir
