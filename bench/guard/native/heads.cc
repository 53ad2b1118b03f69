// What does it cost to parse one head?
#include <algorithm>
#include <memory>

#include "http/head_parser.h"
#include "operation.h"
#include "sample_heads.h"

namespace weir::guard {

namespace {

using Kind = HeadParser::Kind;

// The bytes come in so many pieces of equal size.
Operation parsing(const char* name, Kind kind, std::string bytes, unsigned pieces = 1) {
  const size_t size = bytes.size();
  return {name, size, [kind, pieces, bytes = std::move(bytes), head = std::make_shared<MessageHead>()](unsigned times) {
            HeadParser parser;
            const auto length = [&](unsigned piece) { return uint32_t(bytes.size() * piece / pieces); };
            ParseResult result = ParseResult::incomplete;
            counted([&] {
              for (unsigned i = 0; i < times; ++i) {
                parser.reset(kind);
                for (unsigned piece = 1; piece <= pieces; ++piece) result = parser.feed(bytes.data(), length(piece), {}, *head);
                keep(*head);
              }
            });
            require(result == ParseResult::complete, "a head was not parsed");
          }};
}

}  // namespace

std::vector<Operation> operations() {
  return {
      parsing("head-request-plain", Kind::request, std::string(kPlainRequest)),
      parsing("head-request-browser", Kind::request, std::string(kBrowserRequest)),
      parsing("head-request-cookies", Kind::request, request_with_cookies()),
      parsing("head-request-pieces", Kind::request, std::string(kBrowserRequest), 4),
      parsing("head-response-plain", Kind::response, std::string(kPlainResponse)),
      parsing("head-response-full", Kind::response, std::string(kFullResponse)),
  };
}

}  // namespace weir::guard
