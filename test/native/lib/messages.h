// Takes a stream of HTTP/1.1 messages apart, strictly: what the engine sent must leave no room for two readings.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "http/head_parser.h"

namespace weir {

struct Message {
  std::string line;  // the start line
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  Method method = Method::other;
  int status = 0;
  bool complete = false;  // the whole body, and an orderly end where that is what ends it
  size_t head_at = 0;     // where it starts in the stream

  // First value of a field, "" where there is none. `name` in lower case.
  [[nodiscard]] std::string field(std::string_view name) const;
  [[nodiscard]] size_t count(std::string_view name) const;
};

struct Messages {
  std::vector<Message> all;  // heads that are whole; the last one's body may be cut
  bool malformed = false;
  std::string why;
  size_t used = 0;           // bytes of complete messages
};

// At most `most` of them: what follows an upgrade may be a tunnel's bytes.
[[nodiscard]] Messages read_requests(std::string_view bytes, size_t most = SIZE_MAX);
// `methods` of the requests that they answer, in order. Interim responses are skipped, but for 101, which ends the reading.
[[nodiscard]] Messages read_responses(std::string_view bytes, const std::vector<Method>& methods, bool ended_in_order);

}  // namespace weir
