// What the JavaScript object `Engine` holds, and what every call on it needs. Its calls are in engine_wrap.cc, tunnel_calls.cc and
// operating_calls.cc.
#pragma once
#include <node_api.h>

#include <memory>
#include <utility>
#include <vector>

#include "binding/napi_util.h"
#include "binding/script_decider.h"
#include "binding/uv_bridge.h"
#include "engine/engine.h"
#include "tls/openssl_worker.h"

namespace weir::binding {

// A verdict that came while the engine was in the middle of a turn. Plans may be replaced before it is obeyed, so it knows their id.
struct Late {
  uint32_t index, generation;
  bool of_tunnel;
  uint32_t plan_id;
  Verdict verdict;
  Answer answer;
  TunnelVerdict tunnel_verdict;
};

struct Wrap {
  // Outlive the engine, whose connections use them.
  std::unique_ptr<SessionCache> sessions;
  std::unique_ptr<TlsWorker> tls;
  std::unique_ptr<ScriptDecider> decider;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<UvBridge> bridge;
  std::vector<Late> late;

  bool is_settling = false;

  // Work of a turn is over. Closing the decider's scope runs JavaScript, which may bring verdicts on exchanges that waited; those
  // may lead to further decisions. A loop, not a recursion: a pipeline may be long.
  void after_turn() {
    const bool was_settling = std::exchange(is_settling, true);
    decider->end_turn();
    while (!late.empty()) {
      std::vector<Late> now;
      now.swap(late);
      for (Late& l : now) obey(l);
      engine->settle();
      decider->end_turn();
    }
    is_settling = was_settling;
  }
  // Ends work that JavaScript asked for. In the middle of a turn, the turn's own end does that.
  void settle() {
    if (engine->in_turn()) return;
    engine->settle();
    after_turn();
    bridge->rearm();
  }

 private:
  void obey(Late& l) {
    l.verdict.answer = &l.answer;
    l.verdict.plan = engine->plan(l.plan_id);
    l.tunnel_verdict.plan = engine->tunnel_plan(l.plan_id);
    (void)engine->enter([&] {
      return l.of_tunnel ? engine->tunnels.resume(l.index, l.generation, l.tunnel_verdict)
                         : engine->forwarder.resume(l.index, l.generation, l.verdict);
    });
  }
};

constexpr size_t kMaxArgs = 8;

// One call of JavaScript on the object.
struct Call {
  napi_env env;
  napi_value args[kMaxArgs];
  size_t count = kMaxArgs;
  Wrap* wrap = nullptr;

  Call(napi_env e, napi_callback_info info) : env(e) {
    napi_value self = nullptr;
    napi_get_cb_info(env, info, &count, args, &self, nullptr);
    void* data = nullptr;
    if (napi_unwrap(env, self, &data) == napi_ok) wrap = static_cast<Wrap*>(data);
  }
  [[nodiscard]] uint32_t u32(size_t i) const { return uint32_t(int64_t(number(env, args[i]))); }
  [[nodiscard]] Engine& engine() const { return *wrap->engine; }
  [[nodiscard]] Exchange* exchange() const {
    return wrap ? wrap->engine->forwarder.exchanges.find(u32(0), u32(1)) : nullptr;
  }
  [[nodiscard]] Tunnel* tunnel() const { return wrap ? wrap->engine->tunnels.tunnels.find(u32(0), u32(1)) : nullptr; }
  // An exchange whose request head may be read: TypeScript decides on it now, or it waits for a verdict.
  [[nodiscard]] Exchange* readable() const {
    Exchange* ex = exchange();
    return ex && ex->head_held ? ex : nullptr;
  }
};

using Methods = std::vector<napi_property_descriptor>;

inline napi_property_descriptor method(const char* name, napi_callback call) {
  return {name, nullptr, call, nullptr, nullptr, nullptr, napi_default_method, nullptr};
}

// A TLV of the PROXY header that a connection began with; undefined when it has none.
napi_value tlv_value(napi_env env, const ProxyInfo* proxy, uint32_t type);

}  // namespace weir::binding
