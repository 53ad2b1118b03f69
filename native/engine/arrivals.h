// Client connections from accept until it is known what they are: counts them, holds them to the limit per address, reads a PROXY
// header and a ClientHello where the listener wants one, does the TLS handshake where it ends TLS, and hands them to the HTTP forwarder or to a tunnel.
// Owns     the sockets that still have to say something. The bytes of a header are peeked at, so a connection holds no memory for
//          them, and a ClientHello stays where it is: for the server, or until it is whole and OpenSSL may have it.
// Bound    the listener's header timeout from accept on, kMaxProxyHeaderBytes, kMaxHelloBytes.
#pragma once
#include "base/slab.h"
#include "http/forwarder.h"
#include "loop/origin.h"
#include "loop/runtime.h"
#include "tcp/tunnel.h"
#include "tls/stream.h"

namespace weir {

constexpr uint8_t kArrivalTimer = 5;

struct Arrival : TimerNode {
  uint32_t slot_index = 0;
  uint32_t slot_generation = 0;
  Stream stream;
  Origin origin;
  ClientHello hello;  // once TLS is begun
  uint64_t address_key = 0;
  uint16_t listener = 0;
  uint16_t looks = 0;
  uint64_t deadline_us = 0;
  bool awaits_proxy_header = false;
  bool spoke = false;
  bool peer_ended = false;
};

class Arrivals {
 public:
  Arrivals(Runtime& rt, Forwarder& forwarder, Tunnels& tunnels, TunnelDecider& decider)
      : rt_(rt), forwarder_(forwarder), tunnels_(tunnels), decider_(decider) {}
  ~Arrivals() { close_all(); }

  void take(UniqueFd fd, const sockaddr* peer, unsigned listener, uint16_t local_port);
  void on_event(Arrival& a, uint32_t events);
  void on_timer(Arrival& a);
  // Weir stops, or one listener is no more: who has not said what it is gets little more time. The forwarder was told before.
  void drain();
  void retire_listener(unsigned listener);
  void sweep() { arrivals.sweep(); }
  void close_all();

  Slab<Arrival> arrivals;

 private:
  void read(Arrival& a);
  [[nodiscard]] bool looked_often(Arrival& a);
  void arm(Arrival& a, uint32_t deadline_ms);
  [[nodiscard]] bool read_header(Arrival& a);
  void read_hello(Arrival& a);
  void begin_tls(Arrival& a, TlsServer& server, ClientHello&& hello);
  void shake_hands(Arrival& a);
  void refuse_hello(Arrival& a, const char* why);
  [[nodiscard]] bool reads_hello(unsigned listener) const;
  [[nodiscard]] bool admit(const Origin& origin, unsigned listener, uint64_t& key);
  void deliver(Stream stream, Origin&& origin, unsigned listener, uint64_t key, const ClientHello& hello, bool watched);
  void deliver(Arrival& a, const ClientHello& hello);
  void refuse(Arrival& a, int reason, const char* why);
  void close(Arrival& a);
  [[nodiscard]] IoResult peek(Arrival& a, size_t most);

  Runtime& rt_;
  Forwarder& forwarder_;
  Tunnels& tunnels_;
  TunnelDecider& decider_;
};

}  // namespace weir
