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
  if (!l.proxy_protocol && !reads_hello(listener)) return deliver(Stream(std::move(fd)), std::move(origin), listener, key, {}, false);
  if (l.proxy_protocol && !l.trusts(origin.ip, origin.is_unix)) {
    rt_.count_refusal(listener, abi::refusal::untrusted_proxy);
    decider_.refused(listener, abi::refusal::untrusted_proxy, origin, nullptr);
    return rt_.connection_closed(listener, 0);
  }
  Arrival* a = arrivals.create();
  a->kind = kArrivalTimer;
  a->stream = Stream(std::move(fd));
  a->origin = std::move(origin);
  a->address_key = key;
  a->listener = uint16_t(listener);
  a->awaits_proxy_header = l.proxy_protocol;
  if (!rt_.loop.watch(a->stream.fd(), {TokenKind::arrival, a->slot_generation, a->slot_index}, Loop::kStream)) return close(*a);
  arm(*a, forwarder_.is_departing(listener) ? kLastWordsMs : l.proxy_protocol || !l.tls ? l.header_ms : l.tls->handshake_ms());
}

bool Arrivals::reads_hello(unsigned listener) const {
  const ListenerSettings& l = *forwarder_.find_listener(listener);
  return l.tls || l.protocol == abi::protocol::tls;
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

void Arrivals::deliver(Stream stream, Origin&& origin, unsigned listener, uint64_t key, const ClientHello& hello, bool watched) {
  if (forwarder_.find_listener(listener)->protocol == abi::protocol::http)
    forwarder_.accept(std::move(stream), std::move(origin), listener, key, watched);
  else
    tunnels_.begin(std::move(stream), std::move(origin), listener, key, hello, watched);
}

// The connection is somebody else's now: its counts go with it.
void Arrivals::deliver(Arrival& a, const ClientHello& hello) {
  rt_.wheel.cancel(&a);
  Stream stream = std::move(a.stream);
  arrivals.retire(&a);
  deliver(std::move(stream), std::move(a.origin), a.listener, a.address_key, hello, true);
}

void Arrivals::on_event(Arrival& a, uint32_t events) {
  if (events & EPOLLERR) return close(a);
  // A unix socket that was closed hangs up at once, with what it said before still to be read.
  if (events & (EPOLLRDHUP | EPOLLHUP)) a.peer_ended = true;
  if (a.stream.tls()) return shake_hands(a);
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
  if (reads_hello(a.listener)) return read_hello(a);
  deliver(a, {});
}

// Peeks into the scratch buffer. Anything but bytes has ended the arrival, or leaves it waiting.
IoResult Arrivals::peek(Arrival& a, size_t most) {
  const IoResult r = peek_some(a.stream.fd(), rt_.scratch.get(), most);
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
  if (const auto& tls = forwarder_.find_listener(a.listener)->tls; tls && !forwarder_.is_departing(a.listener)) arm(a, tls->handshake_ms());
  const IoResult taken = read_some(a.stream.fd(), rt_.scratch.get(), read.bytes);
  if (taken.kind != IoResult::Kind::ok || taken.bytes != read.bytes) return close(a), false;
  if (!admit(a.origin, a.listener, a.address_key)) return close(a), false;
  return true;
}

void Arrivals::read_hello(Arrival& a) {
  const IoResult r = peek(a, kMaxHelloBytes);
  if (r.kind != IoResult::Kind::ok) return;
  ClientHello hello;
  const HelloRead read = read_client_hello({rt_.scratch.get(), r.bytes}, hello);
  if (read.kind == HelloRead::Kind::complete) {
    const std::shared_ptr<TlsServer> server = forwarder_.find_listener(a.listener)->tls;
    return server ? begin_tls(a, *server, std::move(hello)) : deliver(a, hello);
  }
  if (read.kind == HelloRead::Kind::failed) return refuse_hello(a, read.why);
  if (a.peer_ended) refuse(a, abi::refusal::client_hello, "it ended in the ClientHello");
}

// Whoever speaks plain HTTP to us made a mistake that a sentence can mend.
void Arrivals::refuse_hello(Arrival& a, const char* why) {
  const ListenerSettings& l = *forwarder_.find_listener(a.listener);
  if (!l.tls) return refuse(a, abi::refusal::client_hello, why);
  // `rt_.scratch` still has the first bytes.
  const char first = rt_.scratch[0];
  if (l.protocol != abi::protocol::http || first < 'A' || first > 'Z') return refuse(a, abi::refusal::tls_handshake, why);
  // What is left unread would turn the end into a reset, which may destroy the answer.
  while (read_some(a.stream.fd(), rt_.scratch.get(), kReadBytes).kind == IoResult::Kind::ok && !a.peer_ended && ++a.looks < kLooks) {}
  constexpr std::string_view kAnswer =
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 57\r\nConnection: close\r\n\r\n"
      "Bad Request: this port speaks HTTPS, and got plain HTTP.\n";
  const iovec part{const_cast<char*>(kAnswer.data()), kAnswer.size()};
  (void)a.stream.write(&part, 1);
  a.stream.end_output();
  refuse(a, abi::refusal::tls_handshake, "plain HTTP");
}

void Arrivals::begin_tls(Arrival& a, TlsServer& server, ClientHello&& hello) {
  std::unique_ptr<TlsSession> session = server.open(hello.server_name, hello.alpn);
  if (!session) {
    // What is left unread would turn the end into a reset, which may destroy the alert.
    while (read_some(a.stream.fd(), rt_.scratch.get(), kReadBytes).kind == IoResult::Kind::ok && ++a.looks < kLooks) {}
    // A fatal alert, unrecognized_name (RFC 6066 3).
    char alert[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70};
    const iovec part{alert, sizeof alert};
    (void)a.stream.write(&part, 1);
    return refuse(a, abi::refusal::unknown_name, hello.server_name.empty() ? "no server name" : hello.server_name.c_str());
  }
  a.hello = std::move(hello);
  a.stream.begin_tls(std::move(session));
  shake_hands(a);
}

void Arrivals::shake_hands(Arrival& a) {
  TlsSession& session = *a.stream.tls();
  const IoResult r = session.handshake(a.stream.fd());
  if (r.kind == IoResult::Kind::would_block) return;
  if (r.kind != IoResult::Kind::ok) return refuse(a, abi::refusal::tls_handshake, session.why().c_str());
  ++rt_.listener_cell(a.listener, abi::listener_counter::tls_handshakes);
  if (session.is_resumed()) ++rt_.listener_cell(a.listener, abi::listener_counter::tls_resumed);
  if (session.is_challenge()) {
    a.stream.end_output();
    return close(a);
  }
  const ClientHello hello = std::move(a.hello);
  deliver(a, hello);
}

void Arrivals::on_timer(Arrival& a) {
  if (rt_.now_us < a.deadline_us) {
    a.looks = kLooks;
    rt_.wheel.arm(&a, uint32_t((a.deadline_us - rt_.now_us) / 1000) + 1);
    return read(a);
  }
  rt_.count(abi::worker_counter::timeouts);
  if (!a.spoke && forwarder_.is_departing(a.listener)) return close(a);
  refuse(a, abi::refusal::too_slow, a.awaits_proxy_header ? "no PROXY header in time" : a.stream.tls() ? "no end of the TLS handshake in time" : "no ClientHello in time");
}

void Arrivals::refuse(Arrival& a, int reason, const char* why) {
  rt_.count_refusal(a.listener, reason);
  decider_.refused(a.listener, reason, a.origin, why);
  close(a);
}

void Arrivals::close(Arrival& a) {
  if (!a.stream.valid()) return;
  a.stream.close();
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
