// A scripted life of some clients and servers around an engine that joins them byte for byte, and what must hold whatever they do.
// The fuzz target `tunnel`.
// Input    byte 0: settings (see `TunnelScript::apply_settings`). Then bytes below 0x80 make the current target send (how much: see
//          `amount`); a byte from 0x80 on does one step: bits 0-4 say which (see `TunnelStep`), bit 5 says that the engine gets no
//          turn after it.
// Note     what a peer sends is made from its number and the position, so whatever arrives tells where it comes from.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "lib/test_bed.h"

namespace weir {

enum class TunnelStep : uint8_t {
  turn, client_0, client_1, client_2, newest_server, oldest_server,  // whom the next steps are about
  half_close, close, reset, stall, bulk, shrink_buffers, urgent,     // what that one does
  advance_5ms, advance_300ms, advance_3s, advance_35s, advance_2h,
  next_waits, next_aborts, next_is_refused, next_has_two_addresses,  // verdicts
  resume, resume_with_abort, cut, run,
};

class TunnelScript {
 public:
  explicit TunnelScript(TestBed& bed) : bed_(bed) {}

  void play(const uint8_t* data, size_t size);

 private:
  struct End {
    Peer peer;
    uint32_t id = 0;
    size_t slot = 0;      // of a client: one of three; one that left is followed by another
    uint64_t made = 0;    // bytes of its stream so far
  };

  void apply_settings(uint8_t bits);
  void step(TunnelStep s);
  void act(End& target, TunnelStep s);
  void send(End& from, size_t bytes);
  [[nodiscard]] static char next_byte(End& from);
  [[nodiscard]] End* target();
  void aim_at_client(size_t slot);
  void aim_at_server(bool newest);
  void advance(uint64_t ms);
  void turn();
  void look_around();
  [[nodiscard]] TunnelVerdict decide();
  [[nodiscard]] TunnelVerdict wait(const Tunnel& t);
  void resume(const TunnelVerdict& v);

  void settle();
  void leave();
  void check_progress();
  [[nodiscard]] const char* stuck();
  void check_streams();
  // Whether these two may have been joined, by all that both of them saw.
  [[nodiscard]] bool fit(const End& client, const End& server) const;
  [[nodiscard]] bool arrived(const End& from, const End& to, bool shows_resets) const;

  TestBed& bed_;
  std::deque<End> clients_;
  std::deque<End> servers_;
  std::vector<std::pair<uint32_t, uint32_t>> waiting_;
  bool aims_at_server_ = false;
  size_t client_ = 0;
  size_t server_ = 0;
  bool tcp_clients_ = false;
  bool was_idle_ = false;
  unsigned bulk_left_ = 6;
  TunnelStep next_verdict_ = TunnelStep::turn;
};

}  // namespace weir
