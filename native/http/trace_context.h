// The place of an exchange in a distributed trace (W3C Trace Context): the trace of the client is continued, or one begun.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace weir {

struct TraceContext {
  static constexpr unsigned kBytes = 55;  // 00-<32 digits>-<16 digits>-<2 digits>
  char text[kBytes];                      // the traceparent that the server gets

  [[nodiscard]] std::string_view view() const { return {text, kBytes}; }
};

// Continues the trace that the client's traceparent names, or begins one for this share of the others; false for none. A traceparent
// that is not valid is none (3.2.2.3 there).
[[nodiscard]] bool begin_trace(std::string_view from_client, double share, Random& random, TraceContext& out);

}  // namespace weir
