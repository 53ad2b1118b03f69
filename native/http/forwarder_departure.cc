// Connections that are to leave, because weir stops or their listener is gone: told by their next response, or closed while idle.
#include <algorithm>

#include "http/forwarder.h"

namespace weir {

namespace {
// A client that has only just connected is about to speak: its request is probably on its way already.
constexpr uint32_t kLastWordsMs = 1000;
constexpr uint32_t kShortestStepMs = 10;
constexpr uint32_t kLongestStepMs = 250;
constexpr uint32_t kSteps = 50;  // of a window
}  // namespace

bool Forwarder::leaves(const ClientConnection& c) const {
  return c.must_leave || departure_.has_turn(c.slot_index, rt_.now_us) || listeners_[c.listener]->departure.has_turn(c.slot_index, rt_.now_us);
}

// A client that uses its connection is told by a response; to close it between two of its requests would lose one now and then.
bool Forwarder::is_overdue(const ClientConnection& c) const {
  return c.must_leave || departure_.is_overdue(c.slot_index, rt_.now_us) ||
         listeners_[c.listener]->departure.is_overdue(c.slot_index, rt_.now_us);
}

bool Forwarder::may_speak_yet(const ClientConnection& c) const {
  return c.exchanges == 0 && uint32_t(rt_.now_us / 1000) - c.accepted_ms < kLastWordsMs;
}

bool Forwarder::is_departing(unsigned listener) const { return departure_.is_on || listeners_[listener]->departure.is_on; }

void Forwarder::drain(uint32_t spread_ms) { begin_departure(departure_, spread_ms); }

void Forwarder::retire_listener(unsigned index, uint32_t spread_ms) {
  if (ListenerSettings* l = find_listener(index)) begin_departure(l->departure, spread_ms);
}

void Forwarder::revive_listener(unsigned index) {
  ListenerSettings* l = find_listener(index);
  if (!l || !l->departure.is_on) return;
  l->departure = Departure();
  // Whoever is left of the listener before gets no further request.
  clients.each([&](ClientConnection* c) {
    if (c->listener != index) return;
    c->must_leave = true;
    ask_to_leave(*c);
  });
}

void Forwarder::begin_departure(Departure& d, uint32_t spread_ms) {
  d.begin(rt_.now_us, spread_ms);
  const bool sweeps = departure_timer_.linked();
  const uint32_t step_ms = std::clamp(spread_ms / kSteps, kShortestStepMs, kLongestStepMs);
  departure_step_ms_ = sweeps ? std::min(departure_step_ms_, step_ms) : step_ms;
  const uint64_t last_us = d.end_us() + kLastWordsMs * 1000;
  departure_last_us_ = sweeps ? std::max(departure_last_us_, last_us) : last_us;
  on_departure_timer();
}

// A handshake or a PROXY header that was under way when everybody was asked to leave: who comes of it is looked at later than the others.
void Forwarder::await_departure(const ClientConnection& c) {
  if (!is_departing(c.listener)) return;
  departure_last_us_ = std::max(departure_last_us_, rt_.now_us + (kLastWordsMs + kLongestStepMs) * 1000);
  if (!departure_timer_.linked()) rt_.wheel.arm(&departure_timer_, departure_step_ms_);
}

// One timer for everybody's turn. After its last time nobody idle is left, and the others leave with their next response.
void Forwarder::on_departure_timer() {
  clients.each([&](ClientConnection* c) {
    if (is_overdue(*c)) ask_to_leave(*c);
  });
  departure_timer_.kind = kDepartureTimer;
  if (rt_.now_us < departure_last_us_) rt_.wheel.arm(&departure_timer_, departure_step_ms_);
}

// An idle connection is looked at once more before it is closed, see read_head: a request that has arrived is served.
void Forwarder::ask_to_leave(ClientConnection& c) {
  if (c.state != ClientConnection::State::idle || c.queued || may_speak_yet(c)) return;
  c.readable = true;
  enqueue(c);
}

}  // namespace weir
