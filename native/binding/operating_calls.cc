#include "binding/operating_calls.h"

#include <errno.h>

namespace weir::binding {

namespace {

// Where a call leaves work behind, the next turn does it: no decision is asked for inside the call.

napi_value listen(napi_env env, napi_callback_info info) {
  Call c(env, info);
  if (!c.engine().acceptor.add(int(c.u32(1)), c.u32(0), uint16_t(c.u32(2)))) return throw_errno(env, errno, "cannot watch a listening socket");
  return undefined(env);
}

napi_value unlisten(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().acceptor.remove(int(c.u32(0)));
  return undefined(env);
}

napi_value stop_accepting(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().stop_accepting();
  return undefined(env);
}

napi_value drain(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().rt.tick();
  c.engine().drain(c.u32(0));
  c.wrap->bridge->rearm();
  return undefined(env);
}

napi_value retire_listener(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().rt.tick();
  c.engine().retire_listener(c.u32(0), c.u32(1));
  c.wrap->bridge->rearm();
  return undefined(env);
}

napi_value revive_listener(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().rt.tick();
  c.engine().revive_listener(c.u32(0));
  c.wrap->bridge->rearm();
  return undefined(env);
}

napi_value set_reusable(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().pool.set_reusable(c.u32(0), boolean(env, c.args[1]));
  return undefined(env);
}

napi_value cut_exchanges(napi_env env, napi_callback_info info) {
  Call c(env, info);
  // A decision must not end what it is made about.
  if (c.engine().in_turn()) return make(env, 0.0);
  const unsigned count = c.engine().enter([&] { return c.engine().forwarder.cut(c.u32(0)); });
  c.wrap->settle();
  return make(env, double(count));
}

napi_value close(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().stop_accepting();
  c.engine().close_all();
  c.wrap->settle();
  c.wrap->bridge->stop();
  return undefined(env);
}

}  // namespace

void add_operating_calls(Methods& to) {
  to.insert(to.end(), {
                          method("listen", listen),
                          method("unlisten", unlisten),
                          method("stopAccepting", stop_accepting),
                          method("drain", drain),
                          method("retireListener", retire_listener),
                          method("reviveListener", revive_listener),
                          method("setReusable", set_reusable),
                          method("cutExchanges", cut_exchanges),
                          method("close", close),
                      });
}

}  // namespace weir::binding
