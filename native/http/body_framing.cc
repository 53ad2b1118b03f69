#include "http/body_framing.h"

#include <algorithm>

#include "http/header_names.h"
#include "http/scan.h"
#include "http/text.h"

namespace weir {
namespace {

constexpr uint64_t kMaxChunkSize = uint64_t{1} << 62;
constexpr uint8_t kMaxChunkSizeDigits = 16;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_text(char c) {
  const uint8_t u = static_cast<uint8_t>(c);
  return u >= 0x20 ? u != 0x7f : c == '\t';
}

// 0-15, or 16 for a byte that is no hex digit.
uint8_t hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  const char letter = lower(c);
  return letter >= 'a' && letter <= 'f' ? static_cast<uint8_t>(letter - 'a' + 10) : 16;
}

// Fields that frame, route, authenticate or change how the content is read must not arrive after it (RFC 9110 6.5.1).
bool is_refused_trailer(std::string_view name) {
  switch (header_id_of(name)) {
    case HeaderId::other: break;
    case HeaderId::server:
    case HeaderId::via:
    case HeaderId::date:
    case HeaderId::x_request_id: return false;
    default: return true;
  }
  static constexpr std::string_view refused[] = {
      "age", "authorization", "cache-control", "content-encoding", "content-range", "expires", "if-match", "if-modified-since",
      "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "pragma", "range", "retry-after", "set-cookie", "vary",
      "www-authenticate"};
  return std::any_of(std::begin(refused), std::end(refused), [&](std::string_view r) { return equals_ignoring_case(name, r); });
}

}  // namespace

const char* text_of(FramingError e) {
  switch (e) {
    case FramingError::none: return "no error";
    case FramingError::bad_chunk_size: return "a chunk size is malformed";
    case FramingError::chunk_size_too_large: return "a chunk size is too large";
    case FramingError::bad_chunk_extension: return "a chunk extension is malformed or too long";
    case FramingError::bad_chunk_end: return "a chunk does not end where its size says";
    case FramingError::bad_trailer: return "a trailer field is malformed";
    case FramingError::trailers_too_large: return "the trailer fields are too large";
  }
  return "unknown error";
}

void BodyFraming::start(BodyKind kind, uint64_t content_length) {
  kind_ = kind;
  error_ = FramingError::none;
  remaining_ = kind == BodyKind::length ? content_length : 0;
  size_ = 0;
  size_digits_ = 0;
  trailer_bytes_ = trailer_line_at_ = trailer_section_bytes_ = 0;
  switch (kind) {
    case BodyKind::none: state_ = State::done; break;
    case BodyKind::length: state_ = content_length == 0 ? State::done : State::length; break;
    case BodyKind::chunked: state_ = State::size_first; break;
    case BodyKind::until_close: state_ = State::until_close; break;
  }
}

size_t BodyFraming::step(std::string_view in, std::string_view& piece) {
  piece = {};
  switch (state_) {
    case State::done:
    case State::failed: return 0;
    case State::until_close: piece = in; return in.size();
    default: break;
  }
  const size_t framing = state_ == State::length ? 0 : step_framing(in);
  if (state_ != State::length && state_ != State::data) return framing;
  in.remove_prefix(framing);
  piece = in.substr(0, static_cast<size_t>(std::min<uint64_t>(in.size(), remaining_)));
  skip(piece.size());
  return framing + piece.size();
}

void BodyFraming::skip(uint64_t n) {
  if (state_ != State::length && state_ != State::data) return;
  remaining_ -= std::min(n, remaining_);
  if (remaining_ == 0) state_ = state_ == State::length ? State::done : State::data_cr;
}

bool BodyFraming::finish_at_close() {
  if (state_ == State::until_close) state_ = State::done;
  return done();
}

// Bytes of framing up to the next body byte, the end of the body or the end of `in`. 0 when it failed.
size_t BodyFraming::step_framing(std::string_view in) {
  size_t used = 0;
  while (used < in.size() && state_ != State::data && state_ != State::done) {
    const char c = in[used++];
    switch (state_) {
      case State::size_first:
      case State::size: on_size(c); break;
      case State::extension:
      case State::extension_quoted:
      case State::extension_escape: on_extension(c); break;
      case State::size_lf: on_size_end(c); break;
      case State::data_cr: expect(c, '\r', State::data_lf, FramingError::bad_chunk_end); break;
      case State::data_lf: expect(c, '\n', State::size_first, FramingError::bad_chunk_end); break;
      case State::trailer_start:
      case State::trailer_name:
      case State::trailer_blank:
      case State::trailer_value: on_trailer(c); break;
      case State::trailer_lf: expect(c, '\n', State::trailer_start, FramingError::bad_trailer); break;
      case State::end_lf: expect(c, '\n', State::done, FramingError::bad_trailer); break;
      default: return 0;
    }
    if (state_ == State::failed) return 0;
  }
  return used;
}

void BodyFraming::expect(char c, char wanted, State next, FramingError otherwise) {
  if (c == wanted) state_ = next;
  else fail(otherwise);
}

