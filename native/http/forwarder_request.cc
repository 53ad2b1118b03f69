// Towards the server: attempts, the request's body, and what happens when an attempt fails.
#include <errno.h>

#include <algorithm>
#include <cstring>

#include "http/forwarder.h"
#include "http/head_writer.h"
#include "loop/io.h"

namespace weir {

namespace {
// TypeScript counts attempts by the config; this bound only keeps a faulty policy from looping.
constexpr unsigned kMaxAttempts = 200;
// How many reads and writes one body may do before others get their turn.
constexpr int kStepsPerTurn = 16;
constexpr uint32_t kLeastRoom = kBufferBytes - kMaxHeadBytes - 1;
}  // namespace

// Connections that began with a PROXY header belong to one client connection.
uint64_t Forwarder::key_of(const ClientConnection& c) { return (uint64_t(c.slot_generation) << 32 | c.slot_index) + 1; }

void Forwarder::begin_total(Exchange& ex) {
  ex.kind = kExchangeTimer;
  const uint64_t spent_ms = (rt_.now_us - ex.started_us) / 1000;
  rt_.wheel.arm(&ex, ex.plan->total_ms > spent_ms ? uint32_t(ex.plan->total_ms - spent_ms) : 1);
}

void Forwarder::start_attempt(Exchange& ex, const Verdict& v) {
  Server* s = pool_.server(v.server);
  if (!v.plan || !s || ex.attempts >= kMaxAttempts) return close_client(*ex.client, true);
  use_plan(ex, v.plan);
  if (rt_.trace_share >= 0 && ex.attempts == 0) trace(ex);
  if (ex.plan->total_ms > 0 && !ex.linked()) begin_total(ex);
  ++ex.attempts;
  if (ex.attempts > 1) ++rt_.board.route(ex.seen.route)[ex.rival ? abi::route_counter::hedges : abi::route_counter::retries];
  ex.server_slot = v.server;
  ex.attempt_us = rt_.now_us;
  ex.seen.connect_us = ex.seen.first_byte_us = 0;
  ex.reused = false;
  if (s->removed) return attempt_failed(ex, abi::failure::connect, EHOSTUNREACH);
  if (rt_.is_full(s->slot, s->max_connections)) return attempt_failed(ex, abi::failure::busy, 0);
  rt_.begin_load(s->slot);
  ex.counted_in_flight = true;

  const uint64_t client_key = ex.plan->send_proxy == ProxyVersion::off ? 0 : key_of(*ex.client);
  UpstreamConnection* u = v.fresh_connection ? nullptr : pool_.take_idle(*s, client_key);
  int error = 0;
  if (u) {
    ex.reused = true;
    rt_.count_server(s->slot, abi::server_counter::reused);
  } else {
    ex.attempt_us = monotonic_us();
    u = pool_.open(*s, error);
  }
  if (!u) return attempt_failed(ex, abi::failure::connect, error);
  u->exchange = &ex;
  u->client_key = client_key;
  if (client_key) ex.client->own_server = {TokenKind::upstream, u->slot_generation, u->slot_index};
  ++u->uses;
  ex.upstream = u;
  if (u->state == UpstreamConnection::State::connecting) {
    ex.stage = Stage::connecting;
    ex.seen.end(ex.attempt_us);
    rt_.wheel.arm(u, ex.plan->connect_ms);
    return;
  }
  send_request(ex);
}

void Forwarder::on_upstream_event(UpstreamConnection& u, uint32_t events) {
  const bool ended = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  if (u.state == UpstreamConnection::State::idle) {
    if (ended || events & EPOLLIN) pool_.on_idle_event(u, ended);
    return;
  }
  if (u.in_handshake) {
    if (ended) u.peer_ended = true;
    return shake_hands(u);
  }
  if (u.state == UpstreamConnection::State::connecting) {
    // Neither means that a socket object is only being set up.
    if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
    // A server may have spoken before we did; that edge is not reported again.
    u.readable = events & (EPOLLIN | EPOLLRDHUP);
    u.peer_ended = events & EPOLLRDHUP;
    return connected(u);
  }
  if (u.state != UpstreamConnection::State::leased || !u.exchange) return;
  if (u.exchange->rival == &u) return on_rival_event(*u.exchange, events);
  if (events & EPOLLIN || ended) u.readable = true;
  if (ended) u.peer_ended = true;
  const Token me{TokenKind::upstream, u.slot_generation, u.slot_index};
  if (events & EPOLLOUT && u.blocked()) {
    flush_server(u);
    if (!pool_.connections.find(me.index, me.generation) || !u.exchange) return;
  }
  if (u.readable) read_response(*u.exchange);
}

void Forwarder::send_request(Exchange& ex) {
  UpstreamConnection& u = *ex.upstream;
  ex.stage = Stage::sending;
  ex.written_before = u.written;
  ex.encrypted_before = u.stream.tls() ? u.stream.tls()->sent() : 0;
  ex.upload_refused = false;
  ex.response_parser.reset(HeadParser::Kind::response);
  ex.response_parser.set_request_method(ex.method);
  head_.clear();
  // Where there is TLS it went ahead of the handshake.
  if (u.written == 0 && u.stream.is_plain() && ex.plan->send_proxy != ProxyVersion::off) put_proxy_header(*ex.client, ex.plan->send_proxy, head_);
  // What the PROXY header holds is not the request's: a server that got only that has not seen the request.
  ex.written_before += head_.view().size();
  write_request_head(head_, sources(ex));
  Gather g;
  g.add(head_.view());
  if (ex.attempts > 1 && (!ex.replay.empty() || ex.request_complete)) {
    if (!write_server(u, g) || !replay_body(ex)) return;
    g.clear();
  }
  // A small body that came along with the head leaves along with it.
  if (!ex.request_complete && ex.client->in && ex.client->in->size() > 0) {
    const Token me{TokenKind::client, ex.client->slot_generation, ex.client->slot_index};
    const size_t used = take_body(ex, ex.client->in->view(), g);
    if (!clients.find(me.index, me.generation) || ex.stage != Stage::sending) return;
    ex.client->in->at += uint32_t(used);
  }
  if (!write_server(u, g)) return;
  ex.sent_us = monotonic_us();
  ex.seen.end(ex.sent_us);
  if (ex.request_complete) request_sent(ex);
  else pump_request(ex);
}

// Sends what an earlier attempt took from the client already. False: this attempt has failed, too.
bool Forwarder::replay_body(Exchange& ex) {
  const bool chunked = ex.request.body == BodyKind::chunked;
  for (const Buffer* b = ex.replay.first(); b; b = b->next) {
    Gather g;
    if (chunked) g.add_chunk(b->view());
    else g.add(b->view());
    // A failed write ends the attempt, and with it maybe the exchange and what it kept.
    if (!write_server(*ex.upstream, g)) return false;
  }
  Gather last;
  if (ex.request_complete && chunked) last.add_last_chunk(ex.request_body.trailers());
  return write_server(*ex.upstream, last);
}

// Takes body bytes of the request out of `bytes` and adds what goes to the server. Returns how many were used; the exchange may
// have ended when the body was bad.
size_t Forwarder::take_body(Exchange& ex, std::string_view bytes, Gather& g) {
  const bool chunked = ex.request.body == BodyKind::chunked;
  size_t used = 0;
  while (!ex.request_body.done() && !g.full()) {
    std::string_view piece;
    const size_t n = ex.request_body.step(bytes.substr(used), piece);
    if (n == 0) break;
    used += n;
    if (piece.empty()) continue;
    ex.body_bytes += piece.size();
    if (ex.body_bytes > listener_of(*ex.client).body_bytes) {
      end_lease(ex, false);
      ex.seen.fail(abi::termination::body_too_large);
      if (ex.response_started) close_client(*ex.client);
      else refuse(ex, 413, abi::termination::body_too_large, "request body too large");
      return used;
    }
    if (ex.replayable) {
      if (ex.replay.size() + piece.size() <= ex.plan->replay_bytes) {
        ex.replay.append(rt_.buffers, piece);
      } else {
        ex.replayable = false;
        ex.replay.clear(rt_.buffers);
      }
    }
    if (chunked) g.add_chunk(piece);
    else g.add(piece);
  }
  if (ex.request_body.failed()) {
    end_lease(ex, false);
    ex.seen.fail(abi::termination::bad_request);
    if (ex.response_started) {
      close_client(*ex.client);
    } else {
      ex.client->may_send_more = true;
      refuse(ex, 400, abi::termination::bad_request, text_of(ex.request_body.error()));
    }
    return used;
  }
  if (ex.request_body.done() && !ex.request_complete) {
    ex.request_complete = true;
    if (chunked) g.add_last_chunk(ex.request_body.trailers());
  }
  return used;
}

// Moves body bytes from the client to the server until one of them has no more to give or to take.
void Forwarder::pump_request(Exchange& ex) {
  ClientConnection& c = *ex.client;
  const Token me{TokenKind::client, c.slot_generation, c.slot_index};
  for (int turn = 0; !ex.request_complete && !ex.upload_refused && (ex.stage == Stage::sending || ex.stage == Stage::responding); ++turn) {
    if (turn == kStepsPerTurn) return enqueue(c);
    UpstreamConnection& u = *ex.upstream;
    if (u.blocked()) return;  // backpressure: the server is slower than the client
    if (!c.in || c.in->size() == 0) {
      if (may_splice_request(ex)) {
        if (!splice_request(ex)) return;
        continue;
      }
      if (!read_body(c, ex)) return;
      continue;
    }
    Gather g;
    const size_t used = take_body(ex, c.in->view(), g);
    if (!clients.find(me.index, me.generation) || c.exchange != &ex || !ex.upstream) return;
    if (used == 0 && g.empty()) {
      // A chunk-size line that is not complete yet: more bytes must come behind it.
      if (!read_body(c, ex)) return;
      continue;
    }
    c.in->at += uint32_t(used);
    if (!write_server(u, g)) return;
  }
  if (ex.request_complete && ex.upstream) request_sent(ex);
}

// Moves what the buffer still needs to its front: the held head, if there is one, and the bytes behind it. A head has at most
// kMaxHeadBytes, so at least kLeastRoom bytes are free afterwards when everything else was used.
void Forwarder::make_room(Buffer& b, Exchange& ex) {
  const uint32_t from = ex.head_held ? uint32_t(ex.request.base - b.bytes) : b.at;
  memmove(b.bytes, b.bytes + from, b.end - from);
  b.at -= from;
  b.end -= from;
  // The head's views count from its base, so they move along.
  if (ex.head_held) ex.request.base = b.bytes;
}

// One read of body bytes behind what is in the client's buffer. False: nothing to be had now, or the client ended.
bool Forwarder::read_body(ClientConnection& c, Exchange& ex) {
  if (!c.readable) {
    rt_.wheel.arm(&c, listener_of(c).body_ms);
    return false;
  }
  if (!c.in) c.in = rt_.buffers.take();
  Buffer& b = *c.in;
  // The request head stays in front while it may have to be sent again.
  if (b.at == b.end) b.at = b.end = ex.head_held ? uint32_t(ex.request.base - b.bytes) + ex.parser.consumed() : 0;
  if (b.room() < kLeastRoom) make_room(b, ex);
  const IoResult r = c.stream.read(b.bytes + b.end, b.room());
  if (r.kind == IoResult::Kind::ok) {
    if (c.stream.was_emptied_by(r, b.room()) && !c.peer_ended) c.readable = false;
    b.end += uint32_t(r.bytes);
    rt_.count(abi::worker_counter::bytes_from_clients, double(r.bytes));
    // A client that takes nothing of its response is late however diligently it sends.
    if (!c.blocked()) rt_.wheel.arm(&c, listener_of(c).body_ms);
    return true;
  }
  c.readable = false;
  if (r.kind == IoResult::Kind::would_block) {
    rt_.wheel.arm(&c, listener_of(c).body_ms);
    return false;
  }
  client_gone(c);
  return false;
}

void Forwarder::request_sent(Exchange& ex) {
  if (ex.stage != Stage::sending) return;
  if (may_hedge(ex) && ex.plan->hedge_ms < ex.plan->first_byte_ms) return rt_.wheel.arm(ex.upstream, ex.plan->hedge_ms);
  rt_.wheel.arm(ex.upstream, !ex.upstream->blocked() ? ex.plan->first_byte_ms : ex.plan->idle_ms);
}

// False when the server's socket refused: the attempt has failed or been answered, and `u` may be gone.
bool Forwarder::write_server(UpstreamConnection& u, Gather& g) {
  if (g.empty()) return true;
  size_t written = 0;
  Exchange& ex = *u.exchange;
  if (!u.blocked()) {
    const IoResult r = u.stream.write(g.parts(), g.count());
    if (r.kind == IoResult::Kind::failed) {
      // It may have answered before it closed (an early 413): what it said counts more than that it stopped listening.
      u.readable = u.peer_ended = true;
      ex.upload_refused = true;
      read_response(ex);
      return false;
    }
    written = r.bytes;
    u.written += written;
    rt_.count_server(u.server->slot, abi::server_counter::bytes_sent, double(written));
    if (written == g.bytes()) return true;
    rt_.wheel.arm(&u, ex.plan->idle_ms);
  }
  for (int i = 0; i < g.count(); ++i) {
    const iovec& p = g.parts()[i];
    if (written >= p.iov_len) {
      written -= p.iov_len;
      continue;
    }
    u.out.append(rt_.buffers, {static_cast<char*>(p.iov_base) + written, p.iov_len - written});
    written = 0;
  }
  return true;
}

void Forwarder::flush_server(UpstreamConnection& u) {
  Exchange& ex = *u.exchange;
  if (u.pipe && (!drain_to_server(u) || u.pipe)) return;
  while (!u.out.empty()) {
    const std::string_view front = u.out.front();
    const iovec part{const_cast<char*>(front.data()), front.size()};
    const IoResult r = u.stream.write(&part, 1);
    if (r.kind == IoResult::Kind::would_block) return;
    if (r.kind == IoResult::Kind::failed) {
      u.readable = u.peer_ended = true;
      return;  // the caller reads what the server said, and sees its end
    }
    u.written += r.bytes;
    rt_.count_server(u.server->slot, abi::server_counter::bytes_sent, double(r.bytes));
    u.out.consume(rt_.buffers, r.bytes);
    rt_.wheel.arm(&u, ex.plan->idle_ms);
    if (r.bytes < front.size()) return;
  }
  if (ex.request_complete) request_sent(ex);
  else pump_request(ex);
}

// Did no byte of this request reach the server? Then any method may be sent again. An orderly end (FIN) carries the server's last
// acknowledgement, so what is not acknowledged then was never received. A reset carries none that counts: the server may have read
// the request while its acknowledgement was still delayed, so nothing is certain.
bool Forwarder::certainly_unsent(const Exchange& ex, int reason) const {
  const UpstreamConnection* u = ex.upstream;
  if (!u || ex.stage == Stage::connecting || u->written <= ex.written_before) return true;
  if (reason != abi::failure::closed) return false;
  const int64_t acknowledged = bytes_acknowledged(u->stream.fd());
  if (acknowledged < 0) return false;
  return uint64_t(acknowledged) <= (u->stream.tls() ? ex.encrypted_before : ex.written_before) + 1;  // the handshake's SYN counts as one
}

// Before a client gets the end of a response: whoever has seen one complete finds the server free, also on another worker.
void Forwarder::end_load(Exchange& ex) {
  if (!ex.counted_in_flight) return;
  ex.counted_in_flight = false;
  uncount(ex.server_slot);
}

void Forwarder::end_lease(Exchange& ex, bool reusable) {
  end_load(ex);
  UpstreamConnection* u = ex.upstream;
  if (!u) return;
  ex.upstream = nullptr;
  if (reusable) pool_.release(*u);
  else pool_.discard(*u);
}

void Forwarder::attempt_failed(Exchange& ex, int reason, int error) {
  Failure f{reason, error, certainly_unsent(ex, reason)};
  // Being full is no failure, and neither is a pooled connection that was closed meanwhile.
  if (ex.reused && (reason == abi::failure::closed || reason == abi::failure::reset)) rt_.count_server(ex.server_slot, abi::server_counter::stale);
  else if (reason != abi::failure::busy && reason != abi::failure::status && !own_shortage(error)) pool_.count_failure(ex.server_slot);
  fail_over(ex, f);
}

// The attempt is over: TypeScript says what comes next.
void Forwarder::fail_over(Exchange& ex, const Failure& f) {
  note_failure(ex, f);
  ex.seen.begin(rt_.now_us);
  end_lease(ex, false);
  if (ex.rival) return take_back_rival(ex);
  // What was parsed of a response belongs to the failed attempt.
  perform(ex, decider_.after_failure(ex, f));
}

}  // namespace weir
