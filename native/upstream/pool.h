// Connections to servers: opens them, keeps the idle ones per server (last in, first out), and learns how long servers keep theirs.
// Owns     the slab of upstream connections.
// Caller   a leased connection goes back through `release` or `discard`, exactly once.
#pragma once
#include <memory>
#include <vector>

#include "base/slab.h"
#include "loop/runtime.h"
#include "upstream/connection.h"

namespace weir {

constexpr uint8_t kUpstreamTimer = 1;
constexpr uint32_t kMaxIdleMs = 60'000;

class UpstreamPool {
 public:
  explicit UpstreamPool(Runtime& rt) : rt_(rt) {}

  // Makes or changes the server in `slot`. Idle connections survive unless its addresses changed.
  Server& define(uint32_t slot, Server&& as);
  // How new connections to a known server are encrypted; nullptr is not at all. Idle ones are closed. Stays as it is while the server
  // is defined anew; another server in its slot begins without.
  void use_tls(uint32_t slot, std::shared_ptr<TlsClient> tls);
  // No new work; idle connections are closed. The slot may be defined again.
  void remove(uint32_t slot);
  // Whether connections to a known server are kept for further exchanges. `false` closes the idle ones, and those that are leased when
  // they come back. Stays as it is while the server is defined anew; a server that is removed, or another one in its slot, begins with true.
  void set_reusable(uint32_t slot, bool is_reusable);
  void close_idle(Server& s);
  [[nodiscard]] Server* server(uint32_t slot) { return slot < servers_.size() ? servers_[slot].get() : nullptr; }

  // The most recently used idle connection for this client (0: for everybody), or nullptr.
  [[nodiscard]] UpstreamConnection* take_idle(Server& s, uint64_t client_key);
  // The client has left: a connection that is of use to nobody else is closed, if it is idle.
  void forget_client(Token connection, uint64_t client_key);
  // A new connection, connecting (or connected at once: state leased). nullptr: `error` says why.
  [[nodiscard]] UpstreamConnection* open(Server& s, int& error);
  // The connect failed: tries the server's next address in the same object. False when there is none left.
  [[nodiscard]] bool try_next_address(UpstreamConnection& c, int& error);

  // Back to the pool; closed instead when the server has enough idle ones, is removed, or the connection is too old.
  void release(UpstreamConnection& c);
  void discard(UpstreamConnection& c);

  // An idle connection got an event or its time is over.
  void on_idle_event(UpstreamConnection& c, bool ended);
  void on_idle_timeout(UpstreamConnection& c);

  // What the server's row of the board says of its health: an attempt failed, or was answered.
  void count_failure(uint32_t slot);
  void count_answer(Server& s, int status, uint64_t first_byte_us);
  void count_success(uint32_t slot);

  // A server has one exchange or tunnel less. Whoever waits for room at its upstream, in this worker or another, hears of it at the
  // end of the turn.
  void made_room(uint32_t slot);
  [[nodiscard]] bool has_room_news() const { return room_news_; }
  void take_room_news() { room_news_ = false; }

  // A response said `Keep-Alive: timeout=N`.
  static void learn_announced(Server& s, uint32_t seconds);
  [[nodiscard]] static uint32_t idle_ms(const Server& s);

  Slab<UpstreamConnection> connections;

 private:
  [[nodiscard]] bool start(UpstreamConnection& c, int& error);
  void unlink(UpstreamConnection& c);

  Runtime& rt_;
  std::vector<std::unique_ptr<Server>> servers_;
  bool room_news_ = false;
};

}  // namespace weir
