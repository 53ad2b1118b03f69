// What the config says of one listener, as the engine needs it for every connection and head.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/abi.h"
#include "http/departure.h"
#include "http/head_parser.h"
#include "loop/address.h"
#include "tls/session.h"

namespace weir {

struct Page {
  std::string content_type;
  std::string body;
};

// Field names in any case, where servers take underscores for hyphens (CGI, WSGI, PHP).
[[nodiscard]] inline bool is_same_field(std::string_view name, std::string_view known) {
  if (name.size() != known.size() || name.empty()) return false;
  const auto plain = [](char c) { return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; };
  for (size_t i = 0; i < name.size(); ++i)
    if (plain(name[i]) != plain(known[i])) return false;
  return true;
}

// A header of responses that have none of its name.
struct DefaultHeader {
  std::string lower;
  std::string line;  // with CRLF
};

struct ListenerSettings {
  int protocol = abi::protocol::http;
  bool proxy_protocol = false;  // connections begin with a PROXY header
  uint32_t connections_per_ip = 0;  // over all workers; 0 is no limit
  HeadLimits head;
  uint64_t body_bytes = UINT64_MAX;
  uint32_t connections = 20000;
  uint32_t header_ms = 10'000;
  uint32_t body_ms = 30'000;
  uint32_t keep_alive_ms = 75'000;
  uint32_t write_ms = 60'000;
  CidrList trusted;
  uint32_t forwarded = 127;  // bits of abi::forwarded
  std::map<int, Page> pages;  // bodies of our own answers
  // Request headers that say who a client with a certificate is; empty: none. Without TLS they are dropped all the same.
  std::string certificate_subject;
  std::string certificate_fingerprint;
  std::shared_ptr<TlsServer> tls;  // none: plain
  std::vector<DefaultHeader> defaults;
  bool server_timing = false;
  bool proxy_status = false;
  // Not of the config: the listener is gone, and its connections are to leave.
  Departure departure;

  // Whether a client that sends this header claims to have shown a certificate. Underscores count as hyphens, as in many servers.
  [[nodiscard]] bool tells_certificate(std::string_view name) const {
    return is_same_field(name, certificate_subject) || is_same_field(name, certificate_fingerprint);
  }
  // Who may connect to a unix socket is decided by its file mode, so such a peer is trusted where any proxy is.
  [[nodiscard]] bool trusts(const PeerIp& ip, bool is_unix) const { return !trusted.empty() && (is_unix || trusted.contains(ip)); }
};

// An answer that we give ourselves.
struct Answer {
  int status = 500;
  std::string headers;  // whole lines, each with CRLF; without framing and Content-Type
  std::string content_type;
  std::string body;
  bool has_body = false;  // else the listener's page for the status
};

}  // namespace weir
