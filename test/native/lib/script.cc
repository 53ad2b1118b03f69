#include "lib/script.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace weir {

namespace {

constexpr size_t kMostServers = 64;

const char* text_of_step(Step s) {
  switch (s) {
    case Step::get: return "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
    case Step::post: return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";
    case Step::chunked_start: return "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    case Step::chunked_end: return "6\r\n world\r\n0\r\nX-T: 1\r\n\r\n";
    case Step::upgrade: return "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    case Step::response: return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    case Step::chunked_response: return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    case Step::switching: return "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    case Step::interim: return "HTTP/1.1 100 Continue\r\n\r\n";
    case Step::until_close_response: return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end";
    default: return nullptr;
  }
}

uint64_t ms_of_step(Step s) {
  switch (s) {
    case Step::advance_100ms: return 100;
    case Step::advance_600ms: return 600;
    case Step::advance_5s: return 5'000;
    case Step::advance_35s: return 35'000;
    case Step::advance_80s: return 80'000;
    default: return 0;
  }
}

uint16_t own_port(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

}  // namespace

void Script::play(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const Usage before = bed_.usage();
  apply_settings(data[0]);
  bed_.decider.on_decide = [this](Exchange& ex) { return decide(ex); };
  for (const uint8_t byte : std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1)) {
    if (byte < 0x80) {
      data_ += char(byte);
      continue;
    }
    send(std::exchange(data_, std::string()));
    step(Step(byte & 31));
    if (!(byte & 32)) turn();
  }
  send(data_);
  settle();
  check_progress();
  leave();
  check_servers();
  check_clients();
  if (!bed_.until([&] { return bed_.usage() == before; })) {
    std::fprintf(stderr, "left behind: %s\nat start:    %s\n", bed_.usage().text().c_str(), before.text().c_str());
    abort();
  }
}

void Script::apply_settings(uint8_t bits) {
  Plan& plan = bed_.plan();
  Server& server = bed_.server();
  server.observed_idle_ms = server.announced_idle_ms = 0;
  operates_ = (bits & 192) == 192;
  server.max_connections = bits & 64 && !operates_ ? 1 : 0;
  server.idle_limit = bits & 128 && !operates_ ? 0 : 2;
  tcp_clients_ = bits & 2;
  bed_.decider.retries = bits >> 2 & 3;
  plan.replay_bytes = bits & 16 ? 8 : 65536;
  bed_.listener().body_bytes = bits & 32 ? 1000 : UINT64_MAX;
}

Peer* Script::target() {
  if (aims_at_server_) return server_ < servers_.size() ? &servers_[server_] : nullptr;
  if (clients_.empty()) aim_at_client(0);
  return &clients_[client_].peer;
}

void Script::send(std::string_view bytes) {
  if (bytes.empty()) return;
  if (Peer* to = target()) to->send(bytes);
}

void Script::aim_at_client(size_t slot) {
  aims_at_server_ = false;
  for (client_ = clients_.size(); client_-- > 0;)
    if (clients_[client_].slot == slot && clients_[client_].peer.open()) return;
  Client made;
  made.slot = slot;
  made.port = uint16_t(clients_.size() + 1);
  made.peer = tcp_clients_ ? bed_.connect() : bed_.connect_pair(made.port);
  if (tcp_clients_) made.port = own_port(made.peer.fd());
  clients_.push_back(std::move(made));
  client_ = clients_.size() - 1;
}

void Script::aim_at_server(bool newest) {
  aims_at_server_ = true;
  server_ = 0;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (!servers_[i].open()) continue;
    server_ = i;
    if (!newest) return;
  }
}

void Script::step(Step s) {
  if (const char* text = text_of_step(s)) return send(text);
  if (operates_ && operate(s)) return;
  if (const uint64_t ms = ms_of_step(s)) return bed_.advance(ms);
  switch (s) {
    case Step::client_0: return aim_at_client(0);
    case Step::client_1: return aim_at_client(1);
    case Step::client_2: return aim_at_client(2);
    case Step::newest_server: return aim_at_server(true);
    case Step::oldest_server: return aim_at_server(false);
    case Step::next_waits:
    case Step::next_is_answered:
    case Step::next_fails_to_connect: next_verdict_ = s; return;
    case Step::resume: return resume();
    case Step::run: return settle();
    default:
      if (Peer* at = target()) act(*at, s);
  }
}

