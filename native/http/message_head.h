// One parsed message head: offsets into the buffer that holds its bytes.
// Owns     nothing. `base` borrows the buffer; the views die with it.
// Note     a buffer is at most 64 KiB, so 16-bit offsets reach every byte of it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

// Names that the proxy itself understands. The order is free; `count` is last.
enum class HeaderId : uint8_t {
  other, host, connection, keep_alive, proxy_connection, transfer_encoding, content_length, te, trailer, upgrade,
  expect, http2_settings, x_forwarded_for, x_forwarded_proto, x_forwarded_host, x_forwarded_port, forwarded,
  x_real_ip, x_request_id, proxy_authenticate, proxy_authorization, cookie, content_type, date, server, via, location,
  referer, user_agent, traceparent, count
};

enum class Method : uint8_t { other, get, head, post, put, del, connect, options, trace, patch, count };

// RFC 9110 9.2.2: may be repeated without harm.
constexpr bool is_idempotent(Method m) {
  return m == Method::get || m == Method::head || m == Method::put || m == Method::del || m == Method::options || m == Method::trace;
}

// How the body of a message is delimited (RFC 9112 6.3). `until_close` is for responses only.
enum class BodyKind : uint8_t { none, length, chunked, until_close };

struct Span16 {
  uint16_t at = 0;
  uint16_t len = 0;
};

struct HeaderRef {
  uint16_t name_at;
  uint16_t value_at;
  uint16_t value_len;  // optional whitespace on both sides is already cut off
  uint8_t name_len;
  HeaderId id;
};
static_assert(sizeof(HeaderRef) == 8);

constexpr size_t kMaxHeaders = 256;  // the highest value `limits.headers` may take
constexpr size_t kMaxHeadBytes = 65535;

struct MessageHead {
  const char* base = nullptr;

  // Request line.
  Method method = Method::other;
  Span16 method_text;
  Span16 target;     // as sent, whatever its form
  Span16 path;       // path part of the target: starts with '/', or is "*" (OPTIONS), empty for CONNECT; "/" is *not* stored for "http://host"
  Span16 query;      // after '?', without it
  Span16 authority;  // host[:port] that counts: absolute-form target, else CONNECT target, else the Host header; may be empty
  bool has_query = false;
  bool absolute_form = false;
  bool path_needs_normalizing = false;  // has '%', a "/." segment start, or "//"

  // Status line.
  uint16_t status = 0;
  Span16 reason;

  uint8_t minor_version = 1;  // HTTP/1.x
  bool keep_alive = true;     // what the sender offers: version and Connection considered
  bool has_upgrade = false;   // an Upgrade header, and Connection names it
  bool upgrade_is_h2c = false;  // every protocol it offers is h2c
  bool expect_continue = false;
  bool expect_unknown = false;  // an Expect other than 100-continue
  bool te_trailers = false;     // TE names trailers
  bool connection_names_headers = false;  // Connection names something besides close, keep-alive, upgrade, te

  BodyKind body = BodyKind::none;
  uint64_t content_length = 0;  // when body is length
  bool has_content_length = false;  // sent, even if it does not frame this body (HEAD, 304)

  uint16_t header_count = 0;
  HeaderRef headers[kMaxHeaders];

  [[nodiscard]] std::string_view text(Span16 s) const { return {base + s.at, s.len}; }
  [[nodiscard]] std::string_view name(const HeaderRef& h) const { return {base + h.name_at, h.name_len}; }
  [[nodiscard]] std::string_view value(const HeaderRef& h) const { return {base + h.value_at, h.value_len}; }
};

}  // namespace weir
