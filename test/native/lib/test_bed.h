// A whole engine without Node, with scripted clients and servers on loopback, driven turn by turn in the caller's thread.
// Owns     the engine, its listening socket, and the listening socket of the first server (slot 0).
// Note     time stands still unless a test moves it (see virtual_clock.h).
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "lib/peer.h"
#include "lib/scripted_decider.h"
#include "loop/listening_socket.h"

namespace weir {

// What must be back at its start when nothing goes on.
struct Usage {
  uint32_t arrivals = 0, clients = 0, exchanges = 0, upstream_connections = 0, tunnels = 0, buffers = 0, pipes = 0, timers = 0;
  int32_t in_flight = 0;
  double connections = 0, listener_connections = 0, server_in_flight = 0, open_tunnels = 0;
  size_t fds = 0;
  bool operator==(const Usage&) const = default;
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] size_t open_fds();
// The next connection in the queue of a listening socket; not open when there is none.
[[nodiscard]] Peer accept_from(const UniqueFd& listening);
// Where a socket, or its other end, is.
[[nodiscard]] uint16_t local_port_of(int fd);
[[nodiscard]] Address loopback(uint16_t port);
// An address where nobody listens.
[[nodiscard]] Address nowhere();

class TestBed {
 public:
  enum class Sockets : uint8_t { tcp, unix_path };

  explicit TestBed(Sockets servers = Sockets::tcp);
  ~TestBed();
  TestBed(const TestBed&) = delete;
  TestBed& operator=(const TestBed&) = delete;

  // A client over TCP that the engine has accepted.
  [[nodiscard]] Peer connect();
  // A client on a socket pair: what is sent is there at once, and the engine takes it for 10.1.0.1:`port`.
  [[nodiscard]] Peer connect_pair(uint16_t port = 1);
  // The next connection that the engine opened to the server. A peer that is not open when there is none.
  [[nodiscard]] Peer accept_now();
  // The same, waiting for it.
  [[nodiscard]] Peer accept();
  // From now on connections to the server are refused, or taken again.
  void refuse_connections();
  void take_connections();
  // A further server, in the slot after those that are known.
  uint32_t add_server(std::vector<Address> addresses);

  void turn() { engine.turn(); }
  // Turns until nothing is left to do now. False when that does not come within `most` turns.
  bool run(int most = 4000);
  // Turns until `fact` holds; false after 2 s.
  [[nodiscard]] bool until(const std::function<bool()>& fact);
  void advance(uint64_t ms);
  // Moves time until every deadline has passed.
  void pass_deadlines();

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] Address server_address() const;
  [[nodiscard]] Usage usage();
  [[nodiscard]] Plan& plan() { return *decider.plan; }
  [[nodiscard]] ListenerSettings& listener() { return engine.forwarder.listener(0); }
  [[nodiscard]] Server& server() { return *engine.pool.server(0); }
  [[nodiscard]] double counted(int counter) const { return engine.rt.board.mine()[counter]; }
  [[nodiscard]] double counted_server(int counter) const { return engine.rt.board.server(0)[counter]; }

  ScriptedDecider decider;
  TunnelPlan tunnel_plan;
  Engine engine{decider, decider};
  const Sockets sockets;
  Usage at_start;

 private:
  void define_server();

  Listening server_listening_;
  uint16_t port_ = 0;
  uint32_t servers_ = 1;
  std::string path_;
};

}  // namespace weir
