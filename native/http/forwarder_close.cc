// Bytes out to the client, and how its connection ends: politely, at once, or with a reset.
#include "http/forwarder.h"
#include "loop/io.h"

namespace weir {

namespace {
constexpr uint32_t kLingerMs = 2000;
constexpr uint32_t kLingerBytes = 1 << 20;
}  // namespace

void Forwarder::write_client(ClientConnection& c, Gather& g) {
  if (g.empty() || c.state == ClientConnection::State::closed) return;
  size_t written = 0;
  c.sent += g.bytes();
  if (!c.blocked()) {
    const IoResult r = c.stream.write(g.parts(), g.count());
    if (r.kind == IoResult::Kind::failed) {
      c.sent -= g.bytes();
      return client_gone(c);
    }
    written = r.bytes;
    rt_.count(abi::worker_counter::bytes_to_clients, double(written));
    if (written > 0 && c.peer_ended) c.wrote_since_end = true;
    if (written == g.bytes()) return;
    rt_.wheel.arm(&c, listener_of(c).write_ms);
  }
  for (int i = 0; i < g.count(); ++i) {
    const iovec& p = g.parts()[i];
    if (written >= p.iov_len) {
      written -= p.iov_len;
      continue;
    }
    c.out.append(rt_.buffers, {static_cast<char*>(p.iov_base) + written, p.iov_len - written});
    written = 0;
  }
}

void Forwarder::flush_client(ClientConnection& c) {
  if (c.pipe) {
    if (!drain_to_client(c, true) || c.pipe) return;
  }
  while (!c.out.empty()) {
    const std::string_view front = c.out.front();
    const iovec part{const_cast<char*>(front.data()), front.size()};
    const IoResult r = c.stream.write(&part, 1);
    if (r.kind == IoResult::Kind::would_block) return;
    if (r.kind == IoResult::Kind::failed) return client_gone(c);
    rt_.count(abi::worker_counter::bytes_to_clients, double(r.bytes));
    if (c.peer_ended) c.wrote_since_end = true;
    c.out.consume(rt_.buffers, r.bytes);
    rt_.wheel.arm(&c, listener_of(c).write_ms);
    if (r.bytes < front.size()) return;
  }
  if (c.state == ClientConnection::State::flushing) return next(c);
  if (c.exchange && c.exchange->upstream) read_response(*c.exchange);
}

void Forwarder::client_gone(ClientConnection& c) {
  if (c.state == ClientConnection::State::exchange) rt_.count(abi::worker_counter::client_aborts);
  close_client(c);
}

// Ends everything of this connection at once: the server's work is cancelled by closing its connection.
void Forwarder::close_client(ClientConnection& c, bool reset) {
  if (c.state == ClientConnection::State::closed) return;
  c.state = ClientConnection::State::closed;
  if (c.exchange) {
    Exchange& ex = *c.exchange;
    if (!ex.response_complete) ex.seen.fail(abi::termination::client_abort);
    // The end of the connection would be the end of the body: whatever the reason for closing is, it must not look complete.
    if (ex.response_started && !ex.response_complete && ex.response_framing == ResponseFraming::until_close) reset = true;
    end_lease(ex, false);
    end_exchange(ex);
  }
  if (c.stream.valid()) {
    if (reset) reset_on_close(c.stream.fd());
    reset ? c.stream.close() : c.stream.close_in_order();
  }
  rt_.wheel.cancel(&c);
  if (c.in) rt_.buffers.give_back(c.in);
  c.in = nullptr;
  c.out.clear(rt_.buffers);
  if (c.pipe) rt_.pipes.give_back(c.pipe);
  c.pipe = nullptr;
  if (c.own_server.generation != 0) pool_.forget_client(c.own_server, key_of(c));
  rt_.connection_closed(c.listener, c.address_key);
  clients.retire(&c);
}

// All was sent. If the client may still be sending, a plain close would answer with a reset that can destroy what we sent
// (RFC 9112 9.6): so close our side, and read for a while.
void Forwarder::close_politely(ClientConnection& c) {
  if (c.break_at_end) return close_client(c, true);
  const bool unread = c.readable || (c.in && c.in->size() > 0);
  if (c.peer_ended || (!unread && !c.may_send_more)) return close_client(c);
  c.state = ClientConnection::State::lingering;
  if (c.in) rt_.buffers.give_back(c.in);
  c.in = nullptr;
  c.stream.end_output();
  rt_.wheel.arm(&c, kLingerMs);
  if (c.readable) linger(c);
}

void Forwarder::linger(ClientConnection& c) {
  for (;;) {
    const IoResult r = c.stream.read(rt_.scratch.get(), kReadBytes);
    if (r.kind == IoResult::Kind::would_block) {
      c.readable = false;
      return;
    }
    c.lingered += uint32_t(r.bytes);
    if (r.kind != IoResult::Kind::ok || c.lingered > kLingerBytes) return close_client(c);
  }
}

}  // namespace weir
