// The composition root of one worker: loop, pools, forwarder, tunnels and listeners, and the only place that joins HTTP to tunnels.
// Owns     everything below it. Borrows the Decider, which must outlive it.
#pragma once
#include <memory>
#include <vector>

#include "engine/acceptor.h"
#include "http/forwarder.h"
#include "loop/runtime.h"
#include "tcp/tunnel.h"
#include "upstream/pool.h"

namespace weir {

class Engine : private Joiner {
 public:
  explicit Engine(Decider& decider) : pool(rt), forwarder(rt, pool, decider, *this), tunnels(rt), acceptor(rt, forwarder, tunnels) {}
  ~Engine() override;

  // One turn: everything that is ready now, then queued work, then the timers that are due. `has_work` is true when a further turn
  // is due at once.
  void turn();
  [[nodiscard]] bool has_work() const { return forwarder.has_work() || tunnels.has_work(); }
  // Work that did not come from the loop (a late verdict) ends with this as well.
  void settle();

  // Inside `turn`: the engine must not be entered from above.
  [[nodiscard]] bool in_turn() const { return in_turn_; }

  // Plans by id. A plan that is replaced or dropped lives on for the exchanges that run it.
  void define_plan(uint32_t id, std::unique_ptr<Plan> plan);
  void drop_plan(uint32_t id);
  [[nodiscard]] Plan* plan(uint32_t id) const { return id < plans_.size() ? plans_[id] : nullptr; }

  void stop_accepting() { acceptor.stop(); }
  // Connections, exchanges and tunnels that are still open.
  [[nodiscard]] uint32_t open() const { return forwarder.clients.live() + tunnels.tunnels.live(); }

  Runtime rt;
  UpstreamPool pool;
  Forwarder forwarder;
  Tunnels tunnels;
  Acceptor acceptor;

 private:
  void dispatch(const epoll_event& e);
  void expire(TimerNode* n);
  void join(Exchange& ex, std::string_view from_server) override;

  std::vector<Plan*> plans_;
  bool in_turn_ = false;
};

}  // namespace weir
