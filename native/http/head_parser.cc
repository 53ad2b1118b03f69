#include "http/head_parser.h"

#include <algorithm>
#include <cstring>

#include "http/header_names.h"
#include "http/request_target.h"
#include "http/scan.h"

namespace weir {
namespace {

constexpr size_t kMaxMethodBytes = 32;
constexpr size_t kMaxNameBytes = 255;  // HeaderRef counts it in one byte
constexpr uint8_t kMaxEmptyLines = 2;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Everything but the header slots, which `header_count` makes invalid at once.
void clear(MessageHead& head) {
  static constexpr MessageHead empty{};
  std::memcpy(static_cast<void*>(&head), &empty, offsetof(MessageHead, headers));
}

// "HTTP/1.x" at `p`, eight bytes. Any 1.x above 1.0 is spoken to as 1.1 (RFC 9110 2.5).
ParseError parse_version(MessageHead& head, const char* p) {
  if (std::memcmp(p, "HTTP/1.1", 8) == 0) {
    head.minor_version = 1;
    return ParseError::none;
  }
  if (std::memcmp(p, "HTTP/", 5) != 0 || !is_digit(p[5]) || p[6] != '.' || !is_digit(p[7])) return ParseError::bad_version;
  if (p[5] != '1') return ParseError::unsupported_version;
  head.minor_version = p[7] == '0' ? 0 : 1;
  return ParseError::none;
}

}  // namespace

void HeadParser::reset(Kind kind) {
  *this = HeadParser();
  kind_ = kind;
}

ParseResult HeadParser::feed(const char* base, uint32_t length, const HeadLimits& limits, MessageHead& head) {
  if (line_at_ == 0 && !start_line_done_) clear(head);
  head.base = base;
  const uint32_t allowed = std::min<uint32_t>(limits.bytes, kMaxHeadBytes);
  const char* end = base + std::min(length, allowed);
  for (;;) {
    const char* line = base + line_at_;
    if (line == end) break;
    if (ParseError e = check_first_byte(*line); e != ParseError::none) return fail(e);
    const char* stop = scan::find_control(base + scan_at_, end);
    scan_at_ = static_cast<uint32_t>(stop - base);
    if (stop == end || (*stop == '\r' && end - stop < 2)) break;
    if (*stop != '\r' || stop[1] != '\n') return fail(control_error(stop, end, base));
    const bool is_last = start_line_done_ && stop == line;
    ParseError e = is_last ? finish(head) : take_line(head, stop, limits);
    if (e != ParseError::none) return fail(e);
    line_at_ = scan_at_ = static_cast<uint32_t>(stop + 2 - base);
    if (is_last) return ParseResult::complete;
  }
  if (length < allowed) return ParseResult::incomplete;
  return fail(kind_ == Kind::request && !start_line_done_ ? ParseError::target_too_long : ParseError::head_too_large);
}

// What can never become a message is refused at its first byte, so that a TLS hello on a plain port is not waited out.
ParseError HeadParser::check_first_byte(char c) {
  if (start_line_done_) return is_blank(c) ? ParseError::obs_fold : ParseError::none;
  if (kind_ == Kind::response) {
    started_ = true;
    return c == 'H' ? ParseError::none : ParseError::bad_status_line;
  }
  if (c == '\r') return ParseError::none;
  started_ = true;
  if (scan::is_token(c)) return ParseError::none;
  if (c == '\n') return ParseError::bare_lf;
  return c == 0 ? ParseError::nul_byte : ParseError::bad_method;
}

// `at` is a control byte that does not end the line properly.
ParseError HeadParser::control_error(const char* at, const char* end, const char* base) const {
  if (*at == '\r') return ParseError::bare_cr;
  if (*at == '\n') return ParseError::bare_lf;
  if (*at == 0) return ParseError::nul_byte;
  if (!start_line_done_) return kind_ == Kind::request ? ParseError::bad_request_line : ParseError::bad_status_line;
  const char* name_end = scan::skip_token(base + line_at_, end);
  return name_end < at && *name_end == ':' ? ParseError::bad_header_value : ParseError::bad_header_name;
}

// The line from line_at_ to `end`, where its CRLF stands.
ParseError HeadParser::take_line(MessageHead& head, const char* end, const HeadLimits& limits) {
  if (start_line_done_) {
    if (head.header_count >= std::min<size_t>(limits.headers, kMaxHeaders)) return ParseError::too_many_headers;
    return parse_field(head, end);
  }
  if (kind_ == Kind::response) return parse_status_line(head, end);
  if (end == head.base + line_at_) return ++empty_lines_ > kMaxEmptyLines ? ParseError::bad_request_line : ParseError::none;
  return parse_request_line(head, end);
}

// METHOD SP target SP HTTP/1.x with single spaces (RFC 9112 3). A further space would have to be in the target, which has none.
ParseError HeadParser::parse_request_line(MessageHead& head, const char* end) {
  const char* line = head.base + line_at_;
  const char* method_end = scan::skip_token(line, end);
  const size_t method_length = static_cast<size_t>(method_end - line);
  if (method_end == end) return ParseError::bad_request_line;
  if (*method_end != ' ' || method_length > kMaxMethodBytes) return ParseError::bad_method;
  const char* target = method_end + 1;
  if (end - target < 10) return ParseError::bad_request_line;
  const char* version = end - 8;
  if (ParseError e = parse_version(head, version); e != ParseError::none) return e;
  const char* target_end = version - 1;
  if (*target_end != ' ') return ParseError::bad_request_line;
  head.method = method_of({line, method_length});
  head.method_text = {static_cast<uint16_t>(line_at_), static_cast<uint16_t>(method_length)};
  head.target = {static_cast<uint16_t>(target - head.base), static_cast<uint16_t>(target_end - target)};
  start_line_done_ = true;
  return parse_target(head) ? ParseError::none : ParseError::bad_target;
}

// HTTP/1.x SP 3DIGIT [SP reason] (RFC 9112 4); a server that leaves out the space with the reason is understood.
ParseError HeadParser::parse_status_line(MessageHead& head, const char* end) {
  const char* line = head.base + line_at_;
  const size_t length = static_cast<size_t>(end - line);
  if (length < 12) return ParseError::bad_status_line;
  if (ParseError e = parse_version(head, line); e != ParseError::none) return e;
  if (line[8] != ' ' || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return ParseError::bad_status_line;
  head.status = static_cast<uint16_t>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  if (head.status < 100 || head.status > 599) return ParseError::bad_status_line;
  if (length > 12 && line[12] != ' ') return ParseError::bad_status_line;
  const size_t reason = std::min<size_t>(length, 13);
  head.reason = {static_cast<uint16_t>(line_at_ + reason), static_cast<uint16_t>(length - reason)};
  start_line_done_ = true;
  return ParseError::none;
}

// One field line. The CR at `end` may be read: it is neither a token byte nor a colon.
ParseError HeadParser::parse_field(MessageHead& head, const char* end) {
  const char* line = head.base + line_at_;
  const char* colon = scan::skip_token(line, end);
  if (*colon != ':') {
    while (is_blank(*colon)) ++colon;  // the CR at `end` stops it
    return *colon == ':' ? ParseError::space_before_colon : ParseError::bad_header_name;
  }
  const size_t name_length = static_cast<size_t>(colon - line);
  if (name_length == 0) return ParseError::bad_header_name;
  if (name_length > kMaxNameBytes) return ParseError::head_too_large;
  const char* value = colon + 1;
  while (value < end && is_blank(*value)) ++value;
  while (end > value && is_blank(end[-1])) --end;
  HeaderRef& field = head.headers[head.header_count++];
  field.name_at = static_cast<uint16_t>(line_at_);
  field.name_len = static_cast<uint8_t>(name_length);
  field.value_at = static_cast<uint16_t>(value - head.base);
  field.value_len = static_cast<uint16_t>(end - value);
  field.id = header_id_of({line, name_length});
  if (field.id == HeaderId::other) return ParseError::none;
  return facts_.note(head, field, kind_ == Kind::request);
}

// Everything is there: which body follows, and may the connection stay open?
ParseError HeadParser::finish(MessageHead& head) const {
  facts_.settle(head);
  if (facts_.has_transfer_encoding()) {
    if (head.has_content_length) return ParseError::length_with_chunked;
    if (head.minor_version == 0) return ParseError::transfer_encoding_in_http10;
    head.body = BodyKind::chunked;
  } else if (head.has_content_length) {
    head.body = BodyKind::length;
  }
  return kind_ == Kind::request ? finish_request(head) : finish_response(head);
}

ParseError HeadParser::finish_request(MessageHead& head) const {
  return facts_.has_host() || head.minor_version == 0 ? ParseError::none : ParseError::no_host;
}

// RFC 9112 6.3.
ParseError HeadParser::finish_response(MessageHead& head) const {
  const bool never_has_body = head.status < 200 || head.status == 204;
  if (never_has_body) {
    if (facts_.has_transfer_encoding()) return ParseError::unknown_transfer_coding;
    if (head.content_length > 0) return ParseError::bad_content_length;
  }
  const bool connected = request_method_ == Method::connect && head.status < 300;
  if (never_has_body || head.status == 304 || request_method_ == Method::head || connected) {
    head.body = BodyKind::none;
  } else if (head.body == BodyKind::none) {
    head.body = BodyKind::until_close;
    head.keep_alive = false;  // whatever it said: its end is the end of the body
  }
  return ParseError::none;
}

}  // namespace weir
