// Why a message head was refused, and what the client is told.
#pragma once
#include <cstdint>

namespace weir {

// `status_of` gives the status for the client. For a response every one of them is a 502.
enum class ParseError : uint8_t {
  none, bad_request_line, bad_method, bad_target, bad_version, unsupported_version, bad_status_line, bad_header_name,
  bad_header_value, bare_cr, bare_lf, nul_byte, obs_fold, space_before_colon, no_host, several_hosts, bad_host,
  bad_content_length, differing_content_lengths, length_with_chunked, unknown_transfer_coding, chunked_not_last,
  transfer_encoding_in_http10, target_too_long, head_too_large, too_many_headers, count
};
[[nodiscard]] int status_of(ParseError e);        // 400, 414, 431 or 505
[[nodiscard]] const char* text_of(ParseError e);  // a short sentence for logs and bodies

}  // namespace weir
