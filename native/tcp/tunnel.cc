// Bytes between the two sides of a tunnel.
#include "tcp/tunnel.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

#include "loop/io.h"

namespace weir {

namespace {
constexpr int kMovesPerTurn = 16;
// What makes a direction bulk, and what ends that: `TunnelSide::recent`, so reads of 24 and 8 KiB on average. Below that, one splice
// into a pipe and one out of it cost more than a copy (docs/tuning.md).
constexpr uint32_t kBulk = 96 * 1024;
constexpr uint32_t kNoBulk = 32 * 1024;
// Up to a few MiB the bytes stay in the processor's cache and a copy is cheaper than the pages' way through a pipe; a small message the
// other way means that a new answer begins.
constexpr uint64_t kBurst = 256 * 1024;
constexpr size_t kSmallMessage = 4096;
// What one copy of bulk takes: more leaves the processor's nearest caches between the read and the write.
constexpr size_t kBulkRead = 48 * 1024;
// No TCP segment has to be smaller (RFC 9293 3.7.1).
constexpr size_t kLeastSegment = 536;
// The segment size grows with the window, so it is asked for again after so many pieces.
constexpr uint32_t kPiecesPerLook = 64;

// Urgent bytes stay where they are among the others (RFC 6093 6): else they would be missing on the other side.
// Client sockets have it from their listening socket.
void keep_urgent_inline(int fd) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}
}  // namespace

void Tunnels::join(Stream client, Stream server, std::string_view to_client, std::string_view to_server, Tunnel&& about) {
  Tunnel* t = tunnels.create();
  t->kind = kTunnelTimer;
  t->state = Tunnel::State::joined;
  t->server_slot = about.server_slot;
  t->listener = about.listener;
  t->plan = about.plan;
  t->origin = std::move(about.origin);
  t->address_key = about.address_key;
  t->in_flight = true;
  t->upgraded = about.upgraded;
  t->attempts = 1;
  t->counted = t->counted_at_server = true;
  ++rt_.board.route(t->plan.route)[abi::route_counter::active];
  rt_.count_server(t->server_slot, abi::server_counter::open_tunnels);
  t->opened_us = t->last_us = rt_.now_us;
  t->sides[0].stream = std::move(client);
  t->sides[1].stream = std::move(server);
  t->sides[0].out.append(rt_.buffers, to_client);
  t->sides[1].out.append(rt_.buffers, to_server);
  rt_.count(abi::worker_counter::open_tunnels);
  watch_silence(*t);
  // Watching anew reports what is readable and writable already, so nothing that came before is missed.
  for (int side = 0; side < 2; ++side)
    if (!watch(*t, side, Watch::anew)) return close(*t, true);
  read_ahead(*t);
}

// TLS may have taken bytes from the socket that nobody has asked it for yet: no edge tells of them.
void Tunnels::read_ahead(Tunnel& t) {
  for (TunnelSide& s : t.sides)
    if (s.stream.holds_bytes()) s.readable = true;
  if (t.sides[0].readable || t.sides[1].readable) enqueue(t);
}

Token Tunnels::token_of(const Tunnel& t, int side) {
  return {side == 0 ? TokenKind::tunnel_client : TokenKind::tunnel_server, t.slot_generation, t.slot_index};
}

// For a stream's events and for urgent data (RFC 9293 3.8.5).
bool Tunnels::watch(Tunnel& t, int side, Watch how) {
  const int fd = t.sides[side].stream.fd();
  // Clients interrupt servers (telnet, FTP, databases), hardly ever the other way round: there the first event is early enough.
  const Token token = token_of(t, side);
  // The kernel tells of all that arrives as EPOLLIN and EPOLLPRI at once, so either of them would wake us.
  const uint32_t events = t.sides[side].muted ? Loop::kStream & ~uint32_t(EPOLLIN) : Loop::kStream | EPOLLPRI;
  return how == Watch::first ? rt_.loop.watch(fd, token, events) : rt_.loop.rewatch(fd, token, events);
}

// Each packet that arrives makes an edge. While the other side is full these only wake us for nothing.
void Tunnels::mute(Tunnel& t, int side) {
  t.sides[side].muted = true;
  if (!watch(t, side, Watch::anew)) t.sides[side].muted = false;
}

// The source is empty: the next edge is waited for, and reported at once if it has come already.
Tunnels::Moved Tunnels::has_no_more(Tunnel& t, int side) {
  TunnelSide& s = t.sides[side];
  s.readable = false;
  gather_when_empty(t, side);
  if (!s.muted) return Moved::none;
  s.muted = false;
  if (watch(t, side, Watch::anew)) return Moved::none;
  close(t, true);
  return Moved::over;
}

