// What every part of the engine works with: the loop, the clock of this batch, timers, buffers, counters and scratch space.
// Owns     all of it; the Engine owns the one Runtime of a worker.
#pragma once
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/clock.h"
#include "loop/loop.h"
#include "loop/splice_pipe.h"
#include "loop/arrival_clock.h"
#include "loop/timer_wheel.h"
#include "observe/record_ring.h"
#include "stats/address_table.h"
#include "stats/board.h"
#include "stats/histogram_map.h"

namespace weir {

struct CapturedName {
  std::string name;
  uint16_t key;
};

struct Runtime {
  Loop loop;
  uint64_t now_us = monotonic_us();
  TimerWheel wheel{now_us};
  BufferPool buffers;
  PipePool pipes;
  Board board;
  AddressTable addresses{board};
  HistogramMap histograms{board};
  std::unique_ptr<RecordRing> records;  // none in tests that need none
  std::vector<CapturedName> recorded_headers;  // fields whose values are kept in records
  double trace_share = -1;  // of requests that begin a trace; below 0 traces are nobody's business here
  ArrivalClock arrivals;
  // One read goes here first; what cannot be passed on at once is copied into a pooled buffer.
  std::unique_ptr<char[]> scratch{new char[kReadBytes]};

  void tick() {
    now_us = monotonic_us();
    wheel.set_now(now_us);
    arrivals.all_came_at(now_us);
  }
  void count(int counter, double by = 1) { board.mine()[counter] += by; }
  double& listener_cell(unsigned listener, int counter) { return board.listener(board.column(), listener)[counter]; }
  // A client connection was accepted, and has ended. `address_key` is 0 where connections per address are not limited.
  void connection_opened(unsigned listener) {
    count(abi::worker_counter::connections);
    count(abi::worker_counter::accepted);
    ++listener_cell(listener, abi::listener_counter::connections);
    ++listener_cell(listener, abi::listener_counter::accepted);
  }
  void connection_closed(unsigned listener, uint64_t address_key) {
    count(abi::worker_counter::connections, -1);
    --listener_cell(listener, abi::listener_counter::connections);
    if (address_key) addresses.leave(address_key);
  }
  // A connection is closed before anything was forwarded; `reason` of abi::refusal.
  void count_refusal(unsigned listener, int reason) { ++listener_cell(listener, abi::listener_counter::refused_untrusted_proxy + reason); }
  // `most` 0 is no limit.
  [[nodiscard]] bool is_full(unsigned slot, int32_t most) const {
    return most > 0 && board.total_in_flight(slot).load(std::memory_order_relaxed) >= most;
  }
  // One exchange or tunnel more, and less, in flight at a server: in the total of all workers and in our own cell.
  void begin_load(unsigned slot) {
    board.total_in_flight(slot).fetch_add(1, std::memory_order_relaxed);
    count_server(slot, abi::server_counter::in_flight);
    count_server(slot, abi::server_counter::exchanges);
  }
  void end_load(unsigned slot) {
    board.total_in_flight(slot).fetch_sub(1, std::memory_order_relaxed);
    count_server(slot, abi::server_counter::in_flight, -1);
  }
  void count_server(unsigned slot, int counter, double by = 1) { board.server(slot)[counter] += by; }
};

}  // namespace weir
