#include "lib/messages.h"

#include <memory>

#include "http/body_framing.h"
#include "http/text.h"

namespace weir {

namespace {

constexpr HeadLimits kGenerous{uint32_t(kMaxHeadBytes), uint32_t(kMaxHeaders)};

// One head at `at`; moves `at` behind it. Nothing when the bytes end before it does, or it is malformed.
bool read_one_head(std::string_view bytes, size_t& at, HeadParser& parser, MessageHead& head, Messages& out) {
  const size_t shown = std::min(bytes.size() - at, kMaxHeadBytes);
  const ParseResult r = parser.feed(bytes.data() + at, uint32_t(shown), kGenerous, head);
  if (r == ParseResult::failed) {
    out.malformed = true;
    out.why = text_of(parser.error());
  }
  if (r != ParseResult::complete) return false;
  Message m;
  const std::string_view text = bytes.substr(at, parser.consumed());
  m.line = std::string(text.substr(0, text.find('\r')));
  for (unsigned i = 0; i < head.header_count; ++i)
    m.fields.emplace_back(lower_case(head.name(head.headers[i])), std::string(head.value(head.headers[i])));
  m.method = head.method;
  m.status = head.status;
  m.head_at = at;
  at += parser.consumed();
  out.all.push_back(std::move(m));
  return true;
}

void read_one_body(std::string_view bytes, size_t& at, const MessageHead& head, bool ended, Messages& out) {
  BodyFraming framing;
  framing.start(head.body, head.content_length);
  std::string_view piece;
  Message& m = out.all.back();
  while (const size_t n = framing.step(bytes.substr(at), piece)) at += n, m.body += piece;
  if (framing.failed()) {
    out.malformed = true;
    out.why = text_of(framing.error());
  }
  m.complete = framing.done() || (ended && framing.finish_at_close());
}

}  // namespace

std::string Message::field(std::string_view name) const {
  for (const auto& [n, value] : fields)
    if (n == name) return value;
  return {};
}

size_t Message::count(std::string_view name) const {
  size_t found = 0;
  for (const auto& [n, value] : fields) found += n == name;
  return found;
}

Messages read_requests(std::string_view bytes, size_t most) {
  Messages out;
  const auto head = std::make_unique<MessageHead>();
  for (size_t at = 0; at < bytes.size() && out.all.size() < most;) {
    HeadParser parser;
    parser.reset(HeadParser::Kind::request);
    if (!read_one_head(bytes, at, parser, *head, out)) break;
    read_one_body(bytes, at, *head, false, out);
    if (!out.all.back().complete) break;
    out.used = at;
  }
  return out;
}

Messages read_responses(std::string_view bytes, const std::vector<Method>& methods, bool ended_in_order) {
  Messages out;
  const auto head = std::make_unique<MessageHead>();
  for (size_t at = 0; at < bytes.size();) {
    HeadParser parser;
    parser.reset(HeadParser::Kind::response);
    parser.set_request_method(out.all.size() < methods.size() ? methods[out.all.size()] : Method::get);
    if (!read_one_head(bytes, at, parser, *head, out)) break;
    if (head->status == 101) {
      out.all.back().complete = true;
      break;
    }
    if (head->status < 200) {
      out.all.pop_back();
      continue;
    }
    read_one_body(bytes, at, *head, ended_in_order, out);
    if (!out.all.back().complete) break;
    out.used = at;
  }
  return out;
}

}  // namespace weir
