// Two sockets joined byte for byte: what an upgraded exchange becomes, and all there is to L4 forwarding.
// Owns     both sockets and the bytes between them. A tunnel ends once: when both directions have ended, on an error, or when silent.
// Note     a direction that ends is passed on as a half close; a reset on one side becomes a reset on the other.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/slab.h"
#include "loop/runtime.h"

namespace weir {

constexpr uint8_t kTunnelTimer = 3;

struct TunnelSide {
  UniqueFd fd;
  ByteQueue out;  // bytes for this side that its socket would not take yet
  bool readable = false;
  bool peer_ended = false;
  bool ended = false;   // read to its end
  bool closed = false;  // our half towards it is shut
};

struct Tunnel : TimerNode {
  uint32_t slot_index = 0;
  uint32_t slot_generation = 0;
  TunnelSide sides[2];  // 0 client, 1 server
  uint32_t server_slot = 0;
  uint32_t listener = 0;
  uint32_t idle_ms = 0;
  uint64_t last_us = 0;
  bool over = false;
  bool queued = false;
};

class Tunnels {
 public:
  explicit Tunnels(Runtime& rt) : rt_(rt) {}
  ~Tunnels() { close_all(); }

  // Takes over both sockets, which are in the loop already. In-flight and connection counts pass on to the tunnel.
  void open(UniqueFd client, UniqueFd server, std::string_view to_client, std::string_view to_server, const Tunnel& about);
  void on_event(Tunnel& t, int side, uint32_t events);
  void on_timer(Tunnel& t);
  void run_queue();
  [[nodiscard]] bool has_work() const { return !queue_.empty(); }
  void sweep() { tunnels.sweep(); }
  void close_all();

  Slab<Tunnel> tunnels;

 private:
  void pump(Tunnel& t, int from);
  [[nodiscard]] bool write(Tunnel& t, int to, std::string_view bytes);
  [[nodiscard]] bool flush(Tunnel& t, int to);
  void pass_end(Tunnel& t, int to);
  void close(Tunnel& t, bool reset);
  void enqueue(Tunnel& t);

  Runtime& rt_;
  std::vector<Token> queue_;
  std::vector<Token> turn_;
};

}  // namespace weir