void Tunnels::on_event(Tunnel& t, int side, uint32_t events) {
  if (t.state == Tunnel::State::deciding || t.state == Tunnel::State::connecting) return on_opening_event(t, side, events);
  TunnelSide& s = t.sides[side];
  const bool known = s.readable && (events & EPOLLIN) && !s.muted;
  note(s, events);
  if (events & EPOLLERR && !s.failed) died(t, side);
  if (events & EPOLLOUT && s.blocked()) {
    if (!flush(t, side)) return;
    if (t.state == Tunnel::State::breaking) return try_break(t, side);
    pump(t, 1 - side);
    if (t.state != Tunnel::State::joined) return;
  }
  if (t.state != Tunnel::State::joined) return;
  if (s.failed && s.ended) return broke(t, side);
  if (!s.readable) return;
  if (t.sides[1 - side].accepts(s)) return pump(t, side);
  if (known) mute(t, side);
}

void Tunnels::note(TunnelSide& s, uint32_t events) {
  if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) s.readable = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) s.peer_ended = true;
  if (!(events & EPOLLPRI) || s.urgent) return;
  s.urgent = true;
  s.splices = false;
  keep_urgent_inline(s.stream.fd());
}

void Tunnels::pump(Tunnel& t, int from) {
  TunnelSide& in = t.sides[from];
  TunnelSide& to = t.sides[1 - from];
  for (int turn = 0; in.readable && !in.ended && to.accepts(in); ++turn) {
    if (turn == kMovesPerTurn) return enqueue(t);
    if ((in.splices ? splice(t, from) : copy(t, from)) != Moved::some) break;
  }
  if (t.state == Tunnel::State::joined && in.ended && !to.closed && !to.blocked()) pass_end(t, 1 - from);
}

// One read and one write. A read that did not fill the buffer has emptied the socket, so the next edge is waited for.
Tunnels::Moved Tunnels::copy(Tunnel& t, int from) {
  TunnelSide& in = t.sides[from];
  const size_t room = in.recent >= kBulk ? kBulkRead : kReadBytes;
  const IoResult r = in.stream.read(rt_.scratch.get(), room);
  if (r.kind != IoResult::Kind::ok) return source_ended(t, from, r);
  if (in.stream.was_emptied_by(r, room) && !in.peer_ended && !in.urgent && has_no_more(t, from) == Moved::over) return Moved::over;
  if (r.bytes < kSmallMessage) small_message(t, 1 - from);
  moved(t, from, r.bytes, abi::worker_counter::copied_bytes);
  notice_bulk(t, from, r.bytes);
  return write(t, 1 - from, {rt_.scratch.get(), r.bytes}) ? Moved::some : Moved::over;
}

void Tunnels::notice_bulk(Tunnel& t, int from, size_t bytes) {
  TunnelSide& in = t.sides[from];
  if (in.urgent || !in.stream.is_plain() || !t.sides[1 - from].stream.is_plain()) return;
  in.burst += bytes;
  in.recent = in.recent - in.recent / 4 + uint32_t(bytes);
  in.splices = in.burst >= kBurst && in.recent >= (in.splices ? kNoBulk : kBulk);
  if (in.splices && in.pieces++ % kPiecesPerLook == 0) in.piece = piece_to_receive(in.stream.fd());
}

// One splice into a pipe and as many out of it as the other side takes. Where that is not all of it the pipe is filled up, so that the
// source goes on sending meanwhile and the next splice out of it is a big one.
Tunnels::Moved Tunnels::splice(Tunnel& t, int from) {
  TunnelSide& in = t.sides[from];
  TunnelSide& to = t.sides[1 - from];
  if (to.pipe) return fill_up(t, from);
  to.pipe = rt_.pipes.take();
  if (!to.pipe) return copy(t, from);
  const IoResult r = to.pipe->fill(in.stream.fd(), rt_.pipes.splice_bytes(in.piece));
  if (r.kind != IoResult::Kind::ok) {
    rt_.pipes.give_back(to.pipe);
    to.pipe = nullptr;
    // An urgent mark that no event has told of yet looks like the end, too. A read knows the difference.
    return r.kind == IoResult::Kind::closed ? copy(t, from) : source_ended(t, from, r);
  }
  moved(t, from, r.bytes, abi::worker_counter::spliced_bytes);
  notice_bulk(t, from, r.bytes);
  return flush_pipe(t, 1 - from) ? Moved::some : Moved::over;
}

