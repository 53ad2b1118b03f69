// The composition root of one worker: loop, pools, forwarder, tunnels and listeners, and the only place that joins HTTP to tunnels.
// Owns     everything below it. Borrows both deciders, which must outlive it.
#pragma once
#include <memory>
#include <vector>

#include "engine/acceptor.h"
#include "engine/arrivals.h"
#include "engine/plan_table.h"
#include "http/forwarder.h"
#include "loop/runtime.h"
#include "tcp/tunnel.h"
#include "upstream/pool.h"

namespace weir {

class Engine : private Joiner, private ServerTable {
 public:
  Engine(Decider& decider, TunnelDecider& tunnel_decider)
      : pool(rt),
        forwarder(rt, pool, decider, *this),
        tunnels(rt, tunnel_decider, *this),
        arrivals(rt, forwarder, tunnels, tunnel_decider),
        acceptor(rt, arrivals, forwarder, tunnels),
        decider_(decider) {}
  ~Engine() override;

  // One turn: everything that is ready now, then queued work, then the timers that are due. `has_work` is true when a further turn
  // is due at once.
  void turn();
  [[nodiscard]] bool has_work() const { return forwarder.has_work() || tunnels.has_work(); }
  // Work that did not come from the loop (a late verdict) ends with this as well.
  void settle();

  // Inside `turn`: the engine must not be entered from above.
  [[nodiscard]] bool in_turn() const { return in_turn_; }
  // Does work that did not come from the loop as if in a turn, so that nobody enters from above either; `settle` follows.
  template <typename Work>
  auto enter(Work&& work) {
    rt.tick();
    in_turn_ = true;
    auto result = work();
    in_turn_ = false;
    return result;
  }

  // Plans by id. A plan that is replaced or dropped lives on for the exchanges that run it.
  void define_plan(uint32_t id, std::unique_ptr<Plan> plan);
  void drop_plan(uint32_t id);
  [[nodiscard]] Plan* plan(uint32_t id) const { return plans_.find(id); }

  void stop_accepting() { acceptor.stop(); }
  // Client connections leave within `spread_ms`, see Forwarder::drain; tunnels go on.
  void drain(uint32_t spread_ms = 0);
  // The same for the connections of one listener; and its index is another listener's now.
  void retire_listener(unsigned index, uint32_t spread_ms);
  void revive_listener(unsigned index) { forwarder.revive_listener(index); }
  void close_all();
  // Connections and tunnels that are still open.
  [[nodiscard]] uint32_t open() const { return arrivals.arrivals.live() + forwarder.clients.live() + tunnels.tunnels.live(); }

  // Plans of L4 routes by id. A tunnel has a copy of its plan.
  void define_tunnel_plan(uint32_t id, const TunnelPlan& plan) { tunnel_plans_.set(id, std::make_unique<TunnelPlan>(plan)); }
  void drop_tunnel_plan(uint32_t id) { (void)tunnel_plans_.take(id); }
  [[nodiscard]] const TunnelPlan* tunnel_plan(uint32_t id) const { return tunnel_plans_.find(id); }

  Runtime rt;
  UpstreamPool pool;
  Forwarder forwarder;
  Tunnels tunnels;
  Arrivals arrivals;
  Acceptor acceptor;

 private:
  void dispatch(const epoll_event& e);
  void expire(TimerNode* n);
  void join(Exchange& ex, std::string_view from_server) override;
  Server* server_at(uint32_t slot) override { return pool.server(slot); }
  void made_room(uint32_t slot) override { pool.made_room(slot); }
  void count_failure(uint32_t slot) override { pool.count_failure(slot); }
  void count_success(uint32_t slot) override { pool.count_success(slot); }
  void pass_room_news();
  static void let_go(std::unique_ptr<Plan> plan);

  Decider& decider_;
  PlanTable<Plan> plans_;
  PlanTable<TunnelPlan> tunnel_plans_;
  bool in_turn_ = false;
};

}  // namespace weir
