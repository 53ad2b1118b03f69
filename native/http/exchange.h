// One client connection and the one request and response that is on it now. HTTP/1.1 pipelining is ordered: the next head is
// parsed when the exchange before it has ended. TypeScript twin: src/worker/request-life.ts.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "http/body_framing.h"
#include "http/head_parser.h"
#include "http/plan.h"
#include "http/trace_context.h"
#include "loop/address.h"
#include "loop/loop.h"
#include "loop/origin.h"
#include "loop/splice_pipe.h"
#include "loop/timer_wheel.h"
#include "observe/kept_record.h"
#include "tls/stream.h"

namespace weir {

struct Exchange;
struct UpstreamConnection;
struct ListenerSettings;

constexpr uint8_t kClientTimer = 2;
constexpr uint8_t kExchangeTimer = 6;

struct ClientConnection : TimerNode {
  enum class State : uint8_t {
    idle,       // between exchanges; no buffer held
    head,       // some bytes of a head are here
    exchange,   // TypeScript decides, or a server works, or a response flows
    flushing,   // the response is complete but the socket would not take all of it yet
    lingering,  // answered and half closed; what still comes is read and thrown away, so that no reset overtakes the answer
    closed,
  };

  uint32_t slot_index = 0;
  uint32_t slot_generation = 0;
  Stream stream;
  State state = State::idle;
  bool readable = false;
  bool peer_ended = false;
  bool close_after = false;  // this exchange is the last one
  bool break_at_end = false;   // ends with a reset: its response was cut, and only the end of the connection marked its end
  bool may_send_more = false;  // it was answered before its request was complete: linger
  bool must_leave = false;   // its listener is another one by now
  bool queued = false;       // waits in the engine's run queue
  bool trusted = false;      // peer is in the listener's trustedProxies
  bool unix_peer = false;
  bool wrote_since_end = false;  // the client still takes bytes after its FIN: it is half closed, not gone
  uint16_t peer_port = 0;
  uint16_t local_port = 0;
  uint16_t listener = 0;
  uint32_t exchanges = 0;
  uint32_t accepted_ms = 0;
  PeerIp peer;
  std::unique_ptr<ProxyInfo> proxy;  // where a PROXY header began the connection
  uint64_t address_key = 0;          // see AddressTable
  Token own_server{};                // the last connection to a server that is for this client only; see key_of
  // The port that the client connected to, before any proxy in front of us.
  [[nodiscard]] std::string_view scheme() const { return stream.is_plain() ? "http" : "https"; }
  [[nodiscard]] uint16_t public_port() const { return proxy ? proxy->destination_port : local_port; }
  Buffer* in = nullptr;
  ByteQueue out;
  Pipe* pipe = nullptr;    // spliced bytes that go before those in `out`
  uint32_t piece = 0;      // see piece_to_send; 0 while the body is not large
  [[nodiscard]] bool blocked() const { return pipe || !out.empty(); }
  Exchange* exchange = nullptr;
  uint32_t lingered = 0;  // bytes thrown away
  uint64_t sent = 0;      // bytes that were written or queued for it
};

// Changes that a TypeScript function asked for on one request. Made only when it did.
struct RequestEdits {
  std::string target;
  std::vector<std::pair<std::string, std::string>> set;  // names in lower case
  std::vector<std::string> removed;
  std::string response;  // whole lines that its response gets
};

// What access log and statistics say of an exchange. Times in microseconds.
struct Observed {
  uint64_t ours_since_us = 0;  // from when on nobody but the balancer keeps it waiting; 0 while somebody else does
  uint64_t queued_since_us = 0;
  uint32_t overhead_us = 0;
  uint32_t queue_us = 0;
  uint32_t connect_us = 0;     // 0 on a pooled connection
  uint32_t first_byte_us = 0;
  uint16_t route = 0;          // row of the board
  uint16_t status = 0;         // that the client gets; 0 before there is one
  uint8_t termination = abi::termination::ok;
  bool has_route = false;      // counts as active there
  bool has_response = false;   // of a server: first_byte_us says something
  std::unique_ptr<KeptRecord> kept;
  std::unique_ptr<TraceContext> trace;

