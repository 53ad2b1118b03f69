// A scripted life of some clients and servers around an engine, and what must hold whatever they do. The fuzz target `exchange`.
// Input    byte 0: settings (see `Script::apply_settings`). Then bytes below 0x80 are data, collected for the current target; a byte from
//          0x80 on sends them and does one step: bits 0-4 say which (see `Step`), bit 5 says that the engine gets no turn after it.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "lib/messages.h"
#include "lib/test_bed.h"

namespace weir {

enum class Step : uint8_t {
  flush, client_0, client_1, client_2, newest_server, oldest_server,  // whom the next data are from
  half_close, close, reset, stall, bulk, shrink_buffers,              // what the current target does
  advance_100ms, advance_600ms, advance_5s, advance_35s, advance_80s,
  next_waits, next_is_answered, next_fails_to_connect, resume,        // verdicts
  get, post, chunked_start, chunked_end, upgrade, response, chunked_response, switching, interim, until_close_response,  // usual data
  run,
};
static_assert(unsigned(Step::run) == 31);

class Script {
 public:
  explicit Script(TestBed& bed) : bed_(bed) {}

  void play(const uint8_t* data, size_t size);

 private:
  // One decision: request `order` of client `client`.
  struct Entry {
    size_t client = 0;
    size_t order = 0;
    Method method = Method::other;
  };
  struct Client {
    Peer peer;
    uint16_t port = 0;  // as the engine sees it
    size_t slot = 0;    // one of three; a client that left is followed by another in its slot
    size_t decided = 0;
  };

  void apply_settings(uint8_t bits);
  void step(Step s);
  void act(Peer& target, Step s);
  [[nodiscard]] bool operate(Step s);
  void send(std::string_view bytes);
  Peer* target();
  void aim_at_client(size_t index);
  void aim_at_server(bool newest);
  void turn();
  void look_around();
  Verdict decide(Exchange& ex);
  void resume();

  void settle();
  void leave();
  void check_progress();
  void check_servers();
  void check_clients();
  void check_request(const Message& at_server);
  void check_response(const Message& at_client, size_t client, size_t order);
  [[nodiscard]] bool some_server_sent(const Message& wanted, const Entry& entry, const std::string& id);
  [[nodiscard]] Messages received_by(const Peer& server) const;
  [[nodiscard]] std::vector<Method> methods_of(size_t client) const;

  TestBed& bed_;
  std::deque<Client> clients_;
  std::deque<Peer> servers_;
  std::vector<Entry> entries_;
  std::vector<std::pair<uint32_t, uint32_t>> waiting_;
  std::string data_;
  bool aims_at_server_ = false;
  size_t client_ = 0;
  size_t server_ = 0;
  bool tcp_clients_ = false;
  bool operates_ = false;  // steps of time are steps of an operator instead
  unsigned bulk_left_ = 6;
  Step next_verdict_ = Step::flush;
};

}  // namespace weir
