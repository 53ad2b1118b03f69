#include "engine/arrivals.h"

#include <errno.h>

#include <algorithm>

#include "loop/io.h"
#include "loop/proxy_header.h"

namespace weir {

namespace {
constexpr uint32_t kLastWordsMs = 1000;
// Each look reads from the start again. Whoever trickles so often is looked at now and then only.
constexpr uint16_t kLooks = 64;
constexpr uint32_t kLookAgainMs = 20;

Origin origin_of(const sockaddr* peer, uint16_t local_port) {
  Origin o;
  o.ip = PeerIp::from(peer);
  o.is_unix = peer->sa_family == AF_UNIX;
  if (peer->sa_family == AF_INET) o.port = ntohs(reinterpret_cast<const sockaddr_in*>(peer)->sin_port);
  if (peer->sa_family == AF_INET6) o.port = ntohs(reinterpret_cast<const sockaddr_in6*>(peer)->sin6_port);
  o.local_port = local_port;
  return o;
}
}  // namespace

void Arrivals::take(UniqueFd fd, const sockaddr* peer, unsigned listener, uint16_t local_port) {
  const ListenerSettings& l = *forwarder_.find_listener(listener);
  rt_.connection_opened(listener);
  Origin origin = origin_of(peer, local_port);
  uint64_t key = 0;
  // Behind a proxy, the address that counts comes with its header.
  if (!l.proxy_protocol && !admit(origin, listener, key)) return rt_.connection_closed(listener, 0);
  if (!l.proxy_protocol && l.protocol != abi::protocol::tls) return deliver(std::move(fd), std::move(origin), listener, key, {}, false);
  if (l.proxy_protocol && !l.trusts(origin.ip, origin.is_unix)) {
    rt_.count_refusal(listener, abi::refusal::untrusted_proxy);
    decider_.refused(listener, abi::refusal::untrusted_proxy, origin, nullptr);
    return rt_.connection_closed(listener, 0);
  }
  Arrival* a = arrivals.create();
  a->kind = kArrivalTimer;
  a->fd = std::move(fd);
  a->origin = std::move(origin);
  a->address_key = key;
  a->listener = uint16_t(listener);
  a->awaits_proxy_header = l.proxy_protocol;
  if (!rt_.loop.watch(a->fd.get(), {TokenKind::arrival, a->slot_generation, a->slot_index}, Loop::kStream)) return close(*a);
  arm(*a, forwarder_.is_departing(listener) ? kLastWordsMs : l.header_ms);
}

bool Arrivals::admit(const Origin& origin, unsigned listener, uint64_t& key) {
  const uint32_t limit = forwarder_.find_listener(listener)->connections_per_ip;
  if (limit == 0 || origin.is_unix) return true;
  key = rt_.addresses.key_of(origin.ip.bytes, origin.ip.is_v4(), listener);
  if (rt_.addresses.enter(key, limit)) return true;
  key = 0;
  rt_.count_refusal(listener, abi::refusal::address_limit);
  decider_.refused(listener, abi::refusal::address_limit, origin, nullptr);
  return false;
}

void Arrivals::deliver(UniqueFd fd, Origin&& origin, unsigned listener, uint64_t key, const ClientHello& hello, bool watched) {
  if (forwarder_.find_listener(listener)->protocol == abi::protocol::http)
    forwarder_.accept(std::move(fd), std::move(origin), listener, key, watched);
  else
    tunnels_.begin(std::move(fd), std::move(origin), listener, key, hello, watched);
}

// The connection is somebody else's now: its counts go with it.
void Arrivals::deliver(Arrival& a, const ClientHello& hello) {
  rt_.wheel.cancel(&a);
  UniqueFd fd = std::move(a.fd);
  arrivals.retire(&a);
  deliver(std::move(fd), std::move(a.origin), a.listener, a.address_key, hello, true);
}

void Arrivals::on_event(Arrival& a, uint32_t events) {
  if (events & EPOLLERR) return close(a);
  // A unix socket that was closed hangs up at once, with what it said before still to be read.
  if (events & (EPOLLRDHUP | EPOLLHUP)) a.peer_ended = true;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP) && !looked_often(a)) read(a);
}

void Arrivals::arm(Arrival& a, uint32_t deadline_ms) {
  a.deadline_us = rt_.now_us + uint64_t(deadline_ms) * 1000;
  rt_.wheel.arm(&a, deadline_ms);
}