// 1*HEXDIG and nothing else: no sign, no prefix, no whitespace on either side.
void BodyFraming::on_size(char c) {
  const uint8_t digit = hex_value(c);
  if (digit < 16) {
    if (state_ == State::size_first) size_ = size_digits_ = 0;
    if (size_digits_++ == kMaxChunkSizeDigits || size_ > (kMaxChunkSize - digit) >> 4) return fail(FramingError::chunk_size_too_large);
    size_ = size_ << 4 | digit;
    state_ = State::size;
    return;
  }
  if (state_ == State::size_first) return fail(FramingError::bad_chunk_size);
  if (c == '\r') {
    state_ = State::size_lf;
  } else if (c == ';') {
    state_ = State::extension;
    extension_after_ = Extension::semicolon;
    extension_bytes_ = 0;
  } else {
    fail(FramingError::bad_chunk_size);
  }
}

void BodyFraming::on_size_end(char c) {
  if (c != '\n') return fail(FramingError::bad_chunk_size);
  remaining_ = size_;
  state_ = size_ == 0 ? State::trailer_start : State::data;
}

// *( ";" name [ "=" ( token / quoted-string ) ] ), whitespace around ";" and "=" tolerated (RFC 9112 7.1.1).
void BodyFraming::on_extension(char c) {
  if (++extension_bytes_ > kMaxChunkExtensionBytes || (!is_text(c) && c != '\r')) return fail(FramingError::bad_chunk_extension);
  if (state_ == State::extension_escape) {
    if (c == '\r') return fail(FramingError::bad_chunk_extension);
    state_ = State::extension_quoted;
  } else if (state_ == State::extension_quoted) {
    if (c == '\r') return fail(FramingError::bad_chunk_extension);
    if (c == '\\') state_ = State::extension_escape;
    if (c == '"') state_ = State::extension;
  } else {
    on_extension_part(c);
  }
}

void BodyFraming::on_extension_part(char c) {
  const Extension after = extension_after_;
  const bool after_word = after == Extension::name || after == Extension::value || after == Extension::quoted;
  const bool after_blank = after == Extension::name_blank || after == Extension::value_blank;
  const bool after_name = after == Extension::name || after == Extension::name_blank;
  if (is_blank(c)) {
    if (after_word) extension_after_ = after_name ? Extension::name_blank : Extension::value_blank;
  } else if (c == '\r' && after_word) {
    state_ = State::size_lf;
  } else if (c == ';' && (after_word || after_blank)) {
    extension_after_ = Extension::semicolon;
  } else if (c == '=' && after_name) {
    extension_after_ = Extension::equals;
  } else if (c == '"' && after == Extension::equals) {
    extension_after_ = Extension::quoted;
    state_ = State::extension_quoted;
  } else if (scan::is_token(c) && (after == Extension::semicolon || after == Extension::name)) {
    extension_after_ = Extension::name;
  } else if (scan::is_token(c) && (after == Extension::equals || after == Extension::value)) {
    extension_after_ = Extension::value;
  } else {
    fail(FramingError::bad_chunk_extension);
  }
}

void BodyFraming::on_trailer(char c) {
  if (++trailer_section_bytes_ > kMaxTrailerSectionBytes) return fail(FramingError::trailers_too_large);
  if (state_ == State::trailer_start) {
    if (c == '\r') {
      state_ = State::end_lf;
      return;
    }
    trailer_line_at_ = trailer_bytes_;
  }
  if (state_ == State::trailer_start || state_ == State::trailer_name) return on_trailer_name(c);
  if (c == '\r') return end_trailer_line();
  if (!is_text(c)) return fail(FramingError::bad_trailer);
  if (state_ == State::trailer_blank && is_blank(c)) return;
  state_ = State::trailer_value;
  keep(c);
}

void BodyFraming::on_trailer_name(char c) {
  if (scan::is_token(c)) {
    state_ = State::trailer_name;
    keep(c);
  } else if (c == ':' && state_ == State::trailer_name) {
    const std::string_view name(trailers_ + trailer_line_at_, trailer_bytes_ - trailer_line_at_);
    trailer_is_dropped_ = is_refused_trailer(name);
    state_ = State::trailer_blank;
    keep(':');
    if (state_ != State::failed) keep(' ');
  } else {
    fail(FramingError::bad_trailer);
  }
}

void BodyFraming::end_trailer_line() {
  state_ = State::trailer_lf;
  if (trailer_is_dropped_) {
    trailer_bytes_ = trailer_line_at_;
    return;
  }
  while (is_blank(trailers_[trailer_bytes_ - 1])) --trailer_bytes_;  // stops at the colon at the latest
  if (trailers_[trailer_bytes_ - 1] == ':') keep(' ');
  keep('\r');
  if (state_ != State::failed) keep('\n');
}

void BodyFraming::keep(char c) {
  if (trailer_bytes_ == kMaxTrailerBytes) return fail(FramingError::trailers_too_large);
  trailers_[trailer_bytes_++] = c;
}

}  // namespace weir
