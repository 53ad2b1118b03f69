// Reads from a TLS ClientHello what a connection can be routed by, without touching a byte of it (RFC 8446 4.1.2, RFC 6066 3,
// RFC 7301). Pure; understands TLS 1.0 to 1.3 hellos, cut into any number of records.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

constexpr uint32_t kMaxHelloBytes = 64 * 1024;  // on the wire, with record headers

struct ClientHello {
  std::string server_name;  // 1..255 bytes of visible ASCII, lower case, without a final dot; empty where the client named none
  std::string alpn;         // protocols that the client offers, in its order, joined by commas; names that hold a comma or a byte
                            // outside of printable ASCII (such as GREASE) are left out
};

struct HelloRead {
  enum class Kind : uint8_t { incomplete, complete, failed } kind;
  const char* why = nullptr;  // failed: a few words for people, e.g. "not TLS"
};

// Reads a ClientHello from the start of a connection's bytes; what follows it does not matter. Called again with more bytes after
// `incomplete`; keeps nothing in between and copies only what is cut by records. What cannot become a hello fails with the first
// field that shows it (or with the message's last byte, where that field lies beyond its first 4 KiB), and so does one that would
// end beyond kMaxHelloBytes: that many bytes are never `incomplete`. `out` is empty unless the answer is `complete`.
[[nodiscard]] HelloRead read_client_hello(std::string_view bytes, ClientHello& out);

}  // namespace weir
