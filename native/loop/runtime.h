// What every part of the engine works with: the loop, the clock of this batch, timers, buffers, counters and scratch space.
// Owns     all of it; the Engine owns the one Runtime of a worker.
#pragma once
#include <sys/uio.h>

#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "base/clock.h"
#include "loop/loop.h"
#include "loop/splice_pipe.h"
#include "loop/timer_wheel.h"
#include "stats/board.h"

namespace weir {

struct Runtime {
  Loop loop;
  uint64_t now_us = monotonic_us();
  TimerWheel wheel{now_us};
  BufferPool buffers;
  PipePool pipes;
  Board board;
  // One read goes here first; what cannot be passed on at once is copied into a pooled buffer.
  std::unique_ptr<char[]> scratch{new char[kReadBytes]};

  void tick() {
    now_us = monotonic_us();
    wheel.set_now(now_us);
  }
  void count(int counter, double by = 1) { board.mine()[counter] += by; }
  void count_server(unsigned slot, int counter, double by = 1) { board.server(slot)[counter] += by; }
};

}  // namespace weir
