#include "lib/tunnel_script.h"

#include <cstdio>
#include <cstdlib>

namespace weir {

namespace {

constexpr size_t kMostServers = 64;

uint64_t ms_of_step(TunnelStep s) {
  switch (s) {
    case TunnelStep::advance_5ms: return 5;
    case TunnelStep::advance_300ms: return 300;
    case TunnelStep::advance_3s: return 3'000;
    case TunnelStep::advance_35s: return 35'000;
    case TunnelStep::advance_2h: return 7'200'000;
    default: return 0;
  }
}

size_t amount(uint8_t byte) { return byte < 64 ? size_t(byte) + 1 : size_t(byte - 63) * 1500; }

}  // namespace

void TunnelScript::play(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const Usage before = bed_.usage();
  apply_settings(data[0]);
  bed_.decider.on_tunnel = [this](Tunnel& t, const ClientHello&) {
    const TunnelVerdict v = decide();
    return v.kind == abi::verdict::wait ? wait(t) : v;
  };
  // A busy server is waited for, any other failure leads to the server that works.
  bed_.decider.on_tunnel_failure = [this](Tunnel& t, int reason) {
    if (reason == abi::failure::busy) return wait(t);
    return t.attempts <= bed_.decider.retries ? bed_.decider.tunnel() : TunnelVerdict{.refusal = abi::refusal::no_server};
  };
  for (size_t i = 1; i < size; ++i) {
    if (data[i] < 0x80) {
      if (End* from = target()) send(*from, amount(data[i]));
      continue;
    }
    step(TunnelStep(data[i] & 31));
    if (!(data[i] & 32)) turn();
  }
  settle();
  check_progress();
  leave();
  check_streams();
  if (!bed_.until([&] { return bed_.usage() == before; })) {
    std::fprintf(stderr, "left behind: %s\nat start:    %s\n", bed_.usage().text().c_str(), before.text().c_str());
    abort();
  }
}

void TunnelScript::apply_settings(uint8_t bits) {
  tcp_clients_ = bits & 2;
  bed_.decider.retries = bits >> 2 & 3;
  bed_.tunnel_plan = TunnelPlan();
  if (bits & 16) bed_.tunnel_plan.send_proxy = bits & 32 ? ProxyVersion::v2 : ProxyVersion::v1;
  bed_.server().max_connections = bits & 64 ? 1 : 0;
}

TunnelScript::End* TunnelScript::target() {
  if (aims_at_server_) return server_ < servers_.size() ? &servers_[server_] : nullptr;
  if (clients_.empty()) aim_at_client(0);
  return &clients_[client_];
}

void TunnelScript::send(End& from, size_t bytes) {
  std::string made(bytes, '\0');
  for (char& byte : made) byte = next_byte(from);
  from.peer.send(made);
}

// SplitMix64 of who and where: no two streams agree on more than a few bytes.
char TunnelScript::next_byte(End& from) {
  uint64_t x = (uint64_t(from.id) << 40 ^ from.made / 8) * 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  return char((x ^ x >> 27) >> (from.made++ % 8 * 8));
}

void TunnelScript::aim_at_client(size_t slot) {
  aims_at_server_ = false;
  for (client_ = clients_.size(); client_-- > 0;)
    if (clients_[client_].slot == slot && clients_[client_].peer.open()) return;
  End made;
  made.slot = slot;
  made.id = uint32_t(clients_.size());
  made.peer = tcp_clients_ ? bed_.connect() : bed_.connect_pair(uint16_t(made.id + 1));
  clients_.push_back(std::move(made));
  client_ = clients_.size() - 1;
}

void TunnelScript::aim_at_server(bool newest) {
  aims_at_server_ = true;
  server_ = 0;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (!servers_[i].peer.open()) continue;
    server_ = i;
    if (!newest) return;
  }
}

