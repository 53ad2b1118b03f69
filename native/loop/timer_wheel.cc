#include "loop/timer_wheel.h"

#include <algorithm>

namespace weir {

TimerWheel::TimerWheel(uint64_t now_us) : now_(tick_of(now_us)), clock_(now_) {
  for (TimerNode& s : slots_) s.prev = s.next = &s;
}

void TimerWheel::arm(TimerNode* n, uint32_t delay_ms) {
  // Rounded up, and one tick more because the current one has partly passed: a deadline must never fire early.
  n->deadline = clock_ + uint32_t((uint64_t(delay_ms) + kTickMs - 1) / kTickMs) + 1;
  if (n->linked()) {
    if (int32_t(n->deadline - n->slot_tick) >= 0) return;
    unlink(n);
  }
  link(n);
}

void TimerWheel::cancel(TimerNode* n) {
  if (n->linked()) unlink(n);
}

void TimerWheel::link(TimerNode* n) {
  const int32_t ahead = std::clamp<int32_t>(int32_t(n->deadline - now_), 1, int32_t(kSlots - 1));
  n->slot_tick = now_ + uint32_t(ahead);
  TimerNode* list = &slots_[n->slot_tick % kSlots];
  n->prev = list->prev;
  n->next = list;
  list->prev->next = n;
  list->prev = n;
  ++count_;
  if (!alarm_set_ || int32_t(n->slot_tick - alarm_) < 0) sooner_ = true;
}

void TimerWheel::unlink(TimerNode* n) {
  n->prev->next = n->next;
  n->next->prev = n->prev;
  n->prev = n->next = nullptr;
  --count_;
}

int TimerWheel::next_ms() {
  sooner_ = false;
  alarm_set_ = count_ > 0;
  if (count_ == 0) return -1;
  uint32_t ahead = 1;
  while (ahead < kSlots) {
    const TimerNode* list = &slots_[(now_ + ahead) % kSlots];
    if (list->next != list) break;
    ++ahead;
  }
  alarm_ = now_ + ahead;
  return int(ahead * kTickMs);
}

}  // namespace weir
