// Tells a supervisor how we are (sd_notify(3)): one datagram to the socket that $NOTIFY_SOCKET names.
#pragma once
#include <string>

namespace weir {

// `path` is absolute, or begins with '@' in the abstract namespace. False when it could not be sent; never waits.
[[nodiscard]] bool notify(const std::string& path, const std::string& text);

}  // namespace weir
