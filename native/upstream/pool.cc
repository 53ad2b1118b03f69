#include "upstream/pool.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "loop/io.h"

namespace weir {

namespace {
constexpr uint64_t kMaxAgeUs = 3'600'000'000;  // 1 h: DNS and server changes are followed in the end

constexpr double kEwmaDecayUs = 10e6;
// How many idle connections of other clients are passed over in the search for one's own.
constexpr unsigned kMostLooks = 64;

bool same_addresses(const Server& a, const Server& b) {
  if (a.addresses.size() != b.addresses.size()) return false;
  for (size_t i = 0; i < a.addresses.size(); ++i) {
    if (a.addresses[i].length != b.addresses[i].length) return false;
    if (memcmp(&a.addresses[i].any, &b.addresses[i].any, a.addresses[i].length) != 0) return false;
  }
  return true;
}
}  // namespace

Server& UpstreamPool::define(uint32_t slot, Server&& as) {
  if (slot >= servers_.size()) servers_.resize(slot + 1);
  std::unique_ptr<Server>& at = servers_[slot];
  if (!at) at = std::make_unique<Server>();
  Server& s = *at;
  if (!same_addresses(s, as)) {
    close_idle(s);
    s.addresses = std::move(as.addresses);
    s.preferred = 0;
    s.announced_idle_ms = s.observed_idle_ms = 0;
  }
  s.slot = slot;
  if (s.removed || s.name != as.name) s.is_reusable = true;
  if (s.name != as.name) s.tls.reset();
  s.name = std::move(as.name);
  s.host_header = std::move(as.host_header);
  s.max_connections = as.max_connections;
  s.idle_limit = as.idle_limit;
  s.idle_timeout_ms = as.idle_timeout_ms;
  s.queue_slot = as.queue_slot;
  s.failing = std::move(as.failing);
  s.removed = false;
  return s;
}

void UpstreamPool::use_tls(uint32_t slot, std::shared_ptr<TlsClient> tls) {
  Server* s = server(slot);
  if (!s) return;
  s->tls = std::move(tls);
  close_idle(*s);
}

void UpstreamPool::remove(uint32_t slot) {
  Server* s = server(slot);
  if (!s) return;
  s->removed = true;
  close_idle(*s);
}

void UpstreamPool::set_reusable(uint32_t slot, bool is_reusable) {
  Server* s = server(slot);
  if (!s) return;
  s->is_reusable = is_reusable;
  if (!is_reusable) close_idle(*s);
}

void UpstreamPool::close_idle(Server& s) {
  while (s.idle_first) discard(*s.idle_first);
}

UpstreamConnection* UpstreamPool::take_idle(Server& s, uint64_t client_key) {
  UpstreamConnection* c = s.idle_first;
  for (unsigned looked = 0; c && c->client_key != client_key; ++looked) c = looked < kMostLooks ? c->idle_next : nullptr;
  if (!c) return nullptr;
  unlink(*c);
  c->state = UpstreamConnection::State::leased;
  return c;
}

void UpstreamPool::forget_client(Token connection, uint64_t client_key) {
  UpstreamConnection* c = connections.find(connection.index, connection.generation);
  if (c && c->state == UpstreamConnection::State::idle && c->client_key == client_key) discard(*c);
}

UpstreamConnection* UpstreamPool::open(Server& s, int& error) {
  UpstreamConnection* c = connections.create();
  c->kind = kUpstreamTimer;
  c->server = &s;
  c->opened_us = rt_.now_us;
  c->address_index = s.preferred < s.addresses.size() ? uint16_t(s.preferred) : 0;
  c->addresses_tried = 0;
  if (start(*c, error)) return c;
  if (try_next_address(*c, error)) return c;
  discard(*c);
  return nullptr;
}

bool UpstreamPool::try_next_address(UpstreamConnection& c, int& error) {
  const size_t count = c.server->addresses.size();
  while (size_t(c.addresses_tried) < count) {
    c.address_index = uint16_t((c.address_index + 1) % count);
    if (start(c, error)) return true;
  }
  return false;
}

bool UpstreamPool::start(UpstreamConnection& c, int& error) {
  if (c.server->addresses.empty()) {
    error = EHOSTUNREACH;
    return false;
  }
  ++c.addresses_tried;
  bool in_progress = false;
  c.stream = Stream(UniqueFd(start_connect(c.server->addresses[c.address_index], in_progress, error)));
  if (!c.stream.valid()) return false;
  send_promptly(c.stream.fd());
  // Where TLS comes next, the first event begins it.
  c.state = in_progress || c.server->tls ? UpstreamConnection::State::connecting : UpstreamConnection::State::leased;
  if (!rt_.loop.watch(c.stream.fd(), {TokenKind::upstream, c.slot_generation, c.slot_index}, Loop::kStream)) {
    error = errno;
    c.stream.close();
    return false;
  }
  rt_.count_server(c.server->slot, abi::server_counter::connects);
  return true;
}

void UpstreamPool::release(UpstreamConnection& c) {
  Server& s = *c.server;
  c.exchange = nullptr;
  if (s.removed || !s.is_reusable || s.idle_limit == 0 || rt_.now_us - c.opened_us > kMaxAgeUs) return discard(c);
  // The oldest makes room: it is the one nearest to the server's own limit.
  if (s.idle_count >= s.idle_limit) discard(*s.idle_last);
  c.state = UpstreamConnection::State::idle;
  c.idle_since_us = rt_.now_us;
  c.idle_prev = nullptr;
  c.idle_next = s.idle_first;
  (s.idle_first ? s.idle_first->idle_prev : s.idle_last) = &c;
  s.idle_first = &c;
  ++s.idle_count;
  rt_.board.server(s.slot)[abi::server_counter::idle] = s.idle_count;
  rt_.wheel.arm(&c, idle_ms(s));
}

void UpstreamPool::unlink(UpstreamConnection& c) {
  Server& s = *c.server;
  (c.idle_prev ? c.idle_prev->idle_next : s.idle_first) = c.idle_next;
  (c.idle_next ? c.idle_next->idle_prev : s.idle_last) = c.idle_prev;
  c.idle_prev = c.idle_next = nullptr;
  --s.idle_count;
  rt_.board.server(s.slot)[abi::server_counter::idle] = s.idle_count;
}

void UpstreamPool::discard(UpstreamConnection& c) {
  if (c.state == UpstreamConnection::State::closed) return;
  const bool was_idle = c.state == UpstreamConnection::State::idle;
  if (was_idle) unlink(c);
  c.state = UpstreamConnection::State::closed;
  c.exchange = nullptr;
  rt_.wheel.cancel(&c);
  if (c.in) rt_.buffers.give_back(c.in);
  c.in = nullptr;
  c.out.clear(rt_.buffers);
  if (c.pipe) rt_.pipes.give_back(c.pipe);
  c.pipe = nullptr;
  was_idle ? c.stream.close_in_order() : c.stream.close();
  connections.retire(&c);
}

void UpstreamPool::on_idle_event(UpstreamConnection& c, bool ended) {
  if (!ended) {
    // A spurious wake-up says nothing, nor do messages of TLS itself; bytes that nobody asked for end the connection.
    if (c.stream.peek().kind == IoResult::Kind::would_block) return;
  }
  Server& s = *c.server;
  // It kept us waiting at least a second: that is its idle limit, and ours becomes a little shorter. A close sooner than that is
  // a restart, not a limit.
  const uint32_t lived_ms = uint32_t(std::min<uint64_t>((rt_.now_us - c.idle_since_us) / 1000, kMaxIdleMs));
  if (lived_ms >= 500) {
    s.observed_idle_ms = s.observed_idle_ms == 0 ? lived_ms : std::min(s.observed_idle_ms, lived_ms);
    rt_.board.server(s.slot)[abi::server_counter::learned_idle_ms] = idle_ms(s);
  }
  discard(c);
}

void UpstreamPool::on_idle_timeout(UpstreamConnection& c) {
  // It would have lived longer: what was learned is tested upwards again, or one restart would shorten the pool for ever.
  Server& s = *c.server;
  if (s.observed_idle_ms) s.observed_idle_ms += s.observed_idle_ms / 8;
  if (s.observed_idle_ms > kMaxIdleMs) s.observed_idle_ms = 0;
  discard(c);
}

void UpstreamPool::made_room(uint32_t slot) {
  const Server* s = server(slot);
  if (s && s->queue_slot >= 0 && rt_.board.total_waiting(unsigned(s->queue_slot)).load(std::memory_order_relaxed) > 0) room_news_ = true;
}

void UpstreamPool::count_failure(uint32_t slot) {
  rt_.count_server(slot, abi::server_counter::failures);
  rt_.count_server(slot, abi::server_counter::failure_run);
}

void UpstreamPool::count_success(uint32_t slot) {
  rt_.count_server(slot, abi::server_counter::successes);
  rt_.board.server(slot)[abi::server_counter::failure_run] = 0;
}

void UpstreamPool::count_answer(Server& s, int status, uint64_t first_byte_us) {
  double* row = rt_.board.server(s.slot);
  row[abi::server_counter::first_byte_us] += double(first_byte_us);
  if (status >= 100 && status < 600) ++row[abi::server_counter::status1xx + status / 100 - 1];
  // A slow answer counts at once and whole, and fades: with the mean alone, a server that begins to hang looks good for too long.
  double& ewma = row[abi::server_counter::ewma_us];
  const double fade = std::exp(-double(rt_.now_us - s.ewma_at_us) / kEwmaDecayUs);
  ewma = double(first_byte_us) > ewma ? double(first_byte_us) : ewma * fade + double(first_byte_us) * (1 - fade);
  s.ewma_at_us = rt_.now_us;
  if (s.fails(status)) {
    ++row[abi::server_counter::failed_statuses];
    ++row[abi::server_counter::failure_run];
  } else {
    count_success(s.slot);
  }
}

void UpstreamPool::learn_announced(Server& s, uint32_t seconds) { s.announced_idle_ms = std::min(seconds, 3600u) * 1000; }

uint32_t UpstreamPool::idle_ms(const Server& s) {
  uint32_t ms = s.idle_timeout_ms;
  // What a server announces may raise the limit; what it was seen doing can only lower it.
  if (s.announced_idle_ms) ms = s.announced_idle_ms > 1000 ? std::min(s.announced_idle_ms - 1000, kMaxIdleMs) : s.announced_idle_ms / 2;
  if (s.observed_idle_ms) ms = std::min(ms, s.observed_idle_ms - s.observed_idle_ms / 4);
  return std::max(ms, 10u);
}

}  // namespace weir
