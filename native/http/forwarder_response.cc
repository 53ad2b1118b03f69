// Back from the server: response heads, bodies, and ends - proper or broken.
#include <errno.h>

#include <algorithm>
#include <cstring>

#include "http/forwarder.h"
#include "http/head_writer.h"
#include "http/text.h"
#include "loop/io.h"

namespace weir {

namespace {

// `Keep-Alive: timeout=5, max=100` (RFC 2068 19.7.1.1, still what servers send). 0 when it says nothing.
uint32_t announced_timeout(const MessageHead& head) {
  for (unsigned i = 0; i < head.header_count; ++i) {
    if (head.headers[i].id != HeaderId::keep_alive) continue;
    uint32_t seconds = 0;
    each_token(head.value(head.headers[i]), [&](std::string_view token) {
      if (token.size() <= 8 || token.size() > 16 || !equals_ignoring_case(token.substr(0, 8), "timeout=")) return;
      uint32_t n = 0;
      for (char d : token.substr(8)) {
        if (d < '0' || d > '9') return;
        n = std::min(n * 10 + uint32_t(d - '0'), 100'000u);
      }
      seconds = n;
    });
    return seconds;
  }
  return 0;
}

// How many reads one body may do before others get their turn.
constexpr int kReadsPerTurn = 8;

ResponseFraming framing_towards(const Exchange& ex) {
  switch (ex.response.body) {
    case BodyKind::none: return ResponseFraming::none;
    case BodyKind::length: return ResponseFraming::length;
    default: return ex.http10 ? ResponseFraming::until_close : ResponseFraming::chunked;
  }
}

}  // namespace

void Forwarder::read_response(Exchange& ex) {
  ClientConnection& c = *ex.client;
  const Token me{TokenKind::client, c.slot_generation, c.slot_index};
  for (int turn = 0; ex.upstream && ex.upstream->readable && (ex.stage == Stage::sending || ex.stage == Stage::responding); ++turn) {
    if (c.blocked()) return;  // backpressure: the client is slower than the server
    if (turn == kReadsPerTurn) return enqueue(c);
    UpstreamConnection& u = *ex.upstream;
    if (may_splice_response(ex)) {
      if (!splice_response(ex)) return;
      continue;
    }
    char* to = rt_.scratch.get();
    // Whole segments of the server's, as its last large body had them, so that the rest of the next one begins with a segment.
    size_t room = u.piece ? u.piece : kReadBytes;
    if (u.in) {
      to = u.in->bytes + u.in->end;
      room = u.in->room();
    }
    const uint64_t ready_us = ex.stage == Stage::sending ? rt_.arrivals.ready_us(u.stream.fd()) : 0;
    const IoResult r = u.stream.read(to, room);
    if (r.kind == IoResult::Kind::would_block) {
      u.readable = false;
      if (u.peer_ended) return server_ended(ex, EPIPE);
      return;
    }
    if (r.kind != IoResult::Kind::ok) return server_ended(ex, r.error, r.cut);
    if (u.stream.was_emptied_by(r, room) && !u.peer_ended) u.readable = false;
    rt_.count_server(u.server->slot, abi::server_counter::bytes_received, double(r.bytes));
    if (ready_us != 0) ex.seen.first_bytes(ready_us, ex.sent_us);
    if (u.in) {
      u.in->end += uint32_t(r.bytes);
      take_head(ex, u.in->view(), true);
    } else if (ex.stage == Stage::sending) {
      take_head(ex, {to, r.bytes}, false);
    } else {
      rt_.wheel.arm(&u, ex.plan->idle_ms);
      Gather g;
      std::string_view rest(to, r.bytes);
      take_response_body(ex, rest, g);
    }
    if (!clients.find(me.index, me.generation) || c.exchange != &ex) return;
  }
}

// Bytes where a response head is due. `pooled`: they are in the connection's own buffer, else in scratch space.
void Forwarder::take_head(Exchange& ex, std::string_view bytes, bool pooled) {
  UpstreamConnection& u = *ex.upstream;
  const HeadLimits limits{ex.plan->response_head_bytes, kMaxHeaders};
  for (;;) {
    const ParseResult r = ex.response_parser.feed(bytes.data(), uint32_t(bytes.size()), limits, ex.response);
    if (r == ParseResult::failed) {
      const bool large = ex.response_parser.error() == ParseError::head_too_large || ex.response_parser.error() == ParseError::too_many_headers;
      return attempt_failed(ex, large ? abi::failure::head_too_large : abi::failure::invalid_response, 0);
    }
    if (r == ParseResult::incomplete) {
      if (!pooled && !bytes.empty()) {
        u.in = rt_.buffers.take();
        memcpy(u.in->bytes, bytes.data(), bytes.size());
        u.in->end = uint32_t(bytes.size());
      }
      return;
    }
    const std::string_view rest = bytes.substr(ex.response_parser.consumed());
    if (ex.response.status == 101) {
      if (!ex.wants_upgrade || ex.response.minor_version == 0) return attempt_failed(ex, abi::failure::invalid_response, 0);
      return switch_protocols(ex, rest);
    }
    if (ex.response.status >= 200) {
      if (ex.plan->retries(ex.response.status) && ex.replayable && ex.head_held && !ex.passed) return ask_again(ex, rest);
      start_response(ex, rest);
      return;
    }
    pass_interim(ex);
    if (ex.client->state == ClientConnection::State::closed) return;
    ex.response_parser.reset(HeadParser::Kind::response);
    ex.response_parser.set_request_method(ex.method);
    bytes = rest;
    if (pooled) {
      // The parser's offsets count from the start of a head, so the next one moves to where its buffer starts.
      memmove(u.in->bytes, rest.data(), rest.size());
      u.in->at = 0;
      u.in->end = uint32_t(rest.size());
      bytes = u.in->view();
      if (bytes.empty()) {
        rt_.buffers.give_back(u.in);
        u.in = nullptr;
      }
    }
    if (bytes.empty()) return;
  }
}

// A status that may be tried again on another server. TypeScript says whether it is; if not, the response goes on as any other.
void Forwarder::ask_again(Exchange& ex, std::string_view rest) {
  drop_rival(ex);
  const Token me{TokenKind::client, ex.client->slot_generation, ex.client->slot_index};
  const Verdict v = decider_.after_failure(ex, {abi::failure::status, ex.response.status, false});
  if (!clients.find(me.index, me.generation) || !ex.upstream) return;
  if (v.kind == abi::verdict::pass) {
    ex.passed = true;
    return start_response(ex, rest);
  }
  pool_.count_answer(*ex.upstream->server, ex.response.status, ex.seen.first_byte_us);
  note_failure(ex, {abi::failure::status, ex.response.status, false});
  end_lease(ex, false);
  perform(ex, v);
}

void Forwarder::pass_interim(Exchange& ex) {
  rt_.wheel.arm(ex.upstream, ex.plan->first_byte_ms);
  if (ex.http10) return;  // RFC 9110 15.2: an HTTP/1.0 client must not get one
  head_.clear();
  write_interim_head(head_, ex);
  Gather g;
  g.add(head_.view());
  write_client(*ex.client, g);
}

void Forwarder::start_response(Exchange& ex, std::string_view rest) {
  ClientConnection& c = *ex.client;
  UpstreamConnection& u = *ex.upstream;
  Server& s = *u.server;
  drop_rival(ex);
  ex.stage = Stage::responding;
  ex.response_started = true;
  ex.replayable = false;
  ex.replay.clear(rt_.buffers);
  ex.seen.status = ex.response.status;
  ex.seen.has_response = true;
  pool_.count_answer(s, ex.response.status, ex.seen.first_byte_us);
  if (const uint32_t seconds = announced_timeout(ex.response)) UpstreamPool::learn_announced(s, seconds);

  ex.response_framing = framing_towards(ex);
  ex.response_body.start(ex.response.body, ex.response.content_length);
  // For a body of unknown length the system calls would not pay: most such bodies are short.
  c.piece = 0;
  if (ex.response_framing == ResponseFraming::length && ex.response.content_length >= kBulkBytes) {
    const bool splices = c.stream.is_plain() && u.stream.is_plain();
    if (splices) c.piece = c.stream.piece();
    // What is copied is read in pieces that the client's socket sends as whole segments.
    u.piece = splices ? piece_to_receive(u.stream.fd()) : c.stream.piece();
  }
  if (ex.response_framing == ResponseFraming::until_close || !ex.request_complete || leaves(c)) c.close_after = true;
  head_.clear();
  write_response_head(head_, sources(ex), {ex.response_framing, c.close_after, ex.http10 && !c.close_after});
  Gather g;
  g.add(head_.view());
  Buffer* in = u.in;  // `rest` may point into it
  u.in = nullptr;
  if (!ex.response_body.done()) rt_.wheel.arm(&u, ex.plan->idle_ms);
  if (take_response_body(ex, rest, g)) {
    ex.seen.end(monotonic_us());
    keep_texts(ex);
    release_request_head(ex);
  }
  if (in) rt_.buffers.give_back(in);
}

// The head cannot be needed for another attempt any more: its buffer is free unless a body or the next request is in it.
void Forwarder::release_request_head(Exchange& ex) {
  ex.head_held = false;
  ClientConnection& c = *ex.client;
  if (c.in && c.in->size() == 0) {
    rt_.buffers.give_back(c.in);
    c.in = nullptr;
  }
}

// Passes body bytes on, and ends the exchange with the body. `g` may hold the head already. False when the exchange has ended.
bool Forwarder::take_response_body(Exchange& ex, std::string_view bytes, Gather& g) {
  ClientConnection& c = *ex.client;
  const bool chunked = ex.response_framing == ResponseFraming::chunked;
  while (!ex.response_body.done()) {
    if (g.full()) {
      write_client(c, g);
      g.clear();
      if (c.state == ClientConnection::State::closed) return false;
    }
    std::string_view piece;
    const size_t n = ex.response_body.step(bytes, piece);
    if (n == 0) break;
    bytes.remove_prefix(n);
    if (chunked) g.add_chunk(piece);
    else g.add(piece);
  }
  const bool done = ex.response_body.done(), failed = ex.response_body.failed();
  if (done && chunked) g.add_last_chunk(ex.response_body.trailers());
  if (done) end_load(ex);
  write_client(c, g);
  if (c.state == ClientConnection::State::closed) return false;
  if (failed) return break_response(ex, abi::termination::upstream_bad_response), false;
  if (!done) return true;
  finish_response(ex, !bytes.empty());
  return false;
}

void Forwarder::finish_response(Exchange& ex, bool extra_bytes) {
  UpstreamConnection& u = *ex.upstream;
  ClientConnection& c = *ex.client;
  ex.response_complete = true;
  // Bytes behind a response belong to nothing that was asked for: such a connection is never used again.
  const bool reusable = !extra_bytes && ex.request_complete && !u.blocked() && !u.readable && ex.response.keep_alive &&
                        ex.response.body != BodyKind::until_close;
  if (!ex.request_complete) c.close_after = c.may_send_more = true;
  end_lease(ex, reusable);
  end_exchange(ex);
}

// The server's connection ended or broke.
void Forwarder::server_ended(Exchange& ex, int error, bool cut) {
  if (!ex.response_started) {
    ex.upstream->readable = false;
    return attempt_failed(ex, error == 0 ? abi::failure::closed : abi::failure::reset, error);
  }
  // Where TLS does not say that this is the end, anybody on the way can have made it (RFC 9112 9.8).
  if (error == 0 && !cut && ex.response_body.finish_at_close()) {
    Gather g;
    if (ex.response_framing == ResponseFraming::chunked) g.add_last_chunk({});
    end_load(ex);
    write_client(*ex.client, g);
    if (ex.client->state != ClientConnection::State::closed) finish_response(ex, false);
    return;
  }
  break_response(ex, abi::termination::upstream_reset);
}

// The client gets what arrived, and an end that it can tell from a proper one: a length that is not reached, a last chunk that is
// missing, or a reset where the end of the connection would mean the end of the body.
void Forwarder::break_response(Exchange& ex, int termination) {
  ClientConnection& c = *ex.client;
  ex.seen.fail(uint8_t(termination));
  rt_.count(abi::worker_counter::broken_responses);
  c.close_after = true;
  c.break_at_end = ex.response_framing == ResponseFraming::until_close;
  end_lease(ex, false);
  end_exchange(ex);
}

void Forwarder::switch_protocols(Exchange& ex, std::string_view rest) {
  head_.clear();
  write_response_head(head_, sources(ex), {ResponseFraming::none, false, false, true});
  Gather g;
  g.add(head_.view());
  write_client(*ex.client, g);
  if (ex.client->state == ClientConnection::State::closed) return;
  rt_.count(abi::worker_counter::tunnels);
  ex.seen.status = 101;
  ex.seen.has_response = true;
  pool_.count_answer(*ex.upstream->server, 101, ex.seen.first_byte_us);
  joiner_.join(ex, rest);
}

}  // namespace weir
