// Strict, incremental HTTP/1.x head parser (RFC 9112, RFC 9110 5). Pure: bytes in, MessageHead out.
// Owns     nothing. Reads the caller's buffer, writes the caller's MessageHead.
// Caller   keeps all bytes of the head contiguous from `base` on, and calls `feed` again with the longer length when more arrived.
//          Bytes already looked at are not scanned again: a head that trickles in costs linear time.
#pragma once
#include <cstdint>

#include "http/field_facts.h"
#include "http/message_head.h"
#include "http/parse_error.h"

namespace weir {

enum class ParseResult : uint8_t { incomplete, complete, failed };

struct HeadLimits {
  uint32_t bytes = 16384;  // whole head, <= kMaxHeadBytes
  uint32_t headers = 100;  // <= kMaxHeaders
};

class HeadParser {
 public:
  enum class Kind : uint8_t { request, response };

  // Makes it ready for the first byte of the next head. Cheap: touches no header slot.
  void reset(Kind kind);

  // Responses only: the request's method decides whether a body follows (HEAD; CONNECT with 2xx).
  void set_request_method(Method m) { request_method_ = m; }

  // Parses `length` bytes at `base` (always the same start, a growing length; `base` itself may move between calls).
  // complete: `head` is whole, `consumed()` bytes belong to it. failed: `error()` says why, nothing more may be fed.
  // Empty lines before a request line (at most 2) are skipped, as RFC 9112 2.2 asks for.
  [[nodiscard]] ParseResult feed(const char* base, uint32_t length, const HeadLimits& limits, MessageHead& head);

  [[nodiscard]] uint32_t consumed() const { return line_at_; }
  [[nodiscard]] ParseError error() const { return error_; }
  [[nodiscard]] bool started() const { return started_; }  // saw at least one byte of a start line

 private:
  ParseResult fail(ParseError e) { error_ = e; return ParseResult::failed; }
  ParseError check_first_byte(char c);
  ParseError control_error(const char* at, const char* end, const char* base) const;
  ParseError take_line(MessageHead& head, const char* end, const HeadLimits& limits);
  ParseError parse_request_line(MessageHead& head, const char* end);
  ParseError parse_status_line(MessageHead& head, const char* end);
  ParseError parse_field(MessageHead& head, const char* end);
  ParseError finish(MessageHead& head) const;
  ParseError finish_request(MessageHead& head) const;
  ParseError finish_response(MessageHead& head) const;

  Kind kind_ = Kind::request;
  ParseError error_ = ParseError::none;
  Method request_method_ = Method::get;
  bool started_ = false;
  bool start_line_done_ = false;
  uint8_t empty_lines_ = 0;
  FieldFacts facts_;
  uint32_t line_at_ = 0;  // where the current line starts
  uint32_t scan_at_ = 0;  // up to here the current line was looked at
};

}  // namespace weir
