// Records of ended exchanges and tunnels for JavaScript. Contract: `RecordReader` in src/native/contract.ts. Any thread may have one:
// nothing here is shared.
#pragma once
#include <node_api.h>

namespace weir::binding {

// The class. Each object owns its mapping of the board, which goes with it.
[[nodiscard]] napi_value record_reader_class(napi_env env);

}  // namespace weir::binding
