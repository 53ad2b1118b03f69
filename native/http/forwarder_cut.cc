// Exchanges that are taken from a server by hand, because it should have been empty by now.
#include <errno.h>

#include <utility>

#include "http/forwarder.h"

namespace weir {

unsigned Forwarder::cut(uint32_t slot) {
  // What one of them leads to may end others, or begin new attempts.
  std::vector<std::pair<uint32_t, uint32_t>> found;
  exchanges.each([&](Exchange* ex) {
    if (runs_on(*ex, slot)) found.emplace_back(ex->slot_index, ex->slot_generation);
  });
  unsigned count = 0;
  for (const auto& [index, generation] : found) {
    Exchange* ex = exchanges.find(index, generation);
    if (!ex || !runs_on(*ex, slot)) continue;
    ++count;
    cut(*ex, slot);
  }
  return count;
}

bool Forwarder::runs_on(const Exchange& ex, uint32_t slot) {
  return (ex.upstream && ex.server_slot == slot) || (ex.rival && ex.rival_slot == slot);
}

// As if the server had reset the connection, but for what health would count: nothing is wrong with it.
void Forwarder::cut(Exchange& ex, uint32_t slot) {
  if (ex.rival && ex.rival_slot == slot) return drop_rival(ex);
  if (ex.response_started) return break_response(ex, abi::termination::drain_deadline);
  const Failure f{abi::failure::reset, ECONNRESET, certainly_unsent(ex, abi::failure::reset)};
  // A pooled connection that broke would be answered with a new one to the same server.
  ex.reused = false;
  fail_over(ex, f);
}

}  // namespace weir
