// The wheel against a plain list of deadlines, over random lives.
#include <random>
#include <vector>

#include "check.h"
#include "loop/timer_wheel.h"

using namespace weir;

namespace {

constexpr uint64_t kLateUs = 2 * TimerWheel::kTickMs * 1000;
// The alarm counts whole ticks from now, wherever in a tick now is.
constexpr uint64_t kAlarmLateUs = kLateUs + TimerWheel::kTickMs * 1000;

struct Timed : TimerNode {
  uint64_t due_us = 0;  // 0: not armed
};

// One random life: arms, moves to earlier and later, cancels, and steps of time of any size.
class Life {
 public:
  explicit Life(uint32_t seed) : random_(seed), now_us_(upto(1'000'000'000)), wheel_(now_us_), nodes_(60) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      uint32_t armed = 0;
      for (const Timed& n : nodes_) armed += n.due_us != 0;
      CHECK_EQ(wheel_.count(), armed);
    }
    for (Timed& n : nodes_) wheel_.cancel(&n), n.due_us = 0;
    CHECK_EQ(wheel_.count(), 0u);
    CHECK_EQ(wheel_.next_ms(), -1);
  }

 private:
  uint64_t upto(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n)(random_); }

  void arm(Timed& n) {
    // Mostly short; now and then beyond the wheel's span of 16 s.
    const uint32_t ms = uint32_t(upto(9) == 0 ? upto(100'000) : upto(upto(3) == 0 ? 16'500 : 60));
    wheel_.arm(&n, ms);
    n.due_us = now_us_ + uint64_t(ms) * 1000 + 1;
  }

  void step() {
    Timed& n = nodes_[upto(nodes_.size() - 1)];
    switch (upto(5)) {
      case 0:
      case 1:
      case 2: return arm(n);
      case 3:
        wheel_.cancel(&n);
        n.due_us = 0;
        return;
      default: return pass(upto(20) == 0 ? upto(40'000'000) : upto(upto(2) ? 10'000 : 300'000));
    }
  }

  void pass(uint64_t us) {
    now_us_ += us;
    wheel_.set_now(now_us_);
    wheel_.advance(now_us_, [&](TimerNode* node) { expired(static_cast<Timed&>(*node)); });
    for (const Timed& n : nodes_)
      if (n.due_us != 0 && n.due_us + kLateUs < now_us_) late_ = true;
    CHECK(!late_);
    const int alarm = wheel_.next_ms();
    for (const Timed& n : nodes_)
      if (n.due_us != 0) CHECK(alarm >= 1 && now_us_ + uint64_t(alarm) * 1000 <= std::max(n.due_us, now_us_) + kAlarmLateUs);
  }

  void expired(Timed& n) {
    CHECK(!n.linked());
    CHECK(n.due_us != 0);
    CHECK(now_us_ + 1 >= n.due_us);  // never early
    n.due_us = 0;
    // A handler may arm anything, itself too, and cancel anything.
    if (upto(3) == 0) arm(n);
    Timed& other = nodes_[upto(nodes_.size() - 1)];
    if (upto(7) == 0) wheel_.cancel(&other), other.due_us = 0;
  }

  std::mt19937 random_;
  uint64_t now_us_;
  TimerWheel wheel_;
  std::vector<Timed> nodes_;
  bool late_ = false;
};

}  // namespace

TEST("no deadline passes early, and none more than two ticks late") {
  for (uint32_t seed = 1; seed <= 40; ++seed) Life(seed).run(600);
}

TEST("a deadline of any length, armed at any moment of a tick, is not early") {
  for (uint32_t ms : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 10u, 500u, 501u, 16'383u, 16'384u, 50'001u}) {
    for (uint64_t start_us : {4'000'000u, 4'001'000u, 4'003'999u}) {
      TimerWheel wheel(start_us);
      TimerNode node;
      wheel.arm(&node, ms);
      bool fired = false;
      uint64_t now_us = start_us;
      for (; !fired; now_us += 500) {
        wheel.set_now(now_us);
        wheel.advance(now_us, [&](TimerNode*) { fired = true; });
        if (fired && now_us < start_us + ms * 1000) CHECK_EQ(double(now_us - start_us) / 1000, ms);
      }
      CHECK(now_us <= start_us + ms * 1000 + kLateUs + 500);
    }
  }
}

TEST("the alarm is asked for anew only when something is due before it") {
  TimerWheel wheel(0);
  TimerNode a, b, c;
  wheel.arm(&a, 1000);
  CHECK(wheel.earlier_than_alarm());
  const int ms = wheel.next_ms();
  CHECK(ms >= 1000 && ms <= 1008);
  CHECK(!wheel.earlier_than_alarm());
  wheel.arm(&b, 2000);
  CHECK(!wheel.earlier_than_alarm());
  wheel.arm(&c, 100);
  CHECK(wheel.earlier_than_alarm());
  wheel.alarm_rang();
  CHECK(wheel.earlier_than_alarm());
  for (TimerNode* n : {&a, &b, &c}) wheel.cancel(n);
}
