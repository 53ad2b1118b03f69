// Two sockets joined byte for byte: all there is to L4 forwarding, and what an upgraded exchange becomes. TypeScript twin of the
// first half of its life: src/worker/connection-life.ts.
// Owns     both sockets and the bytes between them. A tunnel ends once: when both directions have ended, on an error, or when silent.
// Note     a direction that ends is passed on as a half close; a reset on one side becomes a reset on the other, behind what came
//          before it. Each direction copies until it is seen to be bulk, and then splices.
// Files    tunnel_opening.cc (verdict, connect, PROXY header) · tunnel.cc (bytes) · tunnel_gather.cc (bulk, in large pieces) ·
//          tunnel_ending.cc (deadlines, resets, close)
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/slab.h"
#include "loop/origin.h"
#include "loop/proxy_header.h"
#include "loop/runtime.h"
#include "tcp/gather_clock.h"
#include "tls/client_hello.h"
#include "tls/stream.h"
#include "upstream/server.h"

namespace weir {

constexpr uint8_t kTunnelTimer = 3;

// What a route says of its tunnels. Copied into each when it begins.
struct TunnelPlan {
  uint32_t connect_ms = 2000;
  uint32_t idle_ms = 3'600'000;
  ProxyVersion send_proxy = ProxyVersion::off;
  uint16_t route = 0;  // row of the board
};

struct TunnelSide {
  Stream stream;
  ByteQueue out;         // bytes for this side that its socket would not take yet
  Pipe* pipe = nullptr;  // the same, spliced
  bool stuffed = false;  // the pipe takes no more until this side has taken some of it
  bool readable = false;
  bool muted = false;  // EPOLLIN and EPOLLPRI are off: more of it would only be news of what cannot be passed on yet
  bool peer_ended = false;
  bool urgent = false;  // it sent urgent data, at whose mark reads stop short and splices say that there is nothing
  bool ended = false;   // read to its end
  bool closed = false;  // our half towards it is shut
  bool cut = false;     // it ended without a word of TLS that this was all
  bool failed = false;  // its connection is broken: what it sent before counts, nothing can be sent to it
  // How bytes that come from this side are moved.
  bool splices = false;
  uint64_t burst = 0;   // bytes since the other side last sent a small message: a new request
  uint32_t recent = 0;  // bytes of the last reads, each read fading: about four times their average
  uint32_t piece = 0;   // bytes to move at once, full segments of them; 0 until it was bulk
  uint32_t pieces = 0;  // that were spliced
  uint64_t bytes = 0;   // that came from it
  bool gathers = false;      // its socket tells of much only, and the clock looks after the rest
  bool is_listed = false;    // for the clock
  uint8_t bulk_answers = 0;  // in a row
  uint8_t slow_looks = 0;    // of the clock, in a row: little had come
  uint8_t held_looks = 0;    // in a row: nothing had been moved
  uint64_t moved_bytes = 0;  // `bytes` at the clock's last look
  uint64_t seen_bytes = 0;   // the same with what was still in the socket
  uint64_t answer_from = 0;  // `bytes` when the answer began
  uint64_t prompt_from = 0;  // `bytes` when it last began to be moved as it comes

  [[nodiscard]] bool blocked() const { return pipe || !out.empty(); }
  // Whether more of what comes from the other side `in` may be moved now. A pipe is filled up while its first part is on its way.
  [[nodiscard]] bool accepts(const TunnelSide& in) const { return !blocked() || (pipe && out.empty() && in.splices && !stuffed); }
};

struct Tunnel : TimerNode {
  enum class State : uint8_t {
    deciding,    // TypeScript is asked, or has said "wait"
    connecting,  // to the server
    joined,
    breaking,    // one side was reset: what came before is on its way to the other side, then comes the reset
    over,
  };

  uint32_t slot_index = 0;
  uint32_t slot_generation = 0;
  State state = State::deciding;
  bool queued = false;
  bool waits = false;           // for a late verdict
  bool waited = false;          // once: TypeScript is told of the end
  bool in_flight = false;       // counts as load of its server
  bool probes = false;          // TCP keep-alive is on
  bool wrote = false;           // to the server, once
  bool prompt = false;          // Nagle's algorithm is off towards the server
  bool in_handshake = false;    // connected, and TLS with the server begins; the state is still `connecting`
  uint8_t attempts = 0;
  uint16_t address_index = 0;   // of the server's addresses
  uint16_t addresses_tried = 0;
  uint16_t listener = 0;
  uint32_t server_slot = 0;
  uint32_t plan_id = 0;
  TunnelPlan plan;
  TunnelSide sides[2];  // 0 client, 1 server
  Origin origin;
  std::string server_name;  // of a ClientHello
  uint64_t address_key = 0;
  uint64_t opened_us = 0;
  uint64_t last_us = 0;   // when a byte moved
  uint64_t break_by_us = 0;
  uint64_t attempt_us = 0;
  uint32_t connect_us = 0;
  uint8_t termination = abi::termination::ok;  // the first thing that went wrong
  bool upgraded = false;        // was an exchange before
  bool counted = false;         // as active at its route
  bool counted_at_server = false;  // as an open tunnel of it

