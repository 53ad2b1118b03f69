// From a client's connection to two joined sockets: the verdict, the connect, and the PROXY header for the server.
#include <errno.h>

#include <algorithm>

#include "loop/io.h"
#include "tcp/tunnel.h"

namespace weir {

namespace {
// TypeScript counts attempts by the config; this bound only keeps a faulty policy from looping.
constexpr unsigned kMaxAttempts = 200;
constexpr uint32_t kDecisionMs = 300'000;
}  // namespace

void Tunnels::begin(Stream client, Origin&& origin, unsigned listener, uint64_t address_key, const ClientHello& hello, bool watched) {
  Tunnel* t = tunnels.create();
  t->kind = kTunnelTimer;
  t->listener = uint16_t(listener);
  t->origin = std::move(origin);
  t->address_key = address_key;
  t->opened_us = t->last_us = rt_.now_us;
  t->plan.route = uint16_t(listener);
  if (!hello.server_name.empty()) t->server_name = hello.server_name;
  t->sides[0].readable = client.holds_bytes();  // they may have come with the end of the handshake
  t->sides[0].stream = std::move(client);
  rt_.count(abi::worker_counter::open_tunnels);
  if (!watch(*t, 0, watched ? Watch::anew : Watch::first)) return close(*t, true);
  perform(*t, decider_.decide_tunnel(*t, hello));
}

bool Tunnels::resume(uint32_t index, uint32_t generation, const TunnelVerdict& v) {
  Tunnel* t = tunnels.find(index, generation);
  if (!t || !t->waits) return false;
  t->waits = false;
  perform(*t, v);
  return true;
}

void Tunnels::perform(Tunnel& t, const TunnelVerdict& v) {
  switch (v.kind) {
    case abi::verdict::forward: return start_attempt(t, v);
    case abi::verdict::wait:
      t.state = Tunnel::State::deciding;
      t.waits = t.waited = true;
      return rt_.wheel.arm(&t, kDecisionMs);
    default:
      t.fail(v.refusal == abi::refusal::no_route ? uint8_t(abi::termination::no_route)
             : v.refusal == abi::refusal::by_function ? uint8_t(abi::termination::policy_denied) : uint8_t(abi::termination::no_server));
      rt_.count_refusal(t.listener, v.refusal);
      decider_.refused(t.listener, v.refusal, t.origin, nullptr);
      // A plain end could be taken for an answer without a word.
      return close(t, true);
  }
}

void Tunnels::start_attempt(Tunnel& t, const TunnelVerdict& v) {
  Server* s = servers_.server_at(v.server);
  if (!v.plan || !s || t.attempts >= kMaxAttempts) return close(t, true);
  t.plan = *v.plan;
  t.plan_id = v.plan_id;
  if (!t.counted) ++rt_.board.route(t.plan.route)[abi::route_counter::active];
  t.counted = true;
  if (++t.attempts > 1) ++rt_.board.route(t.plan.route)[abi::route_counter::retries];
  t.server_slot = v.server;
  if (s->removed) return attempt_failed(t, abi::failure::connect, EHOSTUNREACH);
  if (rt_.is_full(s->slot, s->max_connections)) return attempt_failed(t, abi::failure::busy, 0);
  rt_.begin_load(s->slot);
  t.in_flight = true;
  t.address_index = s->preferred < s->addresses.size() ? uint16_t(s->preferred) : 0;
  t.addresses_tried = 0;
  int error = EHOSTUNREACH;
  if (!connect(t, *s, error)) attempt_failed(t, abi::failure::connect, error);
}

// Tries the server's addresses from `address_index` on. False when none is left.
bool Tunnels::connect(Tunnel& t, const Server& s, int& error) {
  const size_t count = s.addresses.size();
  TunnelSide& side = t.sides[1];
  for (; size_t(t.addresses_tried) < count; t.address_index = uint16_t((t.address_index + 1) % count)) {
    ++t.addresses_tried;
    bool in_progress = false;
    t.attempt_us = monotonic_us();
    side.stream = Stream(UniqueFd(start_connect(s.addresses[t.address_index], in_progress, error)));
    if (!side.stream.valid()) continue;
    if (!watch(t, 1, Watch::first)) {
      error = errno;
      side.stream.close();
      continue;
    }
    rt_.count_server(s.slot, abi::server_counter::connects);
    t.state = Tunnel::State::connecting;
    // Where TLS comes next, the first event begins it.
    if (in_progress || s.tls) rt_.wheel.arm(&t, t.plan.connect_ms);
    else joined(t);
    return true;
  }
  return false;
}

void Tunnels::on_opening_event(Tunnel& t, int side, uint32_t events) {
  note(t.sides[side], events);
  if (side == 0) {
    // A client that has only closed its sending half still wants its answer.
    if (events & EPOLLERR) close(t, true);
    return;
  }
  if (t.in_handshake) return shake_hands(t);
  if (t.state == Tunnel::State::connecting && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) connected(t, events);
}

void Tunnels::connected(Tunnel& t, uint32_t events) {
  // A socket that can be written to and says no more is connected; asking costs a call.
  int error = events & (EPOLLERR | EPOLLHUP) ? socket_error(t.sides[1].stream.fd()) : 0;
  Server* s = servers_.server_at(t.server_slot);
  if (error == 0) {
    if (s && !s->removed && t.address_index < s->addresses.size()) s->preferred = t.address_index;
    return s && s->tls ? begin_tls(t, *s->tls) : joined(t);
  }
  t.sides[1] = TunnelSide();
  if (s && !s->addresses.empty()) {
    t.address_index = uint16_t((t.address_index + 1) % s->addresses.size());
    if (connect(t, *s, error)) return;
  }
  attempt_failed(t, abi::failure::connect, error);
}

void Tunnels::attempt_failed(Tunnel& t, int reason, int error) {
  if (reason != abi::failure::busy && !own_shortage(error)) servers_.count_failure(t.server_slot);
  unload(t);
  t.sides[1] = TunnelSide();
  t.in_handshake = false;
  t.state = Tunnel::State::deciding;
  perform(t, decider_.tunnel_failed(t, reason, error));
}

void Tunnels::unload(Tunnel& t) {
  if (!t.in_flight) return;
  t.in_flight = false;
  rt_.end_load(t.server_slot);
  servers_.made_room(t.server_slot);
}

// The server speaks TLS. A PROXY header comes before anything else, and unencrypted.
void Tunnels::begin_tls(Tunnel& t, TlsClient& client) {
  TunnelSide& s = t.sides[1];
  if (t.plan.send_proxy != ProxyVersion::off) {
    char header[kMaxSentProxyHeaderBytes];
    const iovec part{header, write_greeting(t, header)};
    // The socket is new and empty: what it does not take whole it never will.
    if (s.stream.write(&part, 1).bytes != part.iov_len) return attempt_failed(t, abi::failure::connect, EPIPE);
  }
  std::unique_ptr<TlsSession> session = client.open();
  if (!session) return attempt_failed(t, abi::failure::connect, ENOMEM);
  s.stream.begin_tls(std::move(session));
  t.in_handshake = true;
  shake_hands(t);
}

void Tunnels::shake_hands(Tunnel& t) {
  const IoResult r = t.sides[1].stream.tls()->handshake(t.sides[1].stream.fd());
  if (r.kind == IoResult::Kind::would_block) return;
  if (r.kind != IoResult::Kind::ok) return attempt_failed(t, abi::failure::tls, 0);
  t.in_handshake = false;
  if (t.sides[1].stream.holds_bytes()) t.sides[1].readable = true;
  joined(t);
}

// The PROXY header for the server.
size_t Tunnels::write_greeting(const Tunnel& t, char* to) {
  const Origin& o = t.origin;
  ProxyAddresses a;
  const bool known = addresses_to_send({o.ip, o.port, o.is_unix, o.proxy.get(), t.sides[0].stream.fd()}, a);
  return write_proxy_header(t.plan.send_proxy, known ? &a : nullptr, to);
}

void Tunnels::joined(Tunnel& t) {
  t.state = Tunnel::State::joined;
  t.last_us = rt_.now_us;
  t.connect_us = std::max(uint32_t(rt_.arrivals.came_after(t.attempt_us) - t.attempt_us), 1u);
  rt_.histograms.record_server(t.server_slot, abi::phase::connect, t.connect_us);
  rt_.histograms.record_route(t.plan.route, abi::phase::connect, t.connect_us);
  rt_.count(abi::worker_counter::tunnels);
  rt_.count_server(t.server_slot, abi::server_counter::open_tunnels);
  t.counted_at_server = true;
  servers_.count_success(t.server_slot);
  watch_silence(t);
  if (t.plan.send_proxy != ProxyVersion::off && t.sides[1].stream.is_plain()) {
    char header[kMaxSentProxyHeaderBytes];
    if (!write(t, 1, {header, write_greeting(t, header)})) return;
  }
  if (t.sides[0].readable) pump(t, 0);
  if (t.state == Tunnel::State::joined && t.sides[1].readable) pump(t, 1);
}

}  // namespace weir