// The other side is full and will say when it has room: nothing is taken out of the pipe here.
Tunnels::Moved Tunnels::fill_up(Tunnel& t, int from) {
  TunnelSide& in = t.sides[from];
  TunnelSide& to = t.sides[1 - from];
  to.stuffed = true;
  if (!rt_.pipes.are_few()) return Moved::none;
  const IoResult r = to.pipe->fill(in.stream.fd(), rt_.pipes.splice_bytes(in.piece));
  // Whether the pipe is full, or the source empty or at its end, is seen once the pipe is empty.
  if (r.kind != IoResult::Kind::ok) return Moved::none;
  moved(t, from, r.bytes, abi::worker_counter::spliced_bytes);
  notice_bulk(t, from, r.bytes);
  return Moved::none;
}

// Nothing came: for now, or because the side has ended, or because it broke.
Tunnels::Moved Tunnels::source_ended(Tunnel& t, int from, const IoResult& r) {
  TunnelSide& in = t.sides[from];
  if (r.kind == IoResult::Kind::would_block) return has_no_more(t, from);
  in.readable = false;
  in.ended = true;
  in.cut = r.cut;
  // The error of a broken connection is told once, to whoever asks first; after that it looks like an end.
  if (r.kind == IoResult::Kind::failed || in.failed) {
    broke(t, from);
    return Moved::over;
  }
  return Moved::none;
}

void Tunnels::moved(Tunnel& t, int from, size_t bytes, int how) {
  t.last_us = rt_.now_us;
  t.sides[from].bytes += bytes;
  rt_.count(how, double(bytes));
  rt_.count_server(t.server_slot, from == 0 ? abi::server_counter::bytes_sent : abi::server_counter::bytes_received, double(bytes));
}

// Nagle's algorithm holds a small segment back only behind bytes that are not acknowledged yet. One small write has none before it,
// and many a short connection makes no other.
void Tunnels::before_write(Tunnel& t, int to, size_t bytes) {
  if (to == 0 || t.prompt) return;
  if (t.wrote || bytes > kLeastSegment) {
    t.prompt = true;
    send_promptly(t.sides[1].stream.fd());
  }
  t.wrote = true;
}

// False when the tunnel is over, or broke while it wrote.
bool Tunnels::write(Tunnel& t, int to, std::string_view bytes) {
  TunnelSide& s = t.sides[to];
  before_write(t, to, bytes.size());
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  const IoResult r = s.stream.write(&part, 1);
  if (r.kind == IoResult::Kind::failed) return sink_failed(t, to);
  if (r.bytes < bytes.size()) s.out.append(rt_.buffers, bytes.substr(r.bytes));
  return true;
}

bool Tunnels::flush(Tunnel& t, int to) {
  TunnelSide& s = t.sides[to];
  if (s.pipe) {
    if (!flush_pipe(t, to)) return false;
    if (s.pipe) return true;
  }
  while (!s.out.empty()) {
    const std::string_view front = s.out.front();
    before_write(t, to, front.size());
    const iovec part{const_cast<char*>(front.data()), front.size()};
    const IoResult r = s.stream.write(&part, 1);
    if (r.kind == IoResult::Kind::would_block) return true;
    if (r.kind == IoResult::Kind::failed) return sink_failed(t, to);
    t.last_us = rt_.now_us;
    s.out.consume(rt_.buffers, r.bytes);
    if (r.bytes < front.size()) return true;
  }
  return true;
}

bool Tunnels::flush_pipe(Tunnel& t, int to) {
  TunnelSide& s = t.sides[to];
  before_write(t, to, s.pipe->pending);
  while (s.pipe->pending > 0) {
    const IoResult r = s.pipe->drain(s.stream.fd());
    if (r.kind == IoResult::Kind::would_block) return true;
    if (r.kind == IoResult::Kind::failed) return sink_failed(t, to);
    t.last_us = rt_.now_us;
    s.stuffed = false;
  }
  rt_.pipes.give_back(s.pipe);
  s.pipe = nullptr;
  s.stuffed = false;
  return true;
}

// The other side has ended and everything it sent is on its way: half close.
void Tunnels::pass_end(Tunnel& t, int to) {
  TunnelSide& s = t.sides[to];
  if (s.closed || s.failed || s.blocked()) return;
  s.closed = true;
  if (t.sides[0].closed && t.sides[1].closed) return close(t, false);
  // Who was not told that it was all must not tell others so.
  t.sides[1 - to].cut ? s.stream.cut_output() : s.stream.end_output();
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
    for (int side = 0; side < 2 && t->state == Tunnel::State::joined; ++side)
      if (t->sides[side].readable) pump(*t, side);
  }
  turn_.clear();
}

}  // namespace weir
