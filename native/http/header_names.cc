#include "http/header_names.h"

#include <bit>
#include <cstring>

namespace weir {
namespace {

static_assert(std::endian::native == std::endian::little, "the word compare below reads little-endian words");

// A lower-case name known at compile time, compared in overlapping words instead of byte by byte.
template <size_t N>
struct Name {
  char text[N];
  consteval Name(const char (&s)[N]) {  // NOLINT(google-explicit-constructor): a literal is the only source
    for (size_t i = 0; i < N; ++i) text[i] = s[i];
  }
  static constexpr size_t length = N - 1;
};

template <typename Word, Name name, size_t at>
[[nodiscard]] bool word_differs(const char* p) {
  constexpr auto literal = [] {
    Word w = 0;
    for (size_t i = 0; i < sizeof(Word); ++i) w |= static_cast<Word>(static_cast<Word>(static_cast<uint8_t>(name.text[at + i])) << (8 * i));
    return w;
  }();
  // The bit that tells upper from lower case is ignored for letters, and for letters only.
  constexpr auto caseless = [] {
    Word w = 0;
    for (size_t i = 0; i < sizeof(Word); ++i) {
      const char c = name.text[at + i];
      if (c >= 'a' && c <= 'z') w |= static_cast<Word>(Word{0x20} << (8 * i));
    }
    return w;
  }();
  Word w;
  std::memcpy(&w, p + at, sizeof(Word));
  return ((w ^ literal) & static_cast<Word>(~caseless)) != 0;
}

// `p` has exactly as many bytes as the name.
template <Name name>
[[nodiscard]] bool is(const char* p) {
  constexpr size_t n = name.length;
  static_assert(n >= 2 && n <= 24);
  if constexpr (n > 16) {
    return !word_differs<uint64_t, name, 0>(p) && !word_differs<uint64_t, name, 8>(p) && !word_differs<uint64_t, name, n - 8>(p);
  } else if constexpr (n >= 8) {
    return !word_differs<uint64_t, name, 0>(p) && !word_differs<uint64_t, name, n - 8>(p);
  } else if constexpr (n >= 4) {
    return !word_differs<uint32_t, name, 0>(p) && !word_differs<uint32_t, name, n - 4>(p);
  } else {
    return !word_differs<uint16_t, name, 0>(p) && !word_differs<uint16_t, name, n - 2>(p);
  }
}

}  // namespace

HeaderId header_id_of(std::string_view name) {
  const char* p = name.data();
  switch (name.size()) {
    case 2: return is<"te">(p) ? HeaderId::te : HeaderId::other;
    case 3: return is<"via">(p) ? HeaderId::via : HeaderId::other;
    case 4:
      if (is<"host">(p)) return HeaderId::host;
      return is<"date">(p) ? HeaderId::date : HeaderId::other;
    case 6:
      if (is<"cookie">(p)) return HeaderId::cookie;
      if (is<"expect">(p)) return HeaderId::expect;
      return is<"server">(p) ? HeaderId::server : HeaderId::other;
    case 7:
      if (is<"upgrade">(p)) return HeaderId::upgrade;
      if (is<"referer">(p)) return HeaderId::referer;
      return is<"trailer">(p) ? HeaderId::trailer : HeaderId::other;
    case 8: return is<"location">(p) ? HeaderId::location : HeaderId::other;
    case 9:
      if (is<"x-real-ip">(p)) return HeaderId::x_real_ip;
      return is<"forwarded">(p) ? HeaderId::forwarded : HeaderId::other;
    case 10:
      if (is<"connection">(p)) return HeaderId::connection;
      if (is<"user-agent">(p)) return HeaderId::user_agent;
      return is<"keep-alive">(p) ? HeaderId::keep_alive : HeaderId::other;
    case 11: return is<"traceparent">(p) ? HeaderId::traceparent : HeaderId::other;
    case 12:
      if (is<"content-type">(p)) return HeaderId::content_type;
      return is<"x-request-id">(p) ? HeaderId::x_request_id : HeaderId::other;
    case 14:
      if (is<"content-length">(p)) return HeaderId::content_length;
      return is<"http2-settings">(p) ? HeaderId::http2_settings : HeaderId::other;
    case 15: return is<"x-forwarded-for">(p) ? HeaderId::x_forwarded_for : HeaderId::other;
    case 16:
      if (is<"x-forwarded-host">(p)) return HeaderId::x_forwarded_host;
      if (is<"x-forwarded-port">(p)) return HeaderId::x_forwarded_port;
      return is<"proxy-connection">(p) ? HeaderId::proxy_connection : HeaderId::other;
    case 17:
      if (is<"transfer-encoding">(p)) return HeaderId::transfer_encoding;
      return is<"x-forwarded-proto">(p) ? HeaderId::x_forwarded_proto : HeaderId::other;
    case 18: return is<"proxy-authenticate">(p) ? HeaderId::proxy_authenticate : HeaderId::other;
    case 19: return is<"proxy-authorization">(p) ? HeaderId::proxy_authorization : HeaderId::other;
    default: return HeaderId::other;
  }
}

Method method_of(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      return text == "PUT" ? Method::put : Method::other;
    case 4:
      if (text == "POST") return Method::post;
      return text == "HEAD" ? Method::head : Method::other;
    case 5:
      if (text == "PATCH") return Method::patch;
      return text == "TRACE" ? Method::trace : Method::other;
    case 6: return text == "DELETE" ? Method::del : Method::other;
    case 7:
      if (text == "OPTIONS") return Method::options;
      return text == "CONNECT" ? Method::connect : Method::other;
    default: return Method::other;
  }
}

}  // namespace weir