  void fail(uint8_t reason) {
    if (termination == abi::termination::ok) termination = reason;
  }
  // Whether `server_slot` says something.
  [[nodiscard]] bool has_server() const { return in_flight || state == State::joined || state == State::breaking; }
};

struct TunnelVerdict {
  int kind = 3;  // abi::verdict; abort unless said otherwise, `answer` is none
  uint32_t server = 0;
  uint32_t plan_id = 0;
  const TunnelPlan* plan = nullptr;
  int refusal = 0;  // abi::refusal, of an abort
};

// The border to TypeScript as tunnels see it, named as in src/worker/connection-life.ts.
class TunnelDecider {
 public:
  virtual ~TunnelDecider() = default;
  virtual TunnelVerdict decide_tunnel(Tunnel& t, const ClientHello& hello) = 0;
  // The server could not be reached (abi::failure connect, connect_timeout or busy). Nothing was sent, so any other may be tried.
  virtual TunnelVerdict tunnel_failed(Tunnel& t, int reason, int error) = 0;
  // A tunnel ended that waited or had several attempts.
  virtual void tunnel_ended(Tunnel& t) = 0;
  // A connection is closed before anything was forwarded. `reason` of abi::refusal.
  virtual void refused(unsigned listener, int reason, const Origin& origin, const char* why) = 0;
};

// Looks servers up for tunnels. The pool's owner implements it, as tcp/ knows servers but no pools.
class ServerTable {
 public:
  virtual ~ServerTable() = default;
  virtual Server* server_at(uint32_t slot) = 0;
  // The same words as UpstreamPool's.
  virtual void made_room(uint32_t slot) = 0;
  virtual void count_failure(uint32_t slot) = 0;
  virtual void count_success(uint32_t slot) = 0;
};

class Tunnels {
 public:
  Tunnels(Runtime& rt, TunnelDecider& decider, ServerTable& servers) : rt_(rt), decider_(decider), servers_(servers), clock_(rt.loop) {}
  ~Tunnels() { close_all(); }

  // Takes over a client connection that was counted as opened, and asks where it goes. `watched`: the loop watches it already.
  void begin(Stream client, Origin&& origin, unsigned listener, uint64_t address_key, const ClientHello& hello, bool watched);
  // Takes over both sockets of an upgrade, which are in the loop already, with the counts of connection and load.
  void join(Stream client, Stream server, std::string_view to_client, std::string_view to_server, Tunnel&& about);
  // TypeScript's late verdict. False when the tunnel is gone or does not wait.
  [[nodiscard]] bool resume(uint32_t index, uint32_t generation, const TunnelVerdict& v);

  void on_event(Tunnel& t, int side, uint32_t events);
  void on_timer(Tunnel& t);
  void run_queue();
  void on_gather_clock();
  [[nodiscard]] bool has_work() const { return !queue_.empty(); }
  void sweep() { tunnels.sweep(); }
  // Closes those of one server, each side with a reset. Returns how many.
  unsigned cut(uint32_t server_slot);
  void close_all();

  Slab<Tunnel> tunnels;

 private:
  // tunnel_opening.cc
  void perform(Tunnel& t, const TunnelVerdict& v);
  void start_attempt(Tunnel& t, const TunnelVerdict& v);
  [[nodiscard]] bool connect(Tunnel& t, const Server& s, int& error);
  void connected(Tunnel& t, uint32_t events);
  void attempt_failed(Tunnel& t, int reason, int error);
  [[nodiscard]] static size_t write_greeting(const Tunnel& t, char* to);
  void begin_tls(Tunnel& t, TlsClient& client);
  void shake_hands(Tunnel& t);
  void joined(Tunnel& t);
  void on_opening_event(Tunnel& t, int side, uint32_t events);
  void unload(Tunnel& t);

  // tunnel.cc
  enum class Watch : uint8_t { first, anew };
  enum class Moved : uint8_t { some, none, over };
  [[nodiscard]] static Token token_of(const Tunnel& t, int side);
  [[nodiscard]] bool watch(Tunnel& t, int side, Watch how);
  void mute(Tunnel& t, int side);
  [[nodiscard]] Moved has_no_more(Tunnel& t, int side);
  static void note(TunnelSide& s, uint32_t events);
  void pump(Tunnel& t, int from);
  void before_write(Tunnel& t, int to, size_t bytes);
  [[nodiscard]] Moved copy(Tunnel& t, int from);
  [[nodiscard]] Moved splice(Tunnel& t, int from);
  [[nodiscard]] Moved fill_up(Tunnel& t, int from);
  [[nodiscard]] Moved source_ended(Tunnel& t, int from, const IoResult& r);
  void moved(Tunnel& t, int from, size_t bytes, int how);
  [[nodiscard]] bool write(Tunnel& t, int to, std::string_view bytes);
  [[nodiscard]] bool flush(Tunnel& t, int to);
  [[nodiscard]] bool flush_pipe(Tunnel& t, int to);
  void pass_end(Tunnel& t, int to);
  void enqueue(Tunnel& t);
  static void notice_bulk(Tunnel& t, int from, size_t bytes);
  void read_ahead(Tunnel& t);

  // tunnel_gather.cc
  void gather(Tunnel& t, int side);
  void gather_when_empty(Tunnel& t, int side);
  void small_message(Tunnel& t, int answering);
  void list_gathering(Tunnel& t, int side);
  static void stop_gathering(TunnelSide& s);

  // tunnel_ending.cc
  [[nodiscard]] bool sink_failed(Tunnel& t, int side);
  void died(Tunnel& t, int side);
  void broke(Tunnel& t, int side);
  void try_break(Tunnel& t, int to);
  void close(Tunnel& t, bool reset);
  void observe(Tunnel& t);
  void watch_silence(Tunnel& t);

  Runtime& rt_;
  TunnelDecider& decider_;
  ServerTable& servers_;
  std::vector<Token> queue_;
  std::vector<Token> turn_;
  // Sides whose bytes gather.
  std::vector<Token> gathering_;
  GatherClock clock_;
};

}  // namespace weir
