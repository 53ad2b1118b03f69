// How tunnels end: in order, silent, broken by one side, or cut.
#include <errno.h>

#include <algorithm>
#include <cstring>

#include "loop/io.h"
#include "tcp/tunnel.h"

namespace weir {

namespace {
// Short connections do without TCP keep-alive: it costs two system calls a side, and a timer of the kernel's.
constexpr uint32_t kProbeAfterMs = 30'000;
constexpr int kProbeIdleSeconds = 60;
// How long what came before a reset may take to reach the other side.
constexpr uint64_t kBreakUs = 2'000'000;
constexpr uint32_t kBreakLookMs = 4;
constexpr uint32_t kLastBytesMs = 60'000;

bool has_more(const TunnelSide& s) { return s.readable && !s.ended; }
}  // namespace

// The deadline is not moved with each byte: `last_us` is looked at when it comes.
void Tunnels::watch_silence(Tunnel& t) {
  const uint64_t silent_ms = (rt_.now_us - t.last_us) / 1000;
  const uint32_t left = silent_ms >= t.plan.idle_ms ? 0 : uint32_t(t.plan.idle_ms - silent_ms);
  rt_.wheel.arm(&t, t.probes ? left : std::min(left, kProbeAfterMs));
}

void Tunnels::on_timer(Tunnel& t) {
  switch (t.state) {
    case Tunnel::State::deciding:
      rt_.count(abi::worker_counter::timeouts);
      rt_.count_refusal(t.listener, abi::refusal::no_server);
      decider_.refused(t.listener, abi::refusal::no_server, t.origin, "no decision in time");
      t.fail(abi::termination::queue_timeout);
      return close(t, true);
    case Tunnel::State::connecting:
      rt_.count(abi::worker_counter::timeouts);
      // The next attempt at this server begins with its next address.
      if (Server* s = servers_.server_at(t.server_slot); s && !s->addresses.empty()) s->preferred = (t.address_index + 1u) % s->addresses.size();
      return attempt_failed(t, abi::failure::connect_timeout, ETIMEDOUT);
    case Tunnel::State::breaking: return try_break(t, t.sides[0].failed ? 1 : 0);
    case Tunnel::State::over: return;
    case Tunnel::State::joined: break;
  }
  if (rt_.now_us - t.last_us >= uint64_t(t.plan.idle_ms) * 1000) {
    rt_.count(abi::worker_counter::timeouts);
    t.fail(abi::termination::idle_timeout);
    return close(t, false);
  }
  if (!t.probes) {
    t.probes = true;
    for (const TunnelSide& s : t.sides) probe_when_silent(s.stream.fd(), kProbeIdleSeconds);
  }
  watch_silence(t);
}

// A side takes no more bytes. What it said before that may still be on its way to us (an answer, then a close with our bytes
// unread): read it, and break when its end shows. False, so that the caller stops.
bool Tunnels::sink_failed(Tunnel& t, int side) {
  TunnelSide& s = t.sides[side];
  TunnelSide& other = t.sides[1 - side];
  t.fail(side == 0 ? abi::termination::client_abort : abi::termination::upstream_reset);
  s.failed = true;
  s.out.clear(rt_.buffers);
  if (s.pipe) rt_.pipes.give_back(s.pipe);
  s.pipe = nullptr;
  other.ended = true;  // nobody wants more from it
  if (other.failed || s.ended || t.state != Tunnel::State::joined) {
    broke(t, side);
    return false;
  }
  s.readable = s.peer_ended = true;
  pump(t, side);
  if (t.state == Tunnel::State::joined && !s.readable && !other.blocked()) broke(t, side);
  return false;
}

// A side's connection is broken. What it sent before is still delivered, but a dead server is no load while a slow client takes that,
// and nobody waits for ever.
void Tunnels::died(Tunnel& t, int side) {
  t.fail(side == 0 ? abi::termination::client_abort : abi::termination::upstream_reset);
  t.sides[side].failed = true;
  if (t.state != Tunnel::State::joined) return;
  if (side == 1) unload(t);
  t.plan.idle_ms = std::min(t.plan.idle_ms, kLastBytesMs);
  watch_silence(t);
}

// One side is broken and read to its end. The other one gets what is pending, then a reset.
void Tunnels::broke(Tunnel& t, int side) {
  if (t.state == Tunnel::State::over) return;
  t.fail(side == 0 ? abi::termination::client_abort : abi::termination::upstream_reset);
  if (t.state == Tunnel::State::breaking || t.sides[1 - side].failed) return close(t, true);
  t.state = Tunnel::State::breaking;
  t.sides[side].failed = true;
  t.break_by_us = rt_.now_us + kBreakUs;
  try_break(t, 1 - side);
}

// A reset overtakes and destroys what the kernel has not delivered yet, so it waits for that, for a while.
void Tunnels::try_break(Tunnel& t, int to) {
  const TunnelSide& s = t.sides[to];
  const bool late = rt_.now_us >= t.break_by_us;
  if (!late && !s.failed && (s.blocked() || bytes_unacknowledged(s.stream.fd()) > 0)) return rt_.wheel.arm(&t, kBreakLookMs);
  close(t, true);
}

void Tunnels::close(Tunnel& t, bool reset) {
  if (t.state == Tunnel::State::over) return;
  if (reset && t.state != Tunnel::State::joined) t.fail(abi::termination::client_abort);
  observe(t);
  t.state = Tunnel::State::over;
  rt_.wheel.cancel(&t);
  unload(t);
  if (t.waited || t.attempts > 1) decider_.tunnel_ended(t);
  // Whoever has not got all that came for it must not see an orderly end.
  const bool cut[2] = {reset || t.sides[0].blocked() || has_more(t.sides[1]), reset || t.sides[1].blocked() || has_more(t.sides[0])};
  for (int side = 0; side < 2; ++side) {
    TunnelSide& s = t.sides[side];
    const bool is_cut = cut[side];
    if (is_cut && s.stream.valid()) reset_on_close(s.stream.fd());
    s.out.clear(rt_.buffers);
    if (s.pipe) rt_.pipes.give_back(s.pipe);
    s.pipe = nullptr;
    is_cut || t.sides[1 - side].cut ? s.stream.close() : s.stream.close_in_order();
  }
  rt_.count(abi::worker_counter::open_tunnels, -1);
  rt_.connection_closed(t.listener, t.address_key);
  tunnels.retire(&t);
}

// The tunnel ends: its numbers go to its route, and a record to the ring.
void Tunnels::observe(Tunnel& t) {
  double* row = rt_.board.route(t.plan.route);
  if (t.counted) --row[abi::route_counter::active];
  if (t.counted_at_server) rt_.count_server(t.server_slot, abi::server_counter::open_tunnels, -1);
  rt_.count(abi::worker_counter::terminations + t.termination);
  // What was an exchange before has been counted with its 101.
  if (!t.upgraded) ++row[abi::route_counter::no_status];
  row[abi::route_counter::bytes_in] += double(t.sides[0].bytes);
  row[abi::route_counter::bytes_out] += double(t.sides[1].bytes);
  if (!rt_.records) return;
  RecordHead head;
  const std::string_view name = std::string_view(t.server_name).substr(0, kMostTextBytes);
  head.lengths[unsigned(RecordText::host)] = uint16_t(name.size());
  char* to = rt_.records->begin(sizeof head + name.size());
  if (!to) return;
  head.kind = uint8_t(abi::record_kind::tunnel);
  head.termination = t.termination;
  head.attempts = t.attempts;
  head.ended_at_us = wall_clock_us();
  head.bytes_in = t.sides[0].bytes;
  head.bytes_out = t.sides[1].bytes;
  head.connect_us = t.connect_us;
  head.total_us = uint32_t(std::min<uint64_t>(rt_.now_us - t.opened_us, UINT32_MAX));
  head.flags = (t.waited ? abi::record_flag::waited : 0) | (t.upgraded ? abi::record_flag::upgraded : 0) |
               (t.origin.is_unix ? abi::record_flag::unix_peer : 0) | (t.sides[0].stream.is_plain() ? 0 : abi::record_flag::tls);
  head.listener = t.listener;
  head.route = t.plan.route;
  if (t.has_server() || t.attempts > 0) head.server = uint16_t(t.server_slot);
  head.peer_port = t.origin.port;
  memcpy(head.peer, t.origin.ip.bytes, sizeof head.peer);
  memcpy(head.client, t.origin.ip.bytes, sizeof head.client);
  memcpy(to, &head, sizeof head);
  if (!name.empty()) memcpy(to + sizeof head, name.data(), name.size());
  rt_.records->commit();
}

unsigned Tunnels::cut(uint32_t server_slot) {
  unsigned count = 0;
  tunnels.each([&](Tunnel* t) {
    if (!t->has_server() || t->server_slot != server_slot) return;
    t->fail(abi::termination::drain_deadline);
    close(*t, true);
    ++count;
  });
  return count;
}

void Tunnels::close_all() {
  tunnels.each([&](Tunnel* t) {
    t->fail(abi::termination::shutdown);
    close(*t, false);
  });
  tunnels.sweep();
}

}  // namespace weir
