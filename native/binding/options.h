// Configuration objects of JavaScript as the engine's own structures. Checked by TypeScript before; read once per change.
#pragma once
#include <node_api.h>

#include <memory>

#include "http/listener_settings.h"
#include "http/plan.h"
#include "tcp/tunnel.h"
#include "upstream/server.h"

namespace weir::binding {

void read_listener(napi_env env, napi_value from, ListenerSettings& to);
[[nodiscard]] bool read_server(napi_env env, napi_value from, Server& to);
[[nodiscard]] std::unique_ptr<Plan> read_plan(napi_env env, napi_value from);
[[nodiscard]] TunnelPlan read_tunnel_plan(napi_env env, napi_value from);

}  // namespace weir::binding
