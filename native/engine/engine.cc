#include "engine/engine.h"

#include <utility>

namespace weir {

Engine::~Engine() {
  close_all();
  while (std::unique_ptr<Plan> plan = plans_.take_first()) let_go(std::move(plan));
}

void Engine::close_all() {
  arrivals.close_all();
  tunnels.close_all();
  forwarder.close_all();
}

void Engine::drain(uint32_t spread_ms) {
  forwarder.drain(spread_ms);
  arrivals.drain();
}

void Engine::retire_listener(unsigned index, uint32_t spread_ms) {
  forwarder.retire_listener(index, spread_ms);
  arrivals.retire_listener(index);
}

void Engine::turn() {
  epoll_event events[Loop::kBatch];
  in_turn_ = true;
  rt.tick();
  const int n = rt.loop.wait(events, 0);
  rt.arrivals.looked(rt.now_us, n > 0 ? unsigned(n) : 0);
  if (n > 0) {
    rt.count(abi::worker_counter::batches);
    rt.count(abi::worker_counter::events, n);
  }
  for (int i = 0; i < n; ++i) {
    rt.arrivals.at(unsigned(i));
    dispatch(events[i]);
  }
  rt.arrivals.all_came_at(rt.now_us);
  settle();
}

void Engine::settle() {
  in_turn_ = true;
  forwarder.run_queue();
  tunnels.run_queue();
  rt.wheel.advance(rt.now_us, [this](TimerNode* node) { expire(node); });
  if (pool.has_room_news()) pass_room_news();
  forwarder.sweep();
  tunnels.sweep();
  arrivals.sweep();
  in_turn_ = false;
}

// A server has room again, and somebody waits for it. Our own waiters are asked first, then workers that have some.
void Engine::pass_room_news() {
  pool.take_room_news();
  if (rt.board.mine()[abi::worker_counter::waiting] > 0) decider_.room();
  for (unsigned w = 0; w < rt.board.workers(); ++w)
    if (w != rt.board.column() && rt.board.worker(w)[abi::worker_counter::waiting] > 0) acceptor.wake(w);
}

void Engine::dispatch(const epoll_event& e) {
  const Token token = Token::unpack(e.data.u64);
  switch (token.kind) {
    case TokenKind::listener: return acceptor.on_event(token.index);
    case TokenKind::waker:
      acceptor.on_wake();
      if (rt.board.mine()[abi::worker_counter::waiting] > 0) decider_.room();
      return;
    case TokenKind::gather_clock: return tunnels.on_gather_clock();
    case TokenKind::arrival:
      if (Arrival* a = arrivals.arrivals.find(token.index, token.generation)) arrivals.on_event(*a, e.events);
      return;
    case TokenKind::client:
      if (ClientConnection* c = forwarder.clients.find(token.index, token.generation)) forwarder.on_client_event(*c, e.events);
      return;
    case TokenKind::upstream:
      if (UpstreamConnection* u = pool.connections.find(token.index, token.generation)) forwarder.on_upstream_event(*u, e.events);
      return;
    case TokenKind::tunnel_client:
    case TokenKind::tunnel_server:
      if (Tunnel* t = tunnels.tunnels.find(token.index, token.generation))
        tunnels.on_event(*t, token.kind == TokenKind::tunnel_client ? 0 : 1, e.events);
      return;
  }
}

void Engine::expire(TimerNode* n) {
  switch (n->kind) {
    case kClientTimer: return forwarder.on_client_timer(*static_cast<ClientConnection*>(n));
    case kUpstreamTimer: return forwarder.on_upstream_timer(*static_cast<UpstreamConnection*>(n));
    case kExchangeTimer: return forwarder.on_exchange_timer(*static_cast<Exchange*>(n));
    case kTunnelTimer: return tunnels.on_timer(*static_cast<Tunnel*>(n));
    case kArrivalTimer: return arrivals.on_timer(*static_cast<Arrival*>(n));
    case kDepartureTimer: return forwarder.on_departure_timer();
    case kListenerTimer: return acceptor.on_timer(*static_cast<ListeningSocket*>(n));
    default: return;
  }
}

void Engine::join(Exchange& ex, std::string_view from_server) {
  ClientConnection& c = *ex.client;
  UpstreamConnection& u = *ex.upstream;
  Tunnel about;
  about.server_slot = ex.server_slot;
  about.listener = c.listener;
  about.plan.idle_ms = ex.plan->tunnel_ms;
  about.plan.route = ex.seen.route;
  about.upgraded = true;
  about.origin.ip = c.peer;
  about.origin.port = c.peer_port;
  about.origin.local_port = c.local_port;
  about.origin.is_unix = c.unix_peer;
  about.origin.proxy = std::move(c.proxy);
  about.address_key = std::exchange(c.address_key, 0);
  // What the 101 head left in the client's queue goes first.
  std::string to_client, to_server;
  while (!c.out.empty()) {
    const std::string_view front = c.out.front();
    to_client.append(front);
    c.out.consume(rt.buffers, front.size());
  }
  to_client.append(from_server);
  while (!u.out.empty()) {
    const std::string_view front = u.out.front();
    to_server.append(front);
    u.out.consume(rt.buffers, front.size());
  }
  if (c.in) to_server.append(c.in->view());
  Stream client = forwarder.take_client_stream(c), server = std::move(u.stream);
  // The counts of connection and in-flight exchange pass on to the tunnel.
  rt.count(abi::worker_counter::connections);
  ++rt.listener_cell(c.listener, abi::listener_counter::connections);
  UpstreamConnection* lease = ex.upstream;
  forwarder.finish_joined(ex);
  pool.discard(*lease);
  tunnels.join(std::move(client), std::move(server), to_client, to_server, std::move(about));
}

void Engine::define_plan(uint32_t id, std::unique_ptr<Plan> plan) {
  drop_plan(id);
  plan->id = id;
  plans_.set(id, std::move(plan));
}

void Engine::drop_plan(uint32_t id) { let_go(plans_.take(id)); }

// The last exchange that runs it deletes it.
void Engine::let_go(std::unique_ptr<Plan> plan) {
  if (!plan || plan->uses == 0) return;
  plan->dropped = true;
  (void)plan.release();
}

}  // namespace weir
