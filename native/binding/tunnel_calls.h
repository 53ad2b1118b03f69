// What JavaScript asks of tunnels. Contract: `Engine` in src/native/contract.ts.
#pragma once
#include "binding/wrap.h"

namespace weir::binding {

void add_tunnel_calls(Methods& to);

}  // namespace weir::binding
