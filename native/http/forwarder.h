// HTTP/1.1 between clients and servers: reads heads, asks for a verdict, moves bodies both ways with backpressure, keeps order.
// Owns     client connections and exchanges. An exchange holds a lease on an upstream connection, given back or closed when it ends.
// Thread   the worker's loop thread only.
// Note     any call into the Decider may end any connection; objects are looked at again after it, and memory goes at the batch's end.
// Files    forwarder_client.cc (accept, heads, answers) · forwarder_close.cc (writes, ends) · forwarder_request.cc (attempts, request bodies, failures)
//          forwarder_departure.cc (connections that are to leave) · forwarder_cut.cc (exchanges that are taken from a server)
//          · forwarder_observe.cc (counters, histograms and records of what has ended) · forwarder_hedge.cc (a second attempt beside the
//          first) · forwarder_response.cc (response heads and bodies) · forwarder_splice.cc (large bodies) · forwarder_timers.cc (deadlines)
#pragma once
#include <sys/epoll.h>

#include <memory>
#include <vector>

#include "base/byte_sink.h"
#include "base/random.h"
#include "base/slab.h"
#include "http/decider.h"
#include "http/exchange.h"
#include "http/gather.h"
#include "http/head_writer.h"
#include "http/listener_settings.h"
#include "loop/runtime.h"
#include "upstream/pool.h"

namespace weir {

constexpr uint8_t kDepartureTimer = 7;

class Forwarder {
 public:
  Forwarder(Runtime& rt, UpstreamPool& pool, Decider& decider, Joiner& joiner) : rt_(rt), pool_(pool), decider_(decider), joiner_(joiner) {}
  ~Forwarder();

  ListenerSettings& listener(unsigned index);
  [[nodiscard]] ListenerSettings* find_listener(unsigned index) { return index < listeners_.size() ? listeners_[index].get() : nullptr; }

  // Takes over a connection that was counted as opened. `watched`: the loop watches it for somebody else so far.
  void accept(Stream stream, Origin&& origin, unsigned listener, uint64_t address_key, bool watched);
  void on_client_event(ClientConnection& c, uint32_t events);
  void on_upstream_event(UpstreamConnection& u, uint32_t events);
  void on_client_timer(ClientConnection& c);
  void on_upstream_timer(UpstreamConnection& u);
  void on_exchange_timer(Exchange& ex);

  // TypeScript's late verdict on an exchange that waits. False when the exchange is gone or does not wait.
  [[nodiscard]] bool resume(uint32_t index, uint32_t generation, const Verdict& v);

  // Connections that have more to do: a next head, or a body that took its share of this turn. Called once per batch, before
  // `sweep`; `has_work` tells that some of them are not finished.
  void run_queue();
  [[nodiscard]] bool has_work() const { return !queue_.empty(); }
  void sweep();

  // No further request on any connection: each has its turn in the first half of `spread_ms` and is told by its next response from then
  // on; who has asked nothing for another half is closed. With 0 all of it is at once. Who connected less than a second before and has
  // not spoken yet gets that second.
  void drain(uint32_t spread_ms);
  // The same for the connections of one listener, which is no more; and what is left of that when its index is another listener's:
  // connections of the one before leave at once, or with their next response.
  void retire_listener(unsigned index, uint32_t spread_ms);
  void revive_listener(unsigned index);
  [[nodiscard]] bool is_departing(unsigned listener) const;
  void on_departure_timer();
  // Every exchange with a lease on a connection to this server fails as if the server had reset it. Returns how many.
  unsigned cut(uint32_t slot);

  [[nodiscard]] uint32_t upstream_connections() const { return pool_.connections.live(); }
  void close_all();

  void use_plan(Exchange& ex, Plan* plan);
  void end_load(Exchange& ex);
  void end_lease(Exchange& ex, bool reusable);
  // The client's socket goes to a tunnel: forgets the connection without closing it.
  [[nodiscard]] Stream take_client_stream(ClientConnection& c);
  void finish_joined(Exchange& ex);
  HeadSources sources(Exchange& ex);

  Slab<ClientConnection> clients;
  Slab<Exchange> exchanges;

 private:
  using Stage = Exchange::Stage;

  // forwarder_client.cc
  void read_head(ClientConnection& c);
  void parse_head(ClientConnection& c, uint64_t ready_us);
  void begin(ClientConnection& c, Exchange& ex);
  void perform(Exchange& ex, const Verdict& v);
  void refuse(Exchange& ex, int status, int termination, const char* why);
  void answer(Exchange& ex, const Answer& a);
  void end_exchange(Exchange& ex);
  void next(ClientConnection& c);
  void release_request_head(Exchange& ex);
  bool skip_buffered_body(Exchange& ex);
  void enqueue(ClientConnection& c);
  std::string_view date();

