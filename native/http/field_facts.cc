#include "http/field_facts.h"

#include "http/request_target.h"
#include "http/text.h"

namespace weir {
namespace {

constexpr uint64_t kMaxContentLength = (uint64_t{1} << 63) - 1;

ParseError note_content_length(MessageHead& head, std::string_view value) {
  uint64_t length = 0;
  if (!parse_content_length(value, length)) return ParseError::bad_content_length;
  // RFC 9110 8.6 lets a recipient repair identical repetitions; a sender that repeats itself is not one to guess about.
  if (head.has_content_length) {
    return length == head.content_length ? ParseError::bad_content_length : ParseError::differing_content_lengths;
  }
  head.has_content_length = true;
  head.content_length = length;
  return ParseError::none;
}

void note_expect(MessageHead& head, std::string_view value) {
  each_token(value, [&](std::string_view expectation) {
    if (equals_ignoring_case(expectation, "100-continue")) head.expect_continue = true;
    else head.expect_unknown = true;
  });
}

void note_te(MessageHead& head, std::string_view value) {
  each_token(value, [&](std::string_view coding) {
    if (equals_ignoring_case(coding, "trailers")) head.te_trailers = true;
  });
}

}  // namespace

bool parse_content_length(std::string_view text, uint64_t& length) {
  if (text.empty()) return false;
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    if (value > (kMaxContentLength - digit) / 10) return false;
    value = value * 10 + digit;
  }
  length = value;
  return true;
}

ParseError FieldFacts::note(MessageHead& head, const HeaderRef& field, bool is_request) {
  switch (field.id) {
    case HeaderId::host: return is_request ? note_host(head, field) : ParseError::none;
    case HeaderId::content_length: return note_content_length(head, head.value(field));
    case HeaderId::transfer_encoding: return note_transfer_encoding(head.value(field));
    case HeaderId::connection: note_connection(head, head.value(field)); break;
    case HeaderId::upgrade: note_upgrade(head.value(field)); break;
    case HeaderId::expect: note_expect(head, head.value(field)); break;
    case HeaderId::te: note_te(head, head.value(field)); break;
    default: break;
  }
  return ParseError::none;
}

ParseError FieldFacts::note_host(MessageHead& head, const HeaderRef& field) {
  if (host_) return ParseError::several_hosts;
  host_ = true;
  // An empty value is legal (RFC 9110 7.2): the target has no authority.
  if (field.value_len > 0 && !is_authority(head.value(field), PortRule::optional)) return ParseError::bad_host;
  if (!head.absolute_form && head.method != Method::connect) head.authority = {field.value_at, field.value_len};
  return ParseError::none;
}

// Only "chunked", once: every list, parameter or second line is a chance for two parsers to disagree.
ParseError FieldFacts::note_transfer_encoding(std::string_view value) {
  if (transfer_encoding_) return ParseError::chunked_not_last;
  transfer_encoding_ = true;
  if (equals_ignoring_case(value, "chunked")) return ParseError::none;
  bool has_chunked = false;
  each_token(value, [&](std::string_view coding) { has_chunked = has_chunked || equals_ignoring_case(coding, "chunked"); });
  return has_chunked ? ParseError::chunked_not_last : ParseError::unknown_transfer_coding;
}

void FieldFacts::note_connection(MessageHead& head, std::string_view value) {
  each_token(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "keep-alive")) keep_alive_ = true;
    else if (equals_ignoring_case(option, "close")) close_ = true;
    else if (equals_ignoring_case(option, "upgrade")) connection_upgrade_ = true;
    else if (!equals_ignoring_case(option, "te")) head.connection_names_headers = true;
  });
}

void FieldFacts::note_upgrade(std::string_view value) {
  each_token(value, [&](std::string_view protocol) {
    if (equals_ignoring_case(protocol.substr(0, protocol.find('/')), "h2c")) offers_h2c_ = true;
    else offers_other_ = true;
  });
}

void FieldFacts::settle(MessageHead& head) const {
  const bool is_http10 = head.minor_version == 0;
  head.keep_alive = !close_ && (!is_http10 || keep_alive_);
  // RFC 9110 7.8 and 10.1.1: neither Upgrade nor 100-continue means anything in HTTP/1.0.
  head.has_upgrade = connection_upgrade_ && (offers_h2c_ || offers_other_) && !is_http10;
  head.upgrade_is_h2c = head.has_upgrade && !offers_other_;
  if (is_http10) head.expect_continue = false;
}

}  // namespace weir
