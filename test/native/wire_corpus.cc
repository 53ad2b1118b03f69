// The wire documents played against the parser and the body framing alone, at once and byte by byte.
#include <string>

#include "check.h"
#include "http/body_framing.h"
#include "http/header_names.h"
#include "read_head.h"
#include "wire_document.h"

using namespace weir;

namespace {

enum class BodyEnd { whole, needs_more, malformed };

// Reads the body at `at` and moves it behind; `step` bytes at most are shown at a time.
BodyEnd read_body(const MessageHead& head, const std::string& bytes, size_t& at, std::string& body, size_t step, bool ends_with_close) {
  BodyFraming framing;
  framing.start(head.body, head.content_length);
  std::string_view piece;
  for (size_t shown = at; !framing.done() && !framing.failed();) {
    while (size_t n = framing.step(std::string_view(bytes).substr(at, shown - at), piece)) at += n, body += piece;
    if (shown == bytes.size()) break;
    shown = std::min(bytes.size(), shown + step);
  }
  if (framing.failed()) return BodyEnd::malformed;
  return framing.done() || (ends_with_close && framing.finish_at_close()) ? BodyEnd::whole : BodyEnd::needs_more;
}

struct Played {
  std::string outcome;  // in the words of the documents
  std::vector<std::string> lines;
};

ParseResult feed_stepwise(HeadParser& parser, const char* from, size_t size, size_t step, MessageHead& head) {
  ParseResult result = ParseResult::incomplete;
  for (size_t shown = 0; shown < size && result == ParseResult::incomplete;) {
    shown = std::min(size, shown + step);
    result = parser.feed(from, static_cast<uint32_t>(shown), {}, head);
  }
  return result;
}

Played play_requests(const std::string& bytes, size_t step) {
  Played played;
  MessageHead head;
  for (size_t at = 0; at < bytes.size();) {
    if (!played.outcome.empty()) played.outcome += " then ";
    HeadParser parser;
    parser.reset(HeadParser::Kind::request);
    const ParseResult result = feed_stepwise(parser, bytes.data() + at, bytes.size() - at, step, head);
    if (result == ParseResult::failed) return played.outcome += std::to_string(status_of(parser.error())) + " close", played;
    if (result == ParseResult::incomplete) return played.outcome += "waits", played;
    at += parser.consumed();
    std::string path(head.text(head.path)), ignored;
    if (path.empty()) path = "/";
    if (head.has_query) path += "?" + std::string(head.text(head.query));
    played.lines.push_back(std::string(head.text(head.method_text)) + " " + path + " HTTP/1.1");
    const BodyEnd end = read_body(head, bytes, at, ignored, step, false);
    if (end == BodyEnd::malformed) return played.outcome += "400 close", played;
    if (end == BodyEnd::needs_more) return played.outcome += "waits", played;
    played.outcome += head.keep_alive ? "200" : "200 close";
    if (!head.keep_alive) return played;
  }
  return played;
}

std::string play_response(const WireCase& wire, size_t step) {
  MessageHead head;
  for (size_t at = 0;;) {
    HeadParser parser;
    parser.reset(HeadParser::Kind::response);
    parser.set_request_method(method_of(wire.request_method));
    if (feed_stepwise(parser, wire.bytes.data() + at, wire.bytes.size() - at, step, head) != ParseResult::complete) return "502";
    at += parser.consumed();
    if (head.status < 200) continue;
    std::string body;
    if (read_body(head, wire.bytes, at, body, step, true) != BodyEnd::whole) return "broken";
    return std::to_string(head.status) + " body \"" + body + "\"";
  }
}

std::string in_parser_words(std::string expect) {
  for (size_t at; (at = expect.find("forwarded")) != std::string::npos;) expect.replace(at, 9, "200");
  return expect;
}

// A request that says to close is forwarded all the same: only a case that says "200 close" asks about it.
bool agrees(const std::string& outcome, const WireCase& wire) {
  const std::string wanted = in_parser_words(wire.expect);
  return outcome == wanted || (wire.expect == "forwarded" && outcome == "200 close");
}

}  // namespace

TEST("every request of the wire documents is taken or refused as they say") {
  const std::vector<WireCase> cases = load_wire_cases("requests");
  CHECK(cases.size() >= 150);
  for (const WireCase& wire : cases) {
    if (!wire.decided_by_parser) continue;
    for (size_t step : {wire.bytes.size(), size_t{1}, size_t{13}}) {
      const Played played = play_requests(wire.bytes, step);
      if (!agrees(played.outcome, wire)) CHECK_EQ(wire.where + " -> " + played.outcome, wire.expect);
      for (const std::string& line : wire.server_sees) CHECK(std::find(played.lines.begin(), played.lines.end(), line) != played.lines.end());
    }
  }
}

TEST("every response of the wire documents is taken or refused as they say") {
  const std::vector<WireCase> cases = load_wire_cases("responses");
  CHECK(cases.size() >= 30);
  for (const WireCase& wire : cases) {
    for (size_t step : {wire.bytes.size(), size_t{1}, size_t{13}}) {
      const std::string outcome = play_response(wire, step);
      if (outcome != wire.expect) CHECK_EQ(wire.where + " -> " + outcome, wire.expect);
    }
  }
}
