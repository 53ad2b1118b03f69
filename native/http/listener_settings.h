// What the config says of one listener, as the engine needs it for every connection and head.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "base/abi.h"
#include "http/departure.h"
#include "http/head_parser.h"
#include "loop/address.h"

namespace weir {

struct Page {
  std::string content_type;
  std::string body;
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
  bool server_timing = false;
  bool proxy_status = false;
  // Not of the config: the listener is gone, and its connections are to leave.
  Departure departure;

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
