// A connection to a server: connecting, leased to one exchange, or idle in its server's pool.
// Owns     its fd. While leased, `exchange` points at the one that uses it; while idle it is linked into Server's list.
#pragma once
#include <cstdint>

#include "base/buffer.h"
#include "loop/splice_pipe.h"
#include "loop/timer_wheel.h"
#include "tls/stream.h"
#include "upstream/server.h"

namespace weir {

struct Exchange;

struct UpstreamConnection : TimerNode {
  enum class State : uint8_t { connecting, leased, idle, closed };

  uint32_t slot_index = 0;
  uint32_t slot_generation = 0;
  Stream stream;
  State state = State::connecting;
  bool readable = false;    // an edge said so and no short read has said otherwise
  bool peer_ended = false;  // EPOLLRDHUP was seen
  bool in_handshake = false;  // connected, and TLS begins; the state is still `connecting`
  uint16_t address_index = 0;
  uint16_t addresses_tried = 0;
  Server* server = nullptr;
  Exchange* exchange = nullptr;
  Buffer* in = nullptr;  // a response head that came in parts
  Pipe* pipe = nullptr;  // spliced request bytes that go before those in `out`
  uint32_t piece = 0;          // see piece_to_receive; 0 until a large body came
  uint32_t request_piece = 0;  // see piece_to_send; 0 until a large body went
  ByteQueue out;         // request bytes that the socket would not take yet
  [[nodiscard]] bool blocked() const { return pipe || !out.empty(); }
  uint64_t written = 0;  // over the connection's life
  uint64_t opened_us = 0;
  uint64_t idle_since_us = 0;
  uint32_t uses = 0;
  uint64_t client_key = 0;  // it began with a PROXY header for this client, and is of no use to others; 0: for everybody
  UpstreamConnection* idle_prev = nullptr;
  UpstreamConnection* idle_next = nullptr;
};

}  // namespace weir
