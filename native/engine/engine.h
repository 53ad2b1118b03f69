// The composition root of one worker: loop, pools, forwarder, tunnels and listeners, and the only place that joins HTTP to tunnels.
// Owns     everything below it. Borrows both deciders, which must outlive it.
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "engine/acceptor.h"
#include "engine/arrivals.h"
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

  // Plans by id. A plan that is replaced or dropped lives on for the exchanges that run it.
  void define_plan(uint32_t id, std::unique_ptr<Plan> plan);
  void drop_plan(uint32_t id);
  [[nodiscard]] Plan* plan(uint32_t id) const { return id < plans_.size() ? plans_[id] : nullptr; }

  void stop_accepting() { acceptor.stop(); }
  // Idle connections close now, the others after their exchange; tunnels go on.
  void drain();
  void close_all();
  // Connections and tunnels that are still open.
  [[nodiscard]] uint32_t open() const { return arrivals.arrivals.live() + forwarder.clients.live() + tunnels.tunnels.live(); }

  // Plans of L4 routes by id.
  void define_tunnel_plan(uint32_t id, const TunnelPlan& plan);
  [[nodiscard]] const TunnelPlan* tunnel_plan(uint32_t id) const { return id < tunnel_plans_.size() ? &tunnel_plans_[id] : nullptr; }

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

  Decider& decider_;
  std::vector<Plan*> plans_;
  std::deque<TunnelPlan> tunnel_plans_;  // stay where they are: late verdicts point at them
  bool in_turn_ = false;
};

}  // namespace weir