bool Arrivals::looked_often(Arrival& a) {
  if (a.looks < kLooks) return ++a.looks, false;
  if (a.looks == UINT16_MAX) return true;  // a look is due already
  a.looks = UINT16_MAX;
  const uint64_t left_ms = a.deadline_us > rt_.now_us ? (a.deadline_us - rt_.now_us) / 1000 : 0;
  rt_.wheel.arm(&a, uint32_t(std::min<uint64_t>(kLookAgainMs, left_ms)));
  return true;
}

void Arrivals::read(Arrival& a) {
  if (a.awaits_proxy_header && !read_header(a)) return;
  if (forwarder_.find_listener(a.listener)->protocol == abi::protocol::tls) return read_hello(a);
  deliver(a, {});
}

// Peeks into the scratch buffer. Anything but bytes has ended the arrival, or leaves it waiting.
IoResult Arrivals::peek(Arrival& a, size_t most) {
  const IoResult r = peek_some(a.fd.get(), rt_.scratch.get(), most);
  if (r.kind == IoResult::Kind::ok) a.spoke = true;
  // A probe of somebody's health check, or of a scanner: nothing was said, nothing is wrong.
  else if (r.kind != IoResult::Kind::would_block) close(a);
  return r;
}

// True when the header was taken and what follows may be looked at.
bool Arrivals::read_header(Arrival& a) {
  const IoResult r = peek(a, kMaxProxyHeaderBytes);
  if (r.kind != IoResult::Kind::ok) return false;
  ProxyHeader header;
  const ProxyRead read = read_proxy_header({rt_.scratch.get(), r.bytes}, header);
  if (read.kind == ProxyRead::Kind::failed) return refuse(a, abi::refusal::proxy_header, read.why), false;
  if (read.kind == ProxyRead::Kind::incomplete) {
    if (a.peer_ended) refuse(a, abi::refusal::proxy_header, "it ended in the PROXY header");
    return false;
  }
  if (header.has_addresses) {
    a.origin.ip = header.addresses.source;
    a.origin.port = header.addresses.source_port;
    a.origin.is_unix = false;
    a.origin.proxy = std::make_unique<ProxyInfo>();
    a.origin.proxy->destination = header.addresses.destination;
    a.origin.proxy->destination_port = header.addresses.destination_port;
    a.origin.proxy->tlvs = header.tlvs;
  }
  a.awaits_proxy_header = false;
  const IoResult taken = read_some(a.fd.get(), rt_.scratch.get(), read.bytes);
  if (taken.kind != IoResult::Kind::ok || taken.bytes != read.bytes) return close(a), false;
  if (!admit(a.origin, a.listener, a.address_key)) return close(a), false;
  return true;
}

void Arrivals::read_hello(Arrival& a) {
  const IoResult r = peek(a, kMaxHelloBytes);
  if (r.kind != IoResult::Kind::ok) return;
  ClientHello hello;
  const HelloRead read = read_client_hello({rt_.scratch.get(), r.bytes}, hello);
  if (read.kind == HelloRead::Kind::complete) return deliver(a, hello);
  if (read.kind == HelloRead::Kind::failed) return refuse(a, abi::refusal::client_hello, read.why);
  if (a.peer_ended) refuse(a, abi::refusal::client_hello, "it ended in the ClientHello");
}

void Arrivals::on_timer(Arrival& a) {
  if (rt_.now_us < a.deadline_us) {
    a.looks = kLooks;
    rt_.wheel.arm(&a, uint32_t((a.deadline_us - rt_.now_us) / 1000) + 1);
    return read(a);
  }
  rt_.count(abi::worker_counter::timeouts);
  if (!a.spoke && forwarder_.is_departing(a.listener)) return close(a);
  refuse(a, abi::refusal::too_slow, a.awaits_proxy_header ? "no PROXY header in time" : "no ClientHello in time");
}

void Arrivals::refuse(Arrival& a, int reason, const char* why) {
  rt_.count_refusal(a.listener, reason);
  decider_.refused(a.listener, reason, a.origin, why);
  close(a);
}

void Arrivals::close(Arrival& a) {
  if (!a.fd.valid()) return;
  a.fd.reset();
  rt_.wheel.cancel(&a);
  rt_.connection_closed(a.listener, a.address_key);
  arrivals.retire(&a);
}

void Arrivals::drain() {
  arrivals.each([&](Arrival* a) { arm(*a, kLastWordsMs); });
}

void Arrivals::retire_listener(unsigned listener) {
  arrivals.each([&](Arrival* a) {
    if (a->listener == listener) arm(*a, kLastWordsMs);
  });
}

void Arrivals::close_all() {
  arrivals.each([&](Arrival* a) { close(*a); });
  arrivals.sweep();
}

}  // namespace weir
