// Accepts connections from listening sockets that all workers share, each worker taking its fair part.
// Owns     this worker's descriptors of the sockets, which the primary opened and the worker inherited.
// Why      the kernel wakes whoever it likes (often the same one). The board shows everybody's count, so a worker that is ahead looks
//          away and wakes the one that is behind through its eventfd. If that one does not come soon, it is busy: a worker that
//          looked away takes a few itself, more each time.
#pragma once
#include <memory>
#include <vector>

#include "engine/arrivals.h"
#include "http/forwarder.h"
#include "loop/runtime.h"
#include "tcp/tunnel.h"

namespace weir {

constexpr uint8_t kListenerTimer = 4;

struct ListeningSocket : TimerNode {
  int fd = -1;
  unsigned listener = 0;  // index of its settings
  uint16_t port = 0;      // 0 for a unix socket
  bool watched = false;
  bool exhausted = false;  // paused for want of descriptors or room, not for fairness
  uint32_t allowance = 0;  // connections that may be taken although others have fewer
  uint32_t next_allowance = 1;
};

class Acceptor {
 public:
  Acceptor(Runtime& rt, Arrivals& arrivals, Forwarder& forwarder, const Tunnels& tunnels);

  // One that is listened to already moves to this listener and port.
  [[nodiscard]] bool add(int fd, unsigned listener, uint16_t port);
  // Accepts no more from it and closes it in this worker, whether it was listened to or not. What was accepted lives on.
  void remove(int fd);
  // Everybody's eventfds, by column. Without them no worker waits for another.
  [[nodiscard]] bool use_wakers(const std::vector<int>& fds);
  // Asks another worker to look: at its listening sockets, and at who waits for room.
  void wake(unsigned column) const;
  // Another worker wants us to look.
  void on_wake();
  void on_event(uint32_t index);
  void on_timer(ListeningSocket& s);
  void stop();

 private:
  [[nodiscard]] ListeningSocket* find(int fd) const;
  void close(ListeningSocket& s);
  // The worker that should take the next connection instead of us, or -1.
  [[nodiscard]] int better_placed(const ListeningSocket& s) const;
  void resume(ListeningSocket& s);
  [[nodiscard]] bool full(const ListeningSocket& s) const;
  void pause(ListeningSocket& s, uint32_t ms);

  Runtime& rt_;
  Arrivals& arrivals_;
  Forwarder& forwarder_;
  const Tunnels& tunnels_;
  uint64_t descriptors_;  // how many connections of all kinds the process may have; some are kept back for servers
  std::vector<std::unique_ptr<ListeningSocket>> sockets_;
  std::vector<int> wakers_;
};

}  // namespace weir
