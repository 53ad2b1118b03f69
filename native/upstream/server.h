// One server of an upstream as the engine knows it: where it is, what it may carry, and its idle connections.
// Owns     nothing but its own data; idle connections belong to the slab of upstream connections and are only linked here.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loop/address.h"
#include "tls/session.h"

namespace weir {

struct UpstreamConnection;

struct Server {
  uint32_t slot = 0;
  std::string name;         // "upstream/server"
  std::string host_header;  // what `host: server` sends
  std::vector<Address> addresses;  // tried in turn from `preferred` when a connect fails: a name may have several
  uint32_t preferred = 0;
  int32_t max_connections = 0;  // 0 is no limit; counted over all workers
  uint32_t idle_limit = 64;
  uint32_t idle_timeout_ms = 4000;   // as configured
  uint32_t announced_idle_ms = 0;    // from the server's own Keep-Alive: timeout
  uint32_t observed_idle_ms = 0;     // from idle connections that it closed on us
  bool removed = false;
  bool is_reusable = true;  // connections to it are kept; see UpstreamPool::set_reusable
  int32_t queue_slot = -1;  // row that counts who waits for room at this upstream
  std::shared_ptr<TlsClient> tls;  // none: plain
  std::vector<std::pair<int, int>> failing;  // statuses that count as failures, inclusive
  uint64_t ewma_at_us = 0;

  UpstreamConnection* idle_first = nullptr;  // most recently used
  UpstreamConnection* idle_last = nullptr;
  uint32_t idle_count = 0;

  [[nodiscard]] bool fails(int status) const {
    for (const auto& [from, to] : failing)
      if (status >= from && status <= to) return true;
    return false;
  }
};

}  // namespace weir