  // forwarder_departure.cc
  [[nodiscard]] bool leaves(const ClientConnection& c) const;
  [[nodiscard]] bool is_overdue(const ClientConnection& c) const;
  [[nodiscard]] bool may_speak_yet(const ClientConnection& c) const;
  void begin_departure(Departure& d, uint32_t spread_ms);
  void ask_to_leave(ClientConnection& c);
  void await_departure(const ClientConnection& c);

  // forwarder_cut.cc
  [[nodiscard]] static bool runs_on(const Exchange& ex, uint32_t slot);
  void cut(Exchange& ex, uint32_t slot);

  // forwarder_observe.cc
  void on_route(Exchange& ex, unsigned row);
  void trace(Exchange& ex);
  void note_failure(Exchange& ex, const Failure& f);
  void keep_texts(Exchange& ex);
  void observe(Exchange& ex);
  void record(const Exchange& ex, uint64_t total_us);

  // forwarder_close.cc
  void flush_client(ClientConnection& c);
  void write_client(ClientConnection& c, Gather& g);
  void client_gone(ClientConnection& c);
  void close_client(ClientConnection& c, bool reset = false);
  void close_politely(ClientConnection& c);
  void linger(ClientConnection& c);

  // forwarder_request.cc
  [[nodiscard]] static uint64_t key_of(const ClientConnection& c);
  static void put_proxy_header(const ClientConnection& c, ProxyVersion version, ByteSink& out);
  void start_attempt(Exchange& ex, const Verdict& v);
  void begin_total(Exchange& ex);
  void connected(UpstreamConnection& u);
  void begin_tls(UpstreamConnection& u);
  void shake_hands(UpstreamConnection& u);
  void be_connected(UpstreamConnection& u);
  void send_request(Exchange& ex);
  void pump_request(Exchange& ex);
  [[nodiscard]] bool replay_body(Exchange& ex);
  size_t take_body(Exchange& ex, std::string_view bytes, Gather& g);
  void request_sent(Exchange& ex);
  [[nodiscard]] bool write_server(UpstreamConnection& u, Gather& g);
  void flush_server(UpstreamConnection& u);
  void attempt_failed(Exchange& ex, int reason, int error);
  void fail_over(Exchange& ex, const Failure& f);
  [[nodiscard]] bool certainly_unsent(const Exchange& ex, int reason) const;
  bool read_body(ClientConnection& c, Exchange& ex);
  static void make_room(Buffer& b, Exchange& ex);

  // forwarder_hedge.cc
  [[nodiscard]] bool may_hedge(const Exchange& ex) const;
  void hedge(Exchange& ex);
  void on_rival_event(Exchange& ex, uint32_t events);
  void rival_failed(Exchange& ex);
  void drop_rival(Exchange& ex);
  void take_back_rival(Exchange& ex);
  void uncount(uint32_t slot);

  // forwarder_response.cc
  void read_response(Exchange& ex);
  void take_head(Exchange& ex, std::string_view bytes, bool pooled);
  void start_response(Exchange& ex, std::string_view rest);
  void switch_protocols(Exchange& ex, std::string_view rest);
  void pass_interim(Exchange& ex);
  void ask_again(Exchange& ex, std::string_view rest);
  bool take_response_body(Exchange& ex, std::string_view bytes, Gather& g);
  void finish_response(Exchange& ex, bool extra_bytes);
  void server_ended(Exchange& ex, int error, bool cut = false);
  void break_response(Exchange& ex, int termination);

  // forwarder_splice.cc: large bodies of known length, without a visit to user memory. `false` from the splice_ functions: nothing
  // more can be moved now, or the exchange has ended.
  [[nodiscard]] bool may_splice_response(const Exchange& ex) const;
  [[nodiscard]] bool splice_response(Exchange& ex);
  [[nodiscard]] bool drain_to_client(ClientConnection& c, bool progress);
  [[nodiscard]] bool may_splice_request(const Exchange& ex) const;
  [[nodiscard]] bool splice_request(Exchange& ex);
  [[nodiscard]] bool drain_to_server(UpstreamConnection& u);

  ListenerSettings& listener_of(const ClientConnection& c) { return *listeners_[c.listener]; }

  Runtime& rt_;
  UpstreamPool& pool_;
  Decider& decider_;
  Joiner& joiner_;
  std::vector<std::unique_ptr<ListenerSettings>> listeners_;
  std::vector<Token> queue_;
  std::vector<Token> turn_;
  ByteSink head_;
  Random random_;
  char date_[40] = {};
  uint64_t date_second_ = UINT64_MAX;
  Departure departure_;  // of everybody
  TimerNode departure_timer_;
  uint32_t departure_step_ms_ = 0;
  uint64_t departure_last_us_ = 0;
};

}  // namespace weir
