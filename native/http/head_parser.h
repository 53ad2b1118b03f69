// Strict, incremental HTTP/1.x head parser (RFC 9112, RFC 9110 5). Pure: bytes in, MessageHead out.
// Owns     nothing. Reads the caller's buffer, writes the caller's MessageHead.
// Caller   keeps all bytes of the head contiguous from `base` on, and calls `feed` again with the longer length when more arrived.
//          Bytes already looked at are not scanned again: a head that trickles in costs linear time.
#pragma once
#include <cstdint>

#include "http/message_head.h"

namespace weir {

enum class ParseResult : uint8_t { incomplete, complete, failed };

// Why a head was refused; `status_of` gives the status for the client. For a response every one of them is a 502.
enum class ParseError : uint8_t {
  none, bad_request_line, bad_method, bad_target, bad_version, unsupported_version, bad_status_line, bad_header_name,
  bad_header_value, bare_cr, bare_lf, nul_byte, obs_fold, space_before_colon, no_host, several_hosts, bad_host,
  bad_content_length, differing_content_lengths, length_with_chunked, unknown_transfer_coding, chunked_not_last, transfer_encoding_in_http10,
  target_too_long, head_too_large, too_many_headers, count
};
[[nodiscard]] int status_of(ParseError e);        // 400, 414, 431 or 505
[[nodiscard]] const char* text_of(ParseError e);  // a short sentence for logs and bodies

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

  Kind kind_ = Kind::request;
  ParseError error_ = ParseError::none;
  Method request_method_ = Method::get;
  bool started_ = false;
  bool start_line_done_ = false;
  uint8_t empty_lines_ = 0;
  uint32_t line_at_ = 0;  // where the current line starts
  uint32_t scan_at_ = 0;  // up to here the current line was looked at
};

}  // namespace weir
