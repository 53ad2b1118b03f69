#include "binding/uv_bridge.h"

namespace weir::binding {

// Lives on after `stop` until libuv has closed all of them.
struct UvBridge::Handles {
  uv_poll_t poll;
  uv_timer_t timer;
  uv_idle_t idle;
  uv_prepare_t prepare;
  uv_check_t check;
  UvBridge* owner;
  int open = 0;
  bool idle_active = false;
};

bool UvBridge::start(napi_env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  auto h = std::make_unique<Handles>();
  h->owner = this;
  if (uv_poll_init(loop, &h->poll, engine_.rt.loop.fd()) != 0) return false;
  uv_timer_init(loop, &h->timer);
  uv_idle_init(loop, &h->idle);
  uv_prepare_init(loop, &h->prepare);
  uv_check_init(loop, &h->check);
  uv_unref(reinterpret_cast<uv_handle_t*>(&h->prepare));
  uv_unref(reinterpret_cast<uv_handle_t*>(&h->check));
  h->poll.data = h->timer.data = h->idle.data = h->prepare.data = h->check.data = h.get();
  h->open = 5;
  handles_ = h.release();
  uv_poll_start(&handles_->poll, UV_READABLE, [](uv_poll_t* p, int, int) { static_cast<Handles*>(p->data)->owner->turn(); });
  uv_prepare_start(&handles_->prepare, [](uv_prepare_t* p) {
    static_cast<Handles*>(p->data)->owner->engine_.rt.arrivals.going_to_wait(monotonic_us());
  });
  uv_check_start(&handles_->check, [](uv_check_t* c) {
    ArrivalClock& arrivals = static_cast<Handles*>(c->data)->owner->engine_.rt.arrivals;
    if (!arrivals.has_looked()) arrivals.waited(monotonic_us());
  });
  rearm();
  return true;
}

void UvBridge::turn() {
  engine_.turn();
  after_turn_();
  if (handles_) rearm();
}

void UvBridge::rearm() {
  if (!handles_) return;
  const bool work = engine_.has_work();
  if (work != handles_->idle_active) {
    handles_->idle_active = work;
    // An active idle handle makes libuv poll without waiting and come back to us.
    if (work) uv_idle_start(&handles_->idle, [](uv_idle_t* i) { static_cast<Handles*>(i->data)->owner->turn(); });
    else uv_idle_stop(&handles_->idle);
  }
  TimerWheel& wheel = engine_.rt.wheel;
  if (!wheel.earlier_than_alarm()) return;
  const int ms = wheel.next_ms();
  if (ms < 0) return;
  uv_timer_start(&handles_->timer, [](uv_timer_t* t) {
    Handles* h = static_cast<Handles*>(t->data);
    h->owner->engine_.rt.wheel.alarm_rang();
    h->owner->turn();
  }, uint64_t(ms), 0);
}

void UvBridge::stop() {
  if (!handles_) return;
  Handles* h = handles_;
  handles_ = nullptr;
  const uv_close_cb closed = [](uv_handle_t* handle) {
    Handles* all = static_cast<Handles*>(handle->data);
    if (--all->open == 0) delete all;
  };
  uv_poll_stop(&h->poll);
  uv_prepare_stop(&h->prepare);
  uv_check_stop(&h->check);
  uv_close(reinterpret_cast<uv_handle_t*>(&h->poll), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&h->timer), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&h->idle), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&h->prepare), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&h->check), closed);
}

}  // namespace weir::binding
