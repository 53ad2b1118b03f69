// Who a connection comes from: as its socket says, or as a trusted proxy's PROXY header says.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "loop/address.h"
#include "loop/io.h"
#include "loop/proxy_header.h"

namespace weir {

// What a PROXY header added.
struct ProxyInfo {
  PeerIp destination;  // where the client connected to, as the proxy says
  uint16_t destination_port = 0;
  std::string tlvs;    // of version 2, as they came; see find_tlv
};

struct Origin {
  PeerIp ip;  // the client; all zero for a unix socket
  uint16_t port = 0;
  uint16_t local_port = 0;  // of the listening socket; 0 for a unix socket
  bool is_unix = false;
  std::unique_ptr<ProxyInfo> proxy;
};

// A client as the PROXY header for its server needs it.
struct SentClient {
  const PeerIp& ip;
  uint16_t port;
  bool is_unix;
  const ProxyInfo* proxy;
  int fd;
};

// False: nobody knows them, as of a unix socket. Where no proxy told the destination, it is our own end of the client's connection.
[[nodiscard]] inline bool addresses_to_send(const SentClient& c, ProxyAddresses& out) {
  out.source = c.ip;
  out.source_port = c.port;
  if (!c.proxy) return !c.is_unix && local_address(c.fd, out.destination, out.destination_port);
  out.destination = c.proxy->destination;
  out.destination_port = c.proxy->destination_port;
  return !c.is_unix;
}

}  // namespace weir
