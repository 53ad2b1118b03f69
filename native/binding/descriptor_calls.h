// Descriptors between processes, and what sockets say of themselves. Contract: `Addon` in src/native/contract.ts.
#pragma once
#include <node_api.h>

namespace weir::binding {

// Puts the functions into the module.
void add_descriptor_calls(napi_env env, napi_value exports);

}  // namespace weir::binding
