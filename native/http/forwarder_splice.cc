// Large bodies of known length: socket to pipe to socket, one full segment at a time.
#include <errno.h>

#include <algorithm>

#include "http/forwarder.h"
#include "loop/io.h"

namespace weir {

bool Forwarder::may_splice_response(const Exchange& ex) const {
  return ex.stage == Stage::responding && ex.response_framing == ResponseFraming::length && !ex.upstream->in &&
         ex.response_body.remaining() >= kBulkBytes / 2 && ex.client->piece != 0;
}

bool Forwarder::splice_response(Exchange& ex) {
  ClientConnection& c = *ex.client;
  UpstreamConnection& u = *ex.upstream;
  c.pipe = rt_.pipes.take();
  if (!c.pipe) {
    // No pipes left: the copying way goes on, for this body.
    c.piece = 0;
    return true;
  }
  const IoResult r = c.pipe->fill(u.stream.fd(), size_t(std::min<uint64_t>(ex.response_body.remaining(), c.piece)));
  if (r.kind != IoResult::Kind::ok) {
    rt_.pipes.give_back(c.pipe);
    c.pipe = nullptr;
    if (r.kind != IoResult::Kind::would_block) return server_ended(ex, r.error), false;
    u.readable = false;
    if (u.peer_ended) server_ended(ex, EPIPE);
    return false;
  }
  rt_.count_server(u.server->slot, abi::server_counter::bytes_received, double(r.bytes));
  rt_.count(abi::worker_counter::spliced_bytes, double(r.bytes));
  c.sent += r.bytes;
  rt_.wheel.arm(&u, ex.plan->idle_ms);
  ex.response_body.skip(r.bytes);
  if (ex.response_body.done()) end_load(ex);
  // Whatever the socket takes now or later, these bytes are the client's: the exchange may end before they have left.
  if (!drain_to_client(c, false)) return false;
  if (!ex.response_body.done()) return !c.pipe;
  finish_response(ex, false);
  return false;
}

// False when the connection has ended.
bool Forwarder::drain_to_client(ClientConnection& c, bool progress) {
  while (c.pipe->pending > 0) {
    const IoResult r = c.pipe->drain(c.stream.fd());
    if (r.kind == IoResult::Kind::would_block) {
      if (!progress) rt_.wheel.arm(&c, listener_of(c).write_ms);
      return true;
    }
    if (r.kind == IoResult::Kind::failed) return client_gone(c), false;
    rt_.count(abi::worker_counter::bytes_to_clients, double(r.bytes));
    if (c.peer_ended) c.wrote_since_end = true;
    if (progress) rt_.wheel.arm(&c, listener_of(c).write_ms);
  }
  rt_.pipes.give_back(c.pipe);
  c.pipe = nullptr;
  return true;
}

// Only what can never be sent again anyway: a body that has outgrown its replay copy.
bool Forwarder::may_splice_request(const Exchange& ex) const {
  return ex.request.body == BodyKind::length && !ex.replayable && ex.client->readable && ex.request_body.remaining() >= kBulkBytes / 2 &&
         ex.client->stream.is_plain() && ex.upstream->stream.is_plain();
}

bool Forwarder::splice_request(Exchange& ex) {
  ClientConnection& c = *ex.client;
  UpstreamConnection& u = *ex.upstream;
  if (u.request_piece == 0) u.request_piece = piece_to_send(u.stream.fd());
  Pipe* pipe = rt_.pipes.take();
  if (!pipe) return read_body(c, ex);
  const IoResult r = pipe->fill(c.stream.fd(), size_t(std::min<uint64_t>(ex.request_body.remaining(), u.request_piece)));
  if (r.kind != IoResult::Kind::ok) {
    rt_.pipes.give_back(pipe);
    c.readable = false;
    if (r.kind == IoResult::Kind::would_block && !c.peer_ended) rt_.wheel.arm(&c, listener_of(c).body_ms);
    else client_gone(c);
    return false;
  }
  u.pipe = pipe;
  rt_.count(abi::worker_counter::bytes_from_clients, double(r.bytes));
  rt_.count(abi::worker_counter::spliced_bytes, double(r.bytes));
  rt_.wheel.arm(&c, listener_of(c).body_ms);
  ex.body_bytes += r.bytes;
  ex.request_body.skip(r.bytes);
  if (ex.request_body.done()) ex.request_complete = true;
  return drain_to_server(u) && !u.pipe;
}

// False when the attempt has failed or been answered.
bool Forwarder::drain_to_server(UpstreamConnection& u) {
  Exchange& ex = *u.exchange;
  while (u.pipe->pending > 0) {
    const IoResult r = u.pipe->drain(u.stream.fd());
    if (r.kind == IoResult::Kind::would_block) {
      rt_.wheel.arm(&u, ex.plan->idle_ms);
      return true;
    }
    if (r.kind == IoResult::Kind::failed) {
      u.readable = u.peer_ended = true;
      ex.upload_refused = true;
      read_response(ex);
      return false;
    }
    u.written += r.bytes;
    rt_.count_server(u.server->slot, abi::server_counter::bytes_sent, double(r.bytes));
    rt_.wheel.arm(&u, ex.plan->idle_ms);
  }
  rt_.pipes.give_back(u.pipe);
  u.pipe = nullptr;
  return true;
}

}  // namespace weir
