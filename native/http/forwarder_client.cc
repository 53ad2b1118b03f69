// The client's side: accept, heads in, verdicts, our own answers, what comes next on a connection.
#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include <cstring>

#include "http/forwarder.h"
#include "http/head_writer.h"
#include "http/status_text.h"
#include "loop/io.h"

namespace weir {

namespace {
constexpr uint32_t kMaxExchanges = 10'000;
constexpr uint32_t kMaxAgeMs = 3'600'000;
constexpr uint32_t kHalfClosedGraceMs = 500;
constexpr uint32_t kDecisionMs = 300'000;
}  // namespace

Forwarder::~Forwarder() { close_all(); }

ListenerSettings& Forwarder::listener(unsigned index) {
  if (index >= listeners_.size()) listeners_.resize(index + 1);
  if (!listeners_[index]) listeners_[index] = std::make_unique<ListenerSettings>();
  return *listeners_[index];
}

HeadSources Forwarder::sources(Exchange& ex) {
  return {ex, *ex.client, listener_of(*ex.client), pool_.server(ex.server_slot), random_};
}

void Forwarder::accept(Stream stream, Origin&& origin, unsigned listener, uint64_t address_key, bool watched) {
  ClientConnection* c = clients.create();
  c->kind = kClientTimer;
  c->listener = uint16_t(listener);
  c->peer = origin.ip;
  c->peer_port = origin.port;
  c->local_port = origin.local_port;
  c->unix_peer = origin.is_unix;
  c->proxy = std::move(origin.proxy);
  c->address_key = address_key;
  const ListenerSettings& l = listener_of(*c);
  c->trusted = l.trusts(c->peer, c->unix_peer);
  c->accepted_ms = uint32_t(rt_.now_us / 1000);
  c->stream = std::move(stream);
  const Token token{TokenKind::client, c->slot_generation, c->slot_index};
  if (!(watched ? rt_.loop.rewatch(c->stream.fd(), token, Loop::kStream) : rt_.loop.watch(c->stream.fd(), token, Loop::kStream))) return close_client(*c);
  rt_.wheel.arm(c, l.header_ms);
  await_departure(*c);
  // The first request may have been read together with the end of the handshake.
  if (!c->stream.holds_bytes()) return;
  c->readable = true;
  enqueue(*c);
}

void Forwarder::on_client_event(ClientConnection& c, uint32_t events) {
  if (events & (EPOLLERR | EPOLLHUP)) return client_gone(c);
  if (events & (EPOLLIN | EPOLLRDHUP)) c.readable = true;
  if (events & EPOLLRDHUP && !c.peer_ended) {
    c.peer_ended = true;
    // It may have left, or only closed its sending side. If it left, the next write shows it; a short grace for answers that are near.
    if (c.state == ClientConnection::State::exchange) rt_.wheel.arm(&c, kHalfClosedGraceMs);
  }
  if (events & EPOLLOUT && c.blocked()) flush_client(c);
  if (!c.readable) return;
  switch (c.state) {
    case ClientConnection::State::idle:
    case ClientConnection::State::head: read_head(c); break;
    case ClientConnection::State::exchange:
      if (c.exchange && !c.exchange->request_complete) pump_request(*c.exchange);
      break;
    case ClientConnection::State::lingering: linger(c); break;
    default: break;
  }
}

void Forwarder::read_head(ClientConnection& c) {
  // A connection in the queue has a next head in its buffer, which comes before whatever the socket says now.
  while (c.readable && !c.queued && (c.state == ClientConnection::State::idle || c.state == ClientConnection::State::head)) {
    if (!c.in) c.in = rt_.buffers.take();
    Buffer& b = *c.in;
    if (b.at == b.end) b.at = b.end = 0;
    else if (b.room() < 16384) {
      memmove(b.bytes, b.bytes + b.at, b.size());
      b.end = b.size();
      b.at = 0;
    }
    const uint64_t ready_us = rt_.arrivals.ready_us(c.stream.fd());
    const uint32_t room = std::min(b.room(), kReadBytes);
    const IoResult r = c.stream.read(b.bytes + b.end, room);
    if (r.kind == IoResult::Kind::ok) {
      // A short read has emptied the socket; an end that came with it has set peer_ended.
      if (c.stream.was_emptied_by(r, room) && !c.peer_ended) c.readable = false;
      b.end += uint32_t(r.bytes);
      rt_.count(abi::worker_counter::bytes_from_clients, double(r.bytes));
      parse_head(c, ready_us);
      continue;
    }
    c.readable = false;
    if (r.kind == IoResult::Kind::would_block) break;
    // Who left between two requests has all that it asked for, and listens no more.
    if (c.state == ClientConnection::State::idle) c.stream.close();
    return close_client(c);
  }
  if (c.state != ClientConnection::State::idle) return;
  if (c.in && c.in->size() == 0) {
    rt_.buffers.give_back(c.in);
    c.in = nullptr;
  }
  if (!c.queued && is_overdue(c) && !may_speak_yet(c)) close_client(c);
}

void Forwarder::parse_head(ClientConnection& c, uint64_t ready_us) {
  if (!c.exchange) {
    Exchange* made = exchanges.create();
    made->client = &c;
    made->parser.reset(HeadParser::Kind::request);
    made->seen.route = c.listener;
    made->sent_before = c.sent;
    c.exchange = made;
  }
  Exchange& ex = *c.exchange;
  Buffer& b = *c.in;
  const ParseResult r = ex.parser.feed(b.bytes + b.at, b.size(), listener_of(c).head, ex.request);
  if (r == ParseResult::incomplete) {
    if (c.state == ClientConnection::State::head) return;
    // Waiting starts with the first byte. For a new connection it has started at accept.
    c.state = ClientConnection::State::head;
    if (c.exchanges > 0) rt_.wheel.arm(&c, listener_of(c).header_ms);
    return;
  }
  ex.started_us = ready_us;
  ex.seen.begin(ready_us);
  c.state = ClientConnection::State::exchange;
  if (r == ParseResult::failed) {
    rt_.count(abi::worker_counter::refused_heads);
    const int status = status_of(ex.parser.error());
    const int reason = status == 431 || status == 414 ? abi::termination::header_too_large : abi::termination::bad_request;
    return refuse(ex, status, reason, text_of(ex.parser.error()));
  }
  b.at += ex.parser.consumed();
  begin(c, ex);
}

void Forwarder::begin(ClientConnection& c, Exchange& ex) {
  const MessageHead& head = ex.request;
  const ListenerSettings& l = listener_of(c);
  ++c.exchanges;
  rt_.count(abi::worker_counter::exchanges);
  ex.method = head.method;
  ex.http10 = head.minor_version == 0;
  ex.head_held = true;
  ex.expects_continue = head.expect_continue && !ex.http10;
  ex.wants_upgrade = head.has_upgrade && !head.upgrade_is_h2c && !ex.http10;
  c.close_after = !head.keep_alive || c.exchanges >= kMaxExchanges || uint32_t(rt_.now_us / 1000) - c.accepted_ms > kMaxAgeMs;
  ex.request_body.start(head.body, head.content_length);
  c.may_send_more = false;
  ex.request_complete = ex.request_body.done();
  // An upgrade whose request has a body stays a plain request: the two would mix on the way.
  ex.wants_upgrade = ex.wants_upgrade && ex.request_complete;
  // Moves the deadline away with one store; who waits for the client sets a nearer one.
  rt_.wheel.arm(&c, c.peer_ended ? kHalfClosedGraceMs : l.keep_alive_ms);
  if (head.expect_unknown) return refuse(ex, 417, abi::termination::bad_request, "unknown expectation");
  if (head.method == Method::connect) return refuse(ex, 501, abi::termination::bad_request, "CONNECT is not served here");
  if (head.body == BodyKind::length && head.content_length > l.body_bytes) return refuse(ex, 413, abi::termination::body_too_large, "request body too large");
  rt_.count(abi::worker_counter::decisions);
  perform(ex, decider_.decide(ex));
}

void Forwarder::perform(Exchange& ex, const Verdict& v) {
  on_route(ex, v.route);
  switch (v.kind) {
    case abi::verdict::forward: return start_attempt(ex, v);
    case abi::verdict::answer:
      ex.seen.fail(v.termination);
      if (v.answer) return answer(ex, *v.answer);
      break;
    case abi::verdict::wait:
      ex.stage = Stage::waiting;
      ex.waited = true;
      ex.seen.queue(monotonic_us());
      if (!ex.client->peer_ended) rt_.wheel.arm(ex.client, kDecisionMs);
      return;
    default: break;
  }
  ex.seen.fail(abi::termination::policy_denied);
  close_client(*ex.client, true);
}

bool Forwarder::resume(uint32_t index, uint32_t generation, const Verdict& v) {
  Exchange* ex = exchanges.find(index, generation);
  if (!ex || ex->stage != Stage::waiting) return false;
  ex->seen.unqueue(rt_.now_us);
  perform(*ex, v);
  return true;
}

void Forwarder::use_plan(Exchange& ex, Plan* plan) {
  if (plan) ++plan->uses;
  Plan* old = ex.plan;
  ex.plan = plan;
  if (old && --old->uses == 0 && old->dropped) delete old;
}

std::string_view Forwarder::date() {
  const uint64_t second = rt_.now_us / 1'000'000;
  if (second != date_second_) {
    date_second_ = second;
    const time_t now = ::time(nullptr);
    tm parts;
    gmtime_r(&now, &parts);
    strftime(date_, sizeof date_, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return date_;
}

void Forwarder::refuse(Exchange& ex, int status, int termination, const char* why) {
  ex.seen.fail(uint8_t(termination));
  Answer a;
  a.status = status;
  a.body = std::string(reason_phrase(status)) + ": " + why + "\n";
  a.content_type = "text/plain; charset=utf-8";
  a.has_body = true;
  const auto& pages = listener_of(*ex.client).pages;
  if (pages.contains(status)) a.has_body = false;
  ex.client->close_after = true;
  answer(ex, a);
}

// The rest of a small request body is here already: the connection can go on after our answer.
bool Forwarder::skip_buffered_body(Exchange& ex) {
  Buffer* in = ex.client->in;
  while (in && in->size() > 0 && !ex.request_body.done()) {
    std::string_view piece;
    const size_t used = ex.request_body.step(in->view(), piece);
    in->at += uint32_t(used);
    if (used == 0) break;
  }
  return ex.request_body.done();
}

void Forwarder::answer(Exchange& ex, const Answer& a) {
  ClientConnection& c = *ex.client;
  const ListenerSettings& l = listener_of(c);
  ex.answering = true;
  const bool head_failed = ex.parser.error() != ParseError::none;
  if (head_failed || !skip_buffered_body(ex)) c.close_after = c.may_send_more = true;
  if (leaves(c)) c.close_after = true;
  std::string_view type = a.content_type, body = a.body;
  if (!a.has_body) {
    const auto page = l.pages.find(a.status);
    if (page != l.pages.end()) type = page->second.content_type, body = page->second.body;
  }
  head_.clear();
  write_answer_head(head_, sources(ex), a, type, body.size(), date(), c.close_after);
  Gather g;
  g.add(head_.view());
  if (ex.method != Method::head && a.status != 204 && a.status != 304) g.add(body);
  rt_.count(abi::worker_counter::answered);
  ex.seen.status = uint16_t(a.status);
  write_client(c, g);
  if (c.state == ClientConnection::State::closed) return;
  ex.response_complete = true;
  end_exchange(ex);
}

void Forwarder::end_exchange(Exchange& ex) {
  ClientConnection& c = *ex.client;
  if (ex.attempts > 1 || ex.waited || (ex.plan && ex.plan->tell_finished)) decider_.finished(ex);
  drop_rival(ex);
  if (ex.started_us != 0) observe(ex);
  ex.stage = Stage::done;
  rt_.wheel.cancel(&ex);
  ex.replay.clear(rt_.buffers);
  use_plan(ex, nullptr);
  c.exchange = nullptr;
  exchanges.retire(&ex);
  if (c.state == ClientConnection::State::closed) return;
  if (c.blocked()) {
    c.state = ClientConnection::State::flushing;
    rt_.wheel.arm(&c, listener_of(c).write_ms);
    return;
  }
  next(c);
}

// After a complete response: the next request, or the end.
void Forwarder::next(ClientConnection& c) {
  if (c.close_after) return close_politely(c);
  c.state = ClientConnection::State::idle;
  rt_.wheel.arm(&c, listener_of(c).keep_alive_ms);
  if (c.in && c.in->size() == 0) {
    rt_.buffers.give_back(c.in);
    c.in = nullptr;
  }
  // Its turn to leave came behind its response's head: it was not told, so it is looked at once more before it is closed.
  if (is_overdue(c)) c.readable = true;
  if (c.in || c.readable) enqueue(c);
}

void Forwarder::enqueue(ClientConnection& c) {
  if (c.queued) return;
  c.queued = true;
  queue_.push_back({TokenKind::client, c.slot_generation, c.slot_index});
}

void Forwarder::run_queue() {
  // One step per turn and connection: a long pipeline or body takes its turns with everybody else.
  turn_.swap(queue_);
  for (const Token& token : turn_) {
    ClientConnection* c = clients.find(token.index, token.generation);
    if (!c) continue;
    c->queued = false;
    if (c->state == ClientConnection::State::exchange) {
      if (c->exchange->upstream) read_response(*c->exchange);
      if (c->state == ClientConnection::State::exchange && !c->exchange->request_complete) pump_request(*c->exchange);
      continue;
    }
    if (c->state != ClientConnection::State::idle) continue;
    if (c->in && c->in->size() > 0) {
      parse_head(*c, rt_.now_us);
      if (c->state == ClientConnection::State::head && c->readable) read_head(*c);
    } else if (c->readable) {
      read_head(*c);
    }
  }
  turn_.clear();
}

void Forwarder::sweep() {
  clients.sweep();
  exchanges.sweep();
  pool_.connections.sweep();
}

Stream Forwarder::take_client_stream(ClientConnection& c) { return std::move(c.stream); }

void Forwarder::finish_joined(Exchange& ex) {
  ClientConnection& c = *ex.client;
  ex.upstream = nullptr;
  ex.counted_in_flight = false;
  ex.response_complete = true;
  close_client(c);
}

void Forwarder::close_all() {
  rt_.wheel.cancel(&departure_timer_);
  clients.each([&](ClientConnection* c) {
    if (c->exchange) c->exchange->seen.fail(abi::termination::shutdown);
    close_client(*c);
  });
  sweep();
}

}  // namespace weir
