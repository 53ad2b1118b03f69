// Deadlines of connections: one wheel instead of one kernel timer each (Varghese and Lauck, 1987, scheme 4, lazy).
// Owns     nothing: nodes live inside the objects they time. A node must be cancelled before its object's memory is reused.
// Note     moving a deadline later is one store; the node moves when its old slot comes round. Resolution is kTickMs.
#pragma once
#include <cstdint>

namespace weir {

struct TimerNode {
  TimerNode* prev = nullptr;
  TimerNode* next = nullptr;
  uint32_t deadline = 0;  // tick
  uint32_t slot_tick = 0;  // tick of the slot it sits in
  uint8_t kind = 0;       // for the one who handles expiry
  [[nodiscard]] bool linked() const { return next != nullptr; }
};

class TimerWheel {
 public:
  static constexpr uint32_t kTickMs = 4;
  static constexpr uint32_t kSlots = 4096;  // 16 s; later deadlines wait in the last slot and move on

  explicit TimerWheel(uint64_t now_us);

  void arm(TimerNode* n, uint32_t delay_ms);
  void cancel(TimerNode* n);

  // Expires what is due. `expire(node)` is called with the node unlinked; it may arm or cancel any node.
  template <typename F>
  void advance(uint64_t now_us, F&& expire) {
    const uint32_t until = tick_of(now_us);
    while (int32_t(until - now_) > 0) {
      if (count_ == 0) {
        now_ = until;
        return;
      }
      ++now_;
      TimerNode* list = &slots_[now_ % kSlots];
      if (list->next == list) continue;
      // Nodes armed while this slot is worked on land in later slots, so the list only shrinks.
      while (list->next != list) {
        TimerNode* n = list->next;
        unlink(n);
        if (int32_t(n->deadline - now_) > 0) link(n);
        else expire(n);
      }
    }
  }

  void set_now(uint64_t now_us) { clock_ = tick_of(now_us); }

  // Milliseconds until the next slot that holds something, at least 1; -1 when nothing is armed.
  [[nodiscard]] int next_ms();

  // True when something was armed that is due before the alarm that `next_ms` last asked for; the alarm must then be set anew.
  [[nodiscard]] bool earlier_than_alarm() const { return sooner_; }
  void alarm_rang() {
    alarm_set_ = false;
    sooner_ = count_ > 0;
  }
  [[nodiscard]] uint32_t count() const { return count_; }

 private:
  static uint32_t tick_of(uint64_t us) { return uint32_t(us / (1000 * kTickMs)); }
  void link(TimerNode* n);
  void unlink(TimerNode* n);

  uint32_t now_;    // last tick that was expired
  uint32_t clock_;  // current tick, for arming
  uint32_t count_ = 0;
  uint32_t alarm_ = 0;   // tick that the last next_ms promised to wake at
  bool alarm_set_ = false;
  bool sooner_ = false;
  TimerNode slots_[kSlots];
};

}  // namespace weir
