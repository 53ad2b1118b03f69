// What an expired deadline means, by the state that the connection is in.
#include <errno.h>

#include "http/forwarder.h"

namespace weir {

void Forwarder::on_client_timer(ClientConnection& c) {
  switch (c.state) {
    case ClientConnection::State::idle:
    case ClientConnection::State::lingering: return close_client(c);
    case ClientConnection::State::flushing:
      rt_.count(abi::worker_counter::timeouts);
      return close_client(c, true);
    case ClientConnection::State::head:
      rt_.count(abi::worker_counter::timeouts);
      c.state = ClientConnection::State::exchange;
      c.exchange->started_us = rt_.now_us;
      c.exchange->seen.begin(rt_.now_us);
      c.may_send_more = true;
      return refuse(*c.exchange, 408, abi::termination::client_header_timeout, "the request head took too long");
    case ClientConnection::State::exchange: break;
    case ClientConnection::State::closed: return;
  }
  Exchange& ex = *c.exchange;
  if (c.blocked()) {
    // It takes nothing although bytes are waiting for it.
    rt_.count(abi::worker_counter::timeouts);
    ex.seen.fail(abi::termination::idle_timeout);
    return close_client(c, true);
  }
  if (c.peer_ended && !c.wrote_since_end) return client_gone(c);
  if (ex.stage == Stage::waiting) {
    // A function that never settles must not hold a client for ever.
    rt_.count(abi::worker_counter::timeouts);
    return refuse(ex, 504, abi::termination::function_failed, "the decision on this request took too long");
  }
  const bool waits_for_body = !ex.request_complete && ex.upstream && !ex.upstream->blocked() &&
                              (ex.stage == Stage::sending || ex.stage == Stage::responding);
  if (waits_for_body) {
    rt_.count(abi::worker_counter::timeouts);
    ex.seen.fail(abi::termination::client_body_timeout);
    if (ex.response_started) return close_client(c);
    end_lease(ex, false);
    c.may_send_more = true;
    return refuse(ex, 408, abi::termination::client_body_timeout, "the request body stalled");
  }
  c.wrote_since_end = false;
  rt_.wheel.arm(&c, c.peer_ended ? 5000 : listener_of(c).keep_alive_ms);
}

// The whole of it took longer than the route allows.
void Forwarder::on_exchange_timer(Exchange& ex) {
  rt_.count(abi::worker_counter::timeouts);
  if (ex.response_started) return break_response(ex, abi::termination::total_timeout);
  end_lease(ex, false);
  refuse(ex, 504, abi::termination::total_timeout, "the request took too long");
}

void Forwarder::on_upstream_timer(UpstreamConnection& u) {
  if (u.state == UpstreamConnection::State::idle) return pool_.on_idle_timeout(u);
  if (!u.exchange) return;
  Exchange& ex = *u.exchange;
  if (ex.rival == &u) {
    rt_.count(abi::worker_counter::timeouts);
    return rival_failed(ex);
  }
  switch (ex.stage) {
    case Stage::connecting:
      rt_.count(abi::worker_counter::timeouts);
      // The next attempt at this server begins with its next address.
      if (!u.server->addresses.empty()) u.server->preferred = (u.address_index + 1u) % u.server->addresses.size();
      return attempt_failed(ex, abi::failure::connect_timeout, ETIMEDOUT);
    case Stage::sending:
      // While the client is still sending its body, the server need not have said anything.
      if (!ex.request_complete && !u.blocked()) return;
      if (may_hedge(ex) && ex.plan->hedge_ms < ex.plan->first_byte_ms) return hedge(ex);
      rt_.count(abi::worker_counter::timeouts);
      return attempt_failed(ex, abi::failure::first_byte_timeout, ETIMEDOUT);
    case Stage::responding:
      // Not the server's silence when the client is the one who holds things up.
      if (ex.client->blocked()) return rt_.wheel.arm(&u, ex.plan->idle_ms);
      rt_.count(abi::worker_counter::timeouts);
      return break_response(ex, abi::termination::idle_timeout);
    default: return;
  }
}

}  // namespace weir
