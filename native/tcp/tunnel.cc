#include "tcp/tunnel.h"

#include <sys/socket.h>

#include "loop/io.h"

namespace weir {

namespace {
constexpr int kReadsPerTurn = 16;
}

void Tunnels::open(UniqueFd client, UniqueFd server, std::string_view to_client, std::string_view to_server, const Tunnel& about) {
  Tunnel* t = tunnels.create();
  t->kind = kTunnelTimer;
  t->server_slot = about.server_slot;
  t->listener = about.listener;
  t->idle_ms = about.idle_ms;
  t->last_us = rt_.now_us;
  t->sides[0].fd = std::move(client);
  t->sides[1].fd = std::move(server);
  t->sides[0].out.append(rt_.buffers, to_client);
  t->sides[1].out.append(rt_.buffers, to_server);
  rt_.count(abi::worker_counter::open_tunnels);
  rt_.wheel.arm(t, t->idle_ms);
  // Watching anew reports what is readable and writable already, so nothing that came before is missed.
  for (int side = 0; side < 2; ++side) {
    const Token token{side == 0 ? TokenKind::tunnel_client : TokenKind::tunnel_server, t->slot_generation, t->slot_index};
    if (!rt_.loop.rewatch(t->sides[side].fd.get(), token, Loop::kStream)) return close(*t, true);
  }
}

void Tunnels::on_event(Tunnel& t, int side, uint32_t events) {
  TunnelSide& s = t.sides[side];
  if (events & EPOLLERR) return close(t, true);
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) s.readable = true;
  if (events & (EPOLLRDHUP | EPOLLHUP)) s.peer_ended = true;
  if (events & EPOLLOUT) {
    if (!flush(t, side)) return;
    if (s.out.empty()) pump(t, 1 - side);
    if (t.over) return;
  }
  if (s.readable) pump(t, side);
}

void Tunnels::pump(Tunnel& t, int from) {
  TunnelSide& in = t.sides[from];
  TunnelSide& to = t.sides[1 - from];
  for (int turn = 0; in.readable && !in.ended && to.out.empty(); ++turn) {
    if (turn == kReadsPerTurn) return enqueue(t);
    const IoResult r = read_some(in.fd.get(), rt_.scratch.get(), kReadBytes);
    if (r.kind == IoResult::Kind::would_block) {
      in.readable = false;
      return;
    }
    if (r.kind == IoResult::Kind::failed) return close(t, true);
    if (r.kind == IoResult::Kind::closed) {
      in.ended = true;
      in.readable = false;
      return pass_end(t, 1 - from);
    }
    if (r.bytes < kReadBytes && !in.peer_ended) in.readable = false;
    t.last_us = rt_.now_us;
    rt_.wheel.arm(&t, t.idle_ms);
    rt_.count(abi::worker_counter::copied_bytes, double(r.bytes));
    rt_.count_server(t.server_slot, from == 0 ? abi::server_counter::bytes_sent : abi::server_counter::bytes_received, double(r.bytes));
    if (!write(t, 1 - from, {rt_.scratch.get(), r.bytes})) return;
  }
  if (in.ended && !to.closed && to.out.empty()) pass_end(t, 1 - from);
}

bool Tunnels::write(Tunnel& t, int to, std::string_view bytes) {
  TunnelSide& s = t.sides[to];
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  const IoResult r = write_some(s.fd.get(), &part, 1);
  if (r.kind == IoResult::Kind::failed) return close(t, true), false;
  if (r.bytes < bytes.size()) s.out.append(rt_.buffers, bytes.substr(r.bytes));
  return true;
}

bool Tunnels::flush(Tunnel& t, int to) {
  TunnelSide& s = t.sides[to];
  while (!s.out.empty()) {
    const std::string_view front = s.out.front();
    const iovec part{const_cast<char*>(front.data()), front.size()};
    const IoResult r = write_some(s.fd.get(), &part, 1);
    if (r.kind == IoResult::Kind::would_block) return true;
    if (r.kind == IoResult::Kind::failed) return close(t, true), false;
    t.last_us = rt_.now_us;
    rt_.wheel.arm(&t, t.idle_ms);
    s.out.consume(rt_.buffers, r.bytes);
    if (r.bytes < front.size()) return true;
  }
  return true;
}

// The other side has ended and everything it sent is on its way: half close.
void Tunnels::pass_end(Tunnel& t, int to) {
  TunnelSide& s = t.sides[to];
  if (s.closed || !s.out.empty()) return;
  s.closed = true;
  if (t.sides[0].closed && t.sides[1].closed) return close(t, false);
  ::shutdown(s.fd.get(), SHUT_WR);
}

void Tunnels::on_timer(Tunnel& t) {
  rt_.count(abi::worker_counter::timeouts);
  close(t, false);
}

void Tunnels::enqueue(Tunnel& t) {
  if (t.queued) return;
  t.queued = true;
  queue_.push_back({TokenKind::tunnel_client, t.slot_generation, t.slot_index});
}

void Tunnels::run_queue() {
  turn_.swap(queue_);
  for (const Token& token : turn_) {
    Tunnel* t = tunnels.find(token.index, token.generation);
    if (!t) continue;
    t->queued = false;
    pump(*t, 0);
    if (!t->over) pump(*t, 1);
  }
  turn_.clear();
}

void Tunnels::close(Tunnel& t, bool reset) {
  if (t.over) return;
  t.over = true;
  rt_.wheel.cancel(&t);
  for (TunnelSide& s : t.sides) {
    if (reset && s.fd.valid()) reset_on_close(s.fd.get());
    s.out.clear(rt_.buffers);
    s.fd.reset();
  }
  rt_.board.total_in_flight(t.server_slot).fetch_sub(1, std::memory_order_relaxed);
  rt_.count_server(t.server_slot, abi::server_counter::in_flight, -1);
  rt_.count(abi::worker_counter::open_tunnels, -1);
  rt_.count(abi::worker_counter::connections, -1);
  --rt_.board.listener(rt_.board.column(), t.listener)[abi::listener_counter::connections];
  tunnels.retire(&t);
}

void Tunnels::close_all() {
  tunnels.each([&](Tunnel* t) { close(*t, false); });
  tunnels.sweep();
}

}  // namespace weir
