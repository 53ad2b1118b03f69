// Session tickets with keys that all workers share (RFC 5077 4, RFC 8446 4.6.1), and sessions by id for TLS 1.2 clients without them.
#pragma once
#include <string_view>

#include "tls/openssl_handles.h"
#include "tls/openssl_worker.h"

namespace weir {

// The worker must outlive the context. Sessions of another `context_name` are not resumed.
void resume_sessions(SSL_CTX* context, TlsWorker& worker, bool with_tickets, std::string_view context_name);

}  // namespace weir
