#include "http/parse_error.h"

namespace weir {

int status_of(ParseError e) {
  switch (e) {
    case ParseError::target_too_long: return 414;
    case ParseError::head_too_large:
    case ParseError::too_many_headers: return 431;
    case ParseError::unsupported_version: return 505;
    default: return 400;
  }
}

const char* text_of(ParseError e) {
  switch (e) {
    case ParseError::none: return "no error";
    case ParseError::bad_request_line: return "the request line is malformed";
    case ParseError::bad_method: return "the method is not a token";
    case ParseError::bad_target: return "the request target is malformed";
    case ParseError::bad_version: return "the protocol version is malformed";
    case ParseError::unsupported_version: return "the protocol version is not supported";
    case ParseError::bad_status_line: return "the status line is malformed";
    case ParseError::bad_header_name: return "a field name is malformed";
    case ParseError::bad_header_value: return "a field value has a forbidden byte";
    case ParseError::bare_cr: return "a CR without LF";
    case ParseError::bare_lf: return "an LF without CR";
    case ParseError::nul_byte: return "a NUL byte";
    case ParseError::obs_fold: return "a folded field line";
    case ParseError::space_before_colon: return "whitespace between a field name and its colon";
    case ParseError::no_host: return "the Host field is missing";
    case ParseError::several_hosts: return "more than one Host field";
    case ParseError::bad_host: return "the Host field is malformed";
    case ParseError::bad_content_length: return "the Content-Length field is malformed, repeated or out of place";
    case ParseError::differing_content_lengths: return "differing Content-Length fields";
    case ParseError::length_with_chunked: return "Content-Length together with Transfer-Encoding";
    case ParseError::unknown_transfer_coding: return "an unknown or misplaced transfer coding";
    case ParseError::chunked_not_last: return "chunked among other transfer codings, or twice";
    case ParseError::transfer_encoding_in_http10: return "Transfer-Encoding in HTTP/1.0";
    case ParseError::target_too_long: return "the request line is too long";
    case ParseError::head_too_large: return "the message head is too large";
    case ParseError::too_many_headers: return "too many fields";
    case ParseError::count: break;
  }
  return "unknown error";
}

}  // namespace weir
