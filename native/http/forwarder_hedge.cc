// Hedged requests (Dean and Barroso, The Tail at Scale, 2013): when a server is late, a second one is asked, and the first answer
// counts. The first attempt steps back and becomes the rival; whoever speaks first is the exchange's upstream from then on.
#include "http/forwarder.h"

namespace weir {

// Only what may be repeated, and was sent whole.
bool Forwarder::may_hedge(const Exchange& ex) const {
  return ex.plan->hedge_ms > 0 && !ex.hedged && ex.stage == Stage::sending && ex.request_complete && ex.replayable && ex.head_held &&
         is_idempotent(ex.method) && ex.upstream && !ex.upstream->blocked() && !ex.wants_upgrade;
}

void Forwarder::hedge(Exchange& ex) {
  ex.hedged = true;
  const Token me{TokenKind::client, ex.client->slot_generation, ex.client->slot_index};
  const Verdict v = decider_.hedge(ex);
  if (!clients.find(me.index, me.generation) || !ex.upstream) return;
  const uint32_t left = ex.plan->first_byte_ms > ex.plan->hedge_ms ? ex.plan->first_byte_ms - ex.plan->hedge_ms : 1;
  rt_.wheel.arm(ex.upstream, left);
  if (v.kind != abi::verdict::forward || v.server == ex.server_slot) return;
  ex.rival = ex.upstream;
  ex.rival_slot = ex.server_slot;
  ex.rival_written_before = ex.written_before;
  ex.rival_encrypted_before = ex.encrypted_before;
  ex.rival_sent_us = ex.sent_us;
  ex.rival_reused = ex.reused;
  ex.upstream = nullptr;
  ex.counted_in_flight = false;  // the rival has the count
  start_attempt(ex, v);
}

void Forwarder::on_rival_event(Exchange& ex, uint32_t events) {
  UpstreamConnection& u = *ex.rival;
  if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) u.peer_ended = true;
  const IoResult r = u.stream.peek();
  if (r.kind == IoResult::Kind::would_block) return;
  if (r.kind != IoResult::Kind::ok) return rival_failed(ex);
  u.readable = true;
  end_lease(ex, false);
  take_back_rival(ex);
}

void Forwarder::rival_failed(Exchange& ex) {
  pool_.count_failure(ex.rival_slot);
  drop_rival(ex);
}

void Forwarder::drop_rival(Exchange& ex) {
  UpstreamConnection* u = ex.rival;
  if (!u) return;
  ex.rival = nullptr;
  uncount(ex.rival_slot);
  pool_.discard(*u);
}

// The first attempt is the only one again.
void Forwarder::take_back_rival(Exchange& ex) {
  ex.upstream = ex.rival;
  ex.rival = nullptr;
  ex.server_slot = ex.rival_slot;
  ex.written_before = ex.rival_written_before;
  ex.encrypted_before = ex.rival_encrypted_before;
  ex.sent_us = ex.rival_sent_us;
  ex.reused = ex.rival_reused;
  ex.counted_in_flight = true;
  ex.stage = Stage::sending;
  ex.response_parser.reset(HeadParser::Kind::response);
  ex.response_parser.set_request_method(ex.method);
  if (ex.upstream->readable) read_response(ex);
}

void Forwarder::uncount(uint32_t slot) {
  rt_.end_load(slot);
  pool_.made_room(slot);
}

}  // namespace weir