void TunnelScript::step(TunnelStep s) {
  if (const uint64_t ms = ms_of_step(s)) return advance(ms);
  switch (s) {
    case TunnelStep::client_0: return aim_at_client(0);
    case TunnelStep::client_1: return aim_at_client(1);
    case TunnelStep::client_2: return aim_at_client(2);
    case TunnelStep::newest_server: return aim_at_server(true);
    case TunnelStep::oldest_server: return aim_at_server(false);
    case TunnelStep::next_waits:
    case TunnelStep::next_aborts:
    case TunnelStep::next_is_refused:
    case TunnelStep::next_has_two_addresses: next_verdict_ = s; return;
    case TunnelStep::resume: return resume(bed_.decider.tunnel());
    case TunnelStep::resume_with_abort: return resume({.refusal = abi::refusal::no_server});
    case TunnelStep::cut:
      bed_.engine.rt.tick();
      (void)bed_.engine.tunnels.cut(0);
      return bed_.engine.settle();
    case TunnelStep::run: return settle();
    default:
      if (End* at = target()) act(*at, s);
  }
}

void TunnelScript::act(End& target, TunnelStep s) {
  Peer& peer = target.peer;
  switch (s) {
    case TunnelStep::half_close: return peer.half_close();
    case TunnelStep::close: return peer.close();
    case TunnelStep::reset: return peer.reset();
    case TunnelStep::stall: peer.stalled = !peer.stalled; return;
    case TunnelStep::shrink_buffers: return peer.shrink_buffers(2048);
    case TunnelStep::urgent:
      // The kernel drops a server's urgent byte when the next one overtakes the event that tells of it.
      if (peer.idle() && !aims_at_server_) peer.send_urgent(next_byte(target));
      return;
    case TunnelStep::bulk:
      if (bulk_left_ > 0) --bulk_left_, send(target, 400'000);
      return;
    default: return;
  }
}

void TunnelScript::advance(uint64_t ms) {
  was_idle_ = was_idle_ || ms >= bed_.tunnel_plan.idle_ms;
  bed_.advance(ms);
}

// Slot 1 refuses; slot 2 refuses at its first address and is slot 0 at the second.
TunnelVerdict TunnelScript::decide() {
  TunnelVerdict v = bed_.decider.tunnel();
  switch (std::exchange(next_verdict_, TunnelStep::turn)) {
    case TunnelStep::next_waits: return {.kind = abi::verdict::wait};
    case TunnelStep::next_aborts: return {.refusal = abi::refusal::no_route};
    case TunnelStep::next_is_refused: v.server = 1; return v;
    case TunnelStep::next_has_two_addresses: v.server = 2; return v;
    default: return v;
  }
}

TunnelVerdict TunnelScript::wait(const Tunnel& t) {
  waiting_.emplace_back(t.slot_index, t.slot_generation);
  return {.kind = abi::verdict::wait};
}

void TunnelScript::resume(const TunnelVerdict& v) {
  if (waiting_.empty()) return;
  const auto [index, generation] = waiting_.front();
  waiting_.erase(waiting_.begin());
  bed_.engine.rt.tick();
  (void)bed_.engine.tunnels.resume(index, generation, v);
  bed_.engine.settle();
}

void TunnelScript::look_around() {
  for (End& c : clients_) c.peer.pump();
  for (End& s : servers_) s.peer.pump();
  while (servers_.size() < kMostServers) {
    Peer made = bed_.accept_now();
    if (!made.open()) return;
    servers_.push_back({std::move(made), uint32_t(1000 + servers_.size()), 0, 0});
  }
}

void TunnelScript::turn() {
  bed_.turn();
  look_around();
}

// Until nothing moves any more, with everybody reading who wants to.
void TunnelScript::settle() {
  for (int rounds = 0;; ++rounds) {
    const double before = bed_.counted(abi::worker_counter::events);
    if (rounds > 5000 || !bed_.run()) {
      std::fprintf(stderr, "the engine does not come to rest\n");
      abort();
    }
    look_around();
    if (rounds > 0 && bed_.counted(abi::worker_counter::events) == before) return;
  }
}

void TunnelScript::leave() {
  for (size_t i = 0; i < clients_.size(); ++i) {
    Peer& peer = clients_[i].peer;
    if (i % 2) peer.reset();
    else peer.close();
    bed_.run();
  }
  // Late verdicts and deadlines may still open connections.
  for (size_t known = SIZE_MAX; known != servers_.size();) {
    known = servers_.size();
    settle();
    while (!waiting_.empty()) resume(bed_.decider.tunnel());
    settle();
    for (End& server : servers_) server.peer.close();
    settle();
    was_idle_ = true;
    bed_.pass_deadlines();
    look_around();
  }
  // Those beyond the most that are looked at must not meet the next script.
  while (bed_.accept_now().open()) {
  }
}

}  // namespace weir
