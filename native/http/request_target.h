// The target of a request line and the authority it names (RFC 9112 3.2, RFC 3986).
// Owns     nothing; fills spans of a MessageHead.
#pragma once
#include <string_view>

#include "http/message_head.h"

namespace weir {

enum class PortRule : uint8_t { optional, required };

// host[:port] with a non-empty host: a registered name, an IPv4 address or a bracketed IPv6 address; no userinfo, no comma.
// A port is 0-65535. `optional` also takes an empty port ("host:"); `required` wants 1-65535.
[[nodiscard]] bool is_authority(std::string_view text, PortRule port);

// Reads `head.target` in the form that `head.method` asks for; fills path, query, authority and the facts about them.
// False when the target is of no form or of the wrong one.
//
// Bytes: 0x21-0x7e without '#'. In the path also refused: '\' (some servers read it as '/'), and '"', '<', '>', '`', '{' and '}',
// which every browser encodes there; '|', '^', '[' and ']' are let through because some send them raw. '%' must start two hex digits.
// A query is opaque: nothing in it changes where the request goes, so it may hold any of those bytes.
[[nodiscard]] bool parse_target(MessageHead& head);

}  // namespace weir
