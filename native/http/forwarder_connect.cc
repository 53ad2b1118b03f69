// From a connect to a connection that a request can be sent on: the outcome, a PROXY header, TLS.
#include <errno.h>

#include <algorithm>

#include "http/forwarder.h"
#include "loop/io.h"

namespace weir {

void Forwarder::put_proxy_header(const ClientConnection& c, ProxyVersion version, ByteSink& out) {
  ProxyAddresses a;
  const bool known = addresses_to_send({c.peer, c.peer_port, c.unix_peer, c.proxy.get(), c.stream.fd()}, a);
  char* to = out.room(kMaxSentProxyHeaderBytes);
  out.wrote(write_proxy_header(version, known ? &a : nullptr, to));
}

void Forwarder::connected(UpstreamConnection& u) {
  int error = socket_error(u.stream.fd());
  Exchange& ex = *u.exchange;
  if (error != 0) {
    if (pool_.try_next_address(u, error)) {
      if (u.state == UpstreamConnection::State::leased) send_request(ex);
      return;
    }
    return attempt_failed(ex, abi::failure::connect, error);
  }
  if (u.server->tls) return begin_tls(u);
  be_connected(u);
}

// The server speaks TLS. A PROXY header comes before anything else, and unencrypted.
void Forwarder::begin_tls(UpstreamConnection& u) {
  Exchange& ex = *u.exchange;
  if (ex.plan->send_proxy != ProxyVersion::off) {
    head_.clear();
    put_proxy_header(*ex.client, ex.plan->send_proxy, head_);
    const iovec part{const_cast<char*>(head_.view().data()), head_.view().size()};
    // The socket is new and empty: what it does not take whole it never will.
    if (u.stream.write(&part, 1).bytes != part.iov_len) return attempt_failed(ex, abi::failure::connect, EPIPE);
  }
  std::unique_ptr<TlsSession> session = u.server->tls->open();
  if (!session) return attempt_failed(ex, abi::failure::connect, ENOMEM);
  u.stream.begin_tls(std::move(session));
  u.in_handshake = true;
  shake_hands(u);
}

void Forwarder::shake_hands(UpstreamConnection& u) {
  const IoResult r = u.stream.tls()->handshake(u.stream.fd());
  if (r.kind == IoResult::Kind::would_block) return;
  if (r.kind != IoResult::Kind::ok) return attempt_failed(*u.exchange, abi::failure::tls, 0);
  u.in_handshake = false;
  if (u.stream.holds_bytes()) u.readable = true;
  be_connected(u);
}

void Forwarder::be_connected(UpstreamConnection& u) {
  Exchange& ex = *u.exchange;
  u.state = UpstreamConnection::State::leased;
  u.server->preferred = u.address_index;
  const uint64_t connected_us = rt_.arrivals.came_after(ex.attempt_us);
  ex.seen.connect_us = std::max(uint32_t(connected_us - ex.attempt_us), 1u);
  rt_.histograms.record_server(u.server->slot, abi::phase::connect, ex.seen.connect_us);
  ex.seen.begin(connected_us);
  const Token me{TokenKind::upstream, u.slot_generation, u.slot_index};
  send_request(ex);
  if (pool_.connections.find(me.index, me.generation) && u.readable && u.exchange) read_response(*u.exchange);
}

}  // namespace weir
