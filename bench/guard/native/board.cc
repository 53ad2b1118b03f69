// What do a counter, a latency and an address on the board cost?
#include <memory>

#include "operation.h"
#include "stats/address_table.h"
#include "stats/histogram_map.h"

namespace weir::guard {

namespace {

std::shared_ptr<Board> new_board() {
  auto board = std::make_shared<Board>();
  require(board->map(-1, 1, 0), "the board was not mapped");
  return board;
}

// What an exchange with one attempt counts.
Operation counters() {
  return {"board-counters", 0, [board = new_board()](unsigned times) {
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                const unsigned server = i & 63, route = i & 15;
                board->total_in_flight(server).fetch_add(1, std::memory_order_relaxed);
                ++board->server(server)[abi::server_counter::in_flight];
                ++board->server(server)[abi::server_counter::exchanges];
                ++board->route(route)[abi::route_counter::active];
                board->route(route)[abi::route_counter::bytes_in] += 120;
                board->route(route)[abi::route_counter::bytes_out] += 250;
                --board->route(route)[abi::route_counter::active];
                --board->server(server)[abi::server_counter::in_flight];
                board->total_in_flight(server).fetch_sub(1, std::memory_order_relaxed);
              }
            });
          }};
}

// The latencies of one exchange: those of its route, and of its server.
Operation histograms() {
  return {"board-histograms", 0, [board = new_board()](unsigned times) {
            HistogramMap map(*board);
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                const uint64_t us = 300 + (i * 7919u) % 5000;
                map.record_route(i & 15, abi::phase::total, us);
                map.record_route(i & 15, abi::phase::overhead, us & 63);
                map.record_route(i & 15, abi::phase::first_byte, us - 40);
                map.record_server(i & 63, abi::phase::total, us);
                map.record_server(i & 63, abi::phase::overhead, us & 63);
                map.record_server(i & 63, abi::phase::first_byte, us - 40);
              }
            });
          }};
}

Operation addresses() {
  return {"board-addresses", 0, [board = new_board()](unsigned times) {
            AddressTable table(*board);
            bool entered = true;
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                const unsigned char ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, uint8_t(i >> 4 & 15), uint8_t(i & 15)};
                const uint64_t key = table.key_of(ip, true, 0);
                entered = table.enter(key, 100) && entered;
                table.leave(key);
              }
            });
            require(entered, "an address was not counted");
          }};
}

}  // namespace

std::vector<Operation> operations() { return {counters(), histograms(), addresses()}; }

}  // namespace weir::guard
