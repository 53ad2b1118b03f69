// Parses a whole head in one call, for tests.
#pragma once
#include <memory>
#include <string_view>

#include "http/head_parser.h"

namespace weir {

struct ReadHead {
  ParseResult result = ParseResult::incomplete;
  ParseError error = ParseError::none;
  uint32_t consumed = 0;
  MessageHead head;

  [[nodiscard]] std::string_view path() const { return head.text(head.path); }
  [[nodiscard]] std::string_view query() const { return head.text(head.query); }
  [[nodiscard]] std::string_view authority() const { return head.text(head.authority); }
};

// The bytes must outlive the result. They are parsed from an exact copy's address range only: nothing behind them is read.
inline std::unique_ptr<ReadHead> read_head(std::string_view bytes, HeadParser::Kind kind, HeadLimits limits = {}, Method method = Method::get) {
  auto read = std::make_unique<ReadHead>();
  HeadParser parser;
  parser.reset(kind);
  parser.set_request_method(method);
  read->result = parser.feed(bytes.data(), static_cast<uint32_t>(bytes.size()), limits, read->head);
  read->error = parser.error();
  read->consumed = parser.consumed();
  return read;
}

inline std::unique_ptr<ReadHead> read_request(std::string_view bytes, HeadLimits limits = {}) {
  return read_head(bytes, HeadParser::Kind::request, limits);
}

inline std::unique_ptr<ReadHead> read_response(std::string_view bytes, Method method = Method::get) {
  return read_head(bytes, HeadParser::Kind::response, {}, method);
}

}  // namespace weir