  // The first thing that went wrong counts.
  void fail(uint8_t reason) {
    if (termination == abi::termination::ok) termination = reason;
  }
  // It waits for a server, or for a function of the configuration.
  void queue(uint64_t us) {
    end(us);
    queued_since_us = us;
  }
  void unqueue(uint64_t us) {
    if (queued_since_us != 0 && us > queued_since_us) queue_us += uint32_t(us - queued_since_us);
    queued_since_us = 0;
    begin(us);
  }
  // It is the balancer's turn, and has been since then.
  void begin(uint64_t us) { ours_since_us = us; }
  // The server's first bytes were there to be read at `ready`; the request had been handed over at `sent`.
  void first_bytes(uint64_t ready, uint64_t sent) {
    if (ready < sent) ready = sent;  // an estimate; an answer comes behind its request
    if (first_byte_us == 0) first_byte_us = ready > sent ? uint32_t(ready - sent) : 1;
    begin(ready);
  }
  // It has passed on what it had, or can only wait.
  void end(uint64_t us) {
    if (ours_since_us != 0 && us > ours_since_us) overhead_us += uint32_t(us - ours_since_us);
    ours_since_us = 0;
  }
};

enum class ResponseFraming : uint8_t { none, length, chunked, until_close };

// Its timer is the limit on the whole of it, where there is one.
struct Exchange : TimerNode {
  enum class Stage : uint8_t {
    reading_head,
    waiting,     // TypeScript said "wait"; it will resume us
    connecting,
    sending,     // the head is on its way, no response byte yet
    responding,  // a response head was passed on
    done,
  };

  uint32_t slot_index = 0;
  uint32_t slot_generation = 0;
  Stage stage = Stage::reading_head;
  ClientConnection* client = nullptr;
  UpstreamConnection* upstream = nullptr;
  UpstreamConnection* rival = nullptr;  // the first attempt of a hedged request, while a second one runs in `upstream`
  Plan* plan = nullptr;

  HeadParser parser;
  HeadParser response_parser;
  BodyFraming request_body;
  BodyFraming response_body;
  ResponseFraming response_framing = ResponseFraming::none;

  // Facts that outlive the head's bytes.
  Method method = Method::other;
  bool http10 = false;
  bool head_held = false;          // client->in still has the request head at its start
  bool expects_continue = false;
  bool request_complete = false;   // the whole request was handed to the server's socket or its queue
  bool upload_refused = false;     // the server's socket takes no more of the request; its response may still come
  bool response_started = false;   // a final response head went to the client
  bool response_complete = false;
  bool wants_upgrade = false;
  bool replayable = true;          // every body byte taken from the client so far is in `replay`
  bool counted_in_flight = false;
  bool fresh_only = false;
  bool reused = false;             // the current attempt runs on a pooled connection
  bool answering = false;
  bool hedged = false;
  bool rival_reused = false;
  bool waited = false;             // TypeScript once said "wait": it is told of the end
  bool passed = false;             // TypeScript wants this response passed on, whatever its status
  uint8_t attempts = 0;
  uint32_t server_slot = 0;
  uint32_t rival_slot = 0;
  uint64_t rival_written_before = 0;
  uint64_t rival_encrypted_before = 0;
  uint64_t rival_sent_us = 0;
  uint64_t started_us = 0;  // when its head's last bytes were there to be read
  uint64_t attempt_us = 0;
  uint64_t sent_us = 0;     // when the head of this attempt had been handed over
  uint64_t body_bytes = 0;
  uint64_t written_before = 0;     // bytes that the upstream connection had carried before this exchange
  uint64_t encrypted_before = 0;   // the same as its TLS counts them
  uint64_t sent_before = 0;        // bytes that the client connection had been given before this exchange
  Observed seen;
  ByteQueue replay;                // decoded body bytes
  std::unique_ptr<RequestEdits> edits;
  char request_id[33] = {};
  uint8_t request_id_len = 0;

  MessageHead request;
  MessageHead response;
};

}  // namespace weir
