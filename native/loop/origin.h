// Who a connection comes from: as its socket says, or as a trusted proxy's PROXY header says.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "loop/address.h"

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

}  // namespace weir
