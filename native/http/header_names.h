// Field names and methods that the proxy itself understands, from their text.
#pragma once
#include <string_view>

#include "http/message_head.h"

namespace weir {

// Case-insensitive (RFC 9110 5.1). `HeaderId::other` for a name that is not ours to understand.
[[nodiscard]] HeaderId header_id_of(std::string_view name);

// Case-sensitive (RFC 9110 9.1). `Method::other` for an extension method; does not check that it is a token.
[[nodiscard]] Method method_of(std::string_view text);

// Ends at this hop and is never forwarded as it came (RFC 9110 7.6.1), whether Connection names it or not.
// Proxy-Authenticate and Proxy-Authorization are between a client and its proxy; head_writer.cc drops them as well.
[[nodiscard]] constexpr bool is_hop_by_hop(HeaderId id) {
  switch (id) {
    case HeaderId::connection:
    case HeaderId::keep_alive:
    case HeaderId::proxy_connection:
    case HeaderId::transfer_encoding:
    case HeaderId::te:
    case HeaderId::trailer:
    case HeaderId::upgrade:
    case HeaderId::http2_settings: return true;
    default: return false;
  }
}

}  // namespace weir
