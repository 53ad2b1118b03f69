// Who the client is and what it asked for, as servers are told: X-Forwarded-*, Forwarded (RFC 7239), X-Real-IP, X-Request-Id.
// What an untrusted peer says of these is dropped before; see ListenerSettings::trusted.
#pragma once
#include "http/head_writer.h"

namespace weir {

// Writes those that the listener sends and no edit replaces.
void write_identity(ByteSink& out, const HeadSources& from);

}  // namespace weir
