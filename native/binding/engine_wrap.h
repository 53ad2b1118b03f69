// The JavaScript object `Engine`: owns the Engine, its ScriptDecider and the bridge to libuv. Contract: src/native/contract.ts.
#pragma once
#include <node_api.h>

namespace weir::binding {

// The class, as a constructor function.
napi_value engine_class(napi_env env);

}  // namespace weir::binding
