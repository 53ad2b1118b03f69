// What must hold after any script of tunnels.
#include <sys/ioctl.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "lib/tunnel_script.h"

namespace weir {

namespace {

bool has_unread(const Stream& stream) {
  int bytes = 0;
  return stream.valid() && ::ioctl(stream.fd(), FIONREAD, &bytes) == 0 && bytes > 0;
}

const char* stuck_direction(const Tunnel& t, int from) {
  const TunnelSide &in = t.sides[from], &out = t.sides[1 - from];
  if (out.failed) return nullptr;  // nobody is there to take more
  if (out.blocked()) return "bytes wait for a side that reads";
  if (in.ended && !out.closed) return "an end was not passed on";
  return has_unread(in.stream) ? "bytes are not read" : nullptr;
}

std::string_view behind_proxy_header(std::string_view received, const TunnelPlan& plan) {
  if (plan.send_proxy == ProxyVersion::off) return received;
  ProxyHeader header;
  const ProxyRead read = read_proxy_header(received, header);
  if (read.kind == ProxyRead::Kind::failed) {
    std::fprintf(stderr, "a server got something else than a PROXY header: %s\n", read.why);
    abort();
  }
  return received.substr(read.kind == ProxyRead::Kind::complete ? read.bytes : received.size());
}

}  // namespace

const char* TunnelScript::stuck() {
  const char* why = nullptr;
  bed_.engine.tunnels.tunnels.each([&](Tunnel* t) {
    if (t->state == Tunnel::State::breaking) why = "a broken tunnel does not end";
    if (t->state != Tunnel::State::joined) return;
    for (int from = 0; from < 2; ++from)
      if (const char* here = stuck_direction(*t, from)) why = here;
  });
  return why;
}

// At rest, with both ends reading, nothing that could be moved is left anywhere.
void TunnelScript::check_progress() {
  for (End& c : clients_) c.peer.stalled = false;
  for (End& s : servers_) s.peer.stalled = false;
  settle();
  // What came before a reset has two seconds.
  advance(2'100);
  const char* why = nullptr;
  (void)bed_.until([&] {
    look_around();
    return !(why = stuck());
  });
  settle();
  if (!why) return;
  std::fprintf(stderr, "stuck: %s\n", why);
  abort();
}

// The bytes are the first ones that the other side sent; all of them, and an end on both sides, where an orderly end was seen.
bool TunnelScript::arrived(const End& from, const End& to, bool shows_resets) const {
  const bool at_server = to.id >= 1000;
  const std::string_view got = at_server ? behind_proxy_header(to.peer.received, bed_.tunnel_plan) : std::string_view(to.peer.received);
  if (std::string_view(from.peer.sent).substr(0, got.size()) != got) return false;
  // Time ends silent tunnels in order, and a unix socket shows every end as an orderly one.
  const bool orderly = to.peer.ended && !to.peer.broken;
  if (!orderly || was_idle_ || !shows_resets) return true;
  return from.peer.closed_in_order && got.size() == from.peer.sent.size();
}

bool TunnelScript::fit(const End& client, const End& server) const {
  return arrived(client, server, bed_.sockets == TestBed::Sockets::tcp) && arrived(server, client, tcp_clients_);
}

void TunnelScript::check_streams() {
  const auto fits_one = [&](const End& one, const std::deque<End>& others, bool is_client) {
    for (const End& other : others)
      if (is_client ? fit(one, other) : fit(other, one)) return true;
    return false;
  };
  for (const End& c : clients_) {
    if (c.peer.received.empty() || fits_one(c, servers_, true)) continue;
    std::fprintf(stderr, "client %u got %zu bytes that no server sent it so\n", c.id, c.peer.received.size());
    abort();
  }
  for (const End& s : servers_) {
    if (s.peer.received.empty() || fits_one(s, clients_, false)) continue;
    std::fprintf(stderr, "server %u got %zu bytes that no client sent it so\n", s.id, s.peer.received.size());
    abort();
  }
}

}  // namespace weir
