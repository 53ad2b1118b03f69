// Bulk gathers in its socket for a moment before it is moved: each move wakes us and whoever reads at the other end, and brings
// acknowledgements back, so a few large ones cost much less than many small ones (docs/tuning.md).
#include <sys/socket.h>

#include <algorithm>

#include "loop/io.h"
#include "tcp/tunnel.h"

namespace weir {

namespace {
// The socket tells of no less than this, of its end apart.
constexpr int kEnough = 768 * 1024;
// What has to have come in a row before anything is held back, and what has to come between two looks for it to go on: a sender that is
// slower gains little, and its bytes should not wait.
constexpr uint64_t kBefore = 256 * 1024;
constexpr uint64_t kBetweenLooks = 64 * 1024;
constexpr int kPatience = 3;
// After so many looks at which nothing had been moved since the one before, it is: nothing waits for more than three of them.
constexpr int kLongest = 2;
// The kernel keeps room for what gathers, so not every connection of thousands may.
constexpr size_t kMost = 128;
// So many large answers in a row are a habit.
constexpr int kHabit = 2;

bool tell_of(int fd, int bytes) { return ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0; }
}  // namespace

// The source was emptied.
void Tunnels::gather_when_empty(Tunnel& t, int side) {
  const TunnelSide& s = t.sides[side];
  if (!s.gathers && s.splices && !s.peer_ended && s.bytes - s.prompt_from >= kBefore) gather(t, side);
}

void Tunnels::gather(Tunnel& t, int side) {
  TunnelSide& s = t.sides[side];
  if (gathering_.size() >= kMost || !clock_.start() || !tell_of(s.stream.fd(), kEnough)) return;
  s.gathers = true;
  s.slow_looks = s.held_looks = 0;
  s.seen_bytes = s.moved_bytes = s.bytes;
  list_gathering(t, side);
}

// A small message to this side is a request, it seems, and what comes back a new answer. Where answers are large again and again, the
// next one gathers from its first byte on.
void Tunnels::small_message(Tunnel& t, int answering) {
  TunnelSide& s = t.sides[answering];
  const uint64_t answer = s.bytes - s.answer_from;
  s.answer_from = s.bytes;
  if (answer >= kBefore) s.bulk_answers = uint8_t(std::min(s.bulk_answers + 1, kHabit));
  else if (answer > 0) s.bulk_answers = 0;
  if (s.bulk_answers == kHabit && s.splices) {
    if (!s.gathers) gather(t, answering);
    return;
  }
  s.burst = 0;
  s.prompt_from = s.bytes;
  if (s.gathers) stop_gathering(s);
}

void Tunnels::list_gathering(Tunnel& t, int side) {
  if (t.sides[side].is_listed) return;
  t.sides[side].is_listed = true;
  gathering_.push_back(token_of(t, side));
}

void Tunnels::stop_gathering(TunnelSide& s) {
  s.gathers = false;
  s.prompt_from = s.bytes;
  (void)tell_of(s.stream.fd(), 1);
}

// What comes on fast is left alone for a while: the socket itself tells when it is enough. The rest is moved, however little it is.
void Tunnels::on_gather_clock() {
  clock_.rang();
  turn_.swap(gathering_);
  for (const Token& token : turn_) {
    Tunnel* t = tunnels.find(token.index, token.generation);
    const int side = token.kind == TokenKind::tunnel_client ? 0 : 1;
    if (!t) continue;
    TunnelSide& s = t->sides[side];
    s.is_listed = false;
    if (t->state != Tunnel::State::joined || !s.gathers) continue;
    const uint64_t came = s.bytes + bytes_to_read(s.stream.fd());
    // Where the other side takes no more, this is slow, too: nobody need look after it then.
    const bool is_slow = came - s.seen_bytes < kBetweenLooks;
    s.slow_looks = is_slow ? s.slow_looks + 1 : 0;
    s.seen_bytes = came;
    s.held_looks = s.bytes == s.moved_bytes ? s.held_looks + 1 : 0;
    if (is_slow || s.held_looks >= kLongest) {
      s.readable = true;
      pump(*t, side);
      if (t->state != Tunnel::State::joined || !s.gathers) continue;
    }
    s.moved_bytes = s.bytes;
    if (s.splices && s.slow_looks < kPatience) list_gathering(*t, side);
    else stop_gathering(s);
  }
  turn_.clear();
  // It could be set before, so it can be set again.
  if (!gathering_.empty()) (void)clock_.start();
}

}  // namespace weir
