// Accepts connections from listening sockets that all workers share, each worker taking its fair part.
// Owns     nothing of the sockets: the primary opened them, the worker inherited them.
// Why      the kernel wakes whoever it likes (often the same one); the board shows everybody's count, so a worker that is ahead
//          leaves a connection to one that is behind, for a moment at most.
#pragma once
#include <memory>
#include <vector>

#include "http/forwarder.h"
#include "loop/runtime.h"

namespace weir {

constexpr uint8_t kListenerTimer = 4;

struct ListeningSocket : TimerNode {
  int fd = -1;
  unsigned listener = 0;  // index of its settings
  bool watched = false;
  uint64_t declining_since_us = 0;
  uint64_t declined_us = 0;
};

class Acceptor {
 public:
  Acceptor(Runtime& rt, Forwarder& forwarder) : rt_(rt), forwarder_(forwarder) {}

  [[nodiscard]] bool add(int fd, unsigned listener);
  void on_event(uint32_t index);
  void on_timer(ListeningSocket& s);
  void stop();

 private:
  [[nodiscard]] bool my_turn(ListeningSocket& s);
  [[nodiscard]] bool full(const ListeningSocket& s) const;
  void pause(ListeningSocket& s, uint32_t ms);

  Runtime& rt_;
  Forwarder& forwarder_;
  std::vector<std::unique_ptr<ListeningSocket>> sockets_;
};

}  // namespace weir