bool Script::operate(Step s) {
  Engine& engine = bed_.engine;
  switch (s) {
    case Step::advance_600ms: (void)engine.forwarder.cut(0); break;
    case Step::advance_5s: engine.pool.set_reusable(0, !bed_.server().is_reusable); break;
    case Step::advance_35s: engine.retire_listener(0, 150); break;
    case Step::advance_80s: engine.revive_listener(0); break;
    default: return false;
  }
  engine.settle();
  return true;
}

void Script::act(Peer& target, Step s) {
  switch (s) {
    case Step::half_close: return target.half_close();
    case Step::close: return target.close();
    case Step::reset: return target.reset();
    case Step::stall: target.stalled = !target.stalled; return;
    case Step::shrink_buffers: return target.shrink_buffers(2048);
    case Step::bulk:
      if (bulk_left_ > 0) --bulk_left_, target.send(std::string(100'000, 'b'));
      return;
    default: return;
  }
}

// The id travels as X-Request-Id to the server and comes back as X-Exchange: it tells which response belongs to which request.
Verdict Script::decide(Exchange& ex) {
  Entry e;
  for (size_t i = 0; i < clients_.size(); ++i)
    if (ex.client->peer_port == clients_[i].port) e.client = i;
  e.order = clients_[e.client].decided++;
  e.method = ex.method;
  ex.request_id_len = uint8_t(std::snprintf(ex.request_id, sizeof ex.request_id, "%zu", entries_.size()));
  entries_.push_back(e);
  const Step kind = std::exchange(next_verdict_, Step::flush);
  if (kind == Step::next_is_answered) return bed_.decider.answer(200, "own answer");
  if (kind == Step::next_waits) return waiting_.emplace_back(ex.slot_index, ex.slot_generation), ScriptedDecider::wait();
  Verdict v = bed_.decider.forward();
  if (kind == Step::next_fails_to_connect) v.server = 1;
  return v;
}

void Script::resume() {
  if (waiting_.empty()) return;
  const auto [index, generation] = waiting_.front();
  waiting_.erase(waiting_.begin());
  (void)bed_.engine.forwarder.resume(index, generation, bed_.decider.forward());
  bed_.engine.settle();
}

void Script::look_around() {
  for (Client& c : clients_) c.peer.pump();
  for (Peer& server : servers_) server.pump();
  while (servers_.size() < kMostServers) {
    Peer made = bed_.accept_now();
    if (!made.open()) return;
    servers_.push_back(std::move(made));
  }
}

void Script::turn() {
  bed_.turn();
  look_around();
}

// Until nothing moves any more, with everybody reading who wants to.
void Script::settle() {
  for (int rounds = 0;; ++rounds) {
    const double before = bed_.counted(abi::worker_counter::events);
    if (rounds > 5000 || !bed_.run()) {
      std::fprintf(stderr, "the engine does not come to rest\n");
      abort();
    }
    look_around();
    if (rounds > 0 && bed_.counted(abi::worker_counter::events) == before) return;
  }
}

void Script::leave() {
  bed_.engine.revive_listener(0);
  bed_.engine.pool.set_reusable(0, true);
  for (size_t i = 0; i < clients_.size(); ++i) {
    Peer& peer = clients_[i].peer;
    if (i % 2) peer.reset();
    else peer.close();
    bed_.run();
  }
  // A deadline may still open a connection.
  for (size_t known = SIZE_MAX; known != servers_.size();) {
    known = servers_.size();
    settle();
    // Late verdicts come in the end: TypeScript has deadlines of its own for them.
    while (!waiting_.empty()) resume();
    settle();
    for (Peer& server : servers_) server.close();
    settle();
    bed_.pass_deadlines();
    look_around();
  }
  // Those beyond the most that are looked at must not meet the next script.
  while (bed_.accept_now().open()) {
  }
}

}  // namespace weir
