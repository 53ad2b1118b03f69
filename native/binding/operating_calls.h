// What operating needs of a running engine: listeners that come and go, servers that drain, and its end. Contract: `Engine` in
// src/native/contract.ts.
#pragma once
#include "binding/wrap.h"

namespace weir::binding {

void add_operating_calls(Methods& to);

}  // namespace weir::binding
