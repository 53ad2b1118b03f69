// Reason phrases of the statuses that weir answers with itself (RFC 9110 15).
#pragma once
#include <string_view>

namespace weir {

// A general word for the class where the status has no phrase here.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace weir
