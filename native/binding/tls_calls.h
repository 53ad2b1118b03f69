// TLS of listeners and servers, and keys of session tickets. What they are: TlsServerOptions of src/native/contract.ts.
#pragma once
#include "binding/wrap.h"

namespace weir::binding {

void add_tls_calls(Methods& to);

}  // namespace weir::binding
