// Where a body ends: length, chunked, or the end of the connection (RFC 9112 6 and 7). Pure: bytes in, pieces out.
// Owns     nothing. The pieces it hands out borrow the caller's bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message_head.h"

namespace weir {

enum class FramingError : uint8_t {
  none, bad_chunk_size, chunk_size_too_large, bad_chunk_extension, bad_chunk_end, bad_trailer, trailers_too_large
};
[[nodiscard]] const char* text_of(FramingError e);

class BodyFraming {
 public:
  void start(BodyKind kind, uint64_t content_length);

  // One step over the bytes `in`. Returns how many bytes were used (0 with an empty piece: needs more bytes, is done, or failed).
  // `piece` gets the body bytes among them (may be empty: the bytes were framing). Call again with the rest until it returns 0.
  // A chunk's size line, its end and the trailers are validated byte by byte with state kept inside, so any split of the input works.
  // Trailer fields: validated like header fields; those that frame or route (Content-Length, Transfer-Encoding, Host, Trailer,
  // Connection, ...) are dropped; the others are collected as "name: value\r\n" lines, up to kMaxTrailerBytes.
  [[nodiscard]] size_t step(std::string_view in, std::string_view& piece);

  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] bool failed() const { return state_ == State::failed; }
  [[nodiscard]] FramingError error() const { return error_; }
  [[nodiscard]] BodyKind kind() const { return kind_; }

  // Bytes of body certain to follow before the next framing byte: rest of the length, or of the current chunk. 0 if unknown.
  [[nodiscard]] uint64_t remaining() const { return remaining_; }
  // Takes `n` (<= remaining()) body bytes as passed without seeing them: they were spliced in the kernel.
  void skip(uint64_t n);

  // The connection ended. True when that is a proper end of this body (until_close, or done already).
  [[nodiscard]] bool finish_at_close();

  [[nodiscard]] std::string_view trailers() const { return {trailers_, trailer_bytes_}; }  // valid once done

  static constexpr size_t kMaxTrailerBytes = 1024;       // kept; more than this fails
  static constexpr size_t kMaxChunkExtensionBytes = 256;  // per chunk; skipped, never passed on
  static constexpr size_t kMaxTrailerSectionBytes = 4096;  // read, with what is dropped

 private:
  enum class State : uint8_t {
    length, until_close, size_first, size, extension, extension_quoted, extension_escape, size_lf, data, data_cr, data_lf,
    trailer_start, trailer_name, trailer_blank, trailer_value, trailer_lf, end_lf, done, failed
  };
  // What the next byte of a chunk extension comes after.
  enum class Extension : uint8_t { semicolon, name, name_blank, equals, value, quoted, value_blank };

  void fail(FramingError e) { state_ = State::failed; error_ = e; }
  size_t step_framing(std::string_view in);
  void expect(char c, char wanted, State next, FramingError otherwise);
  void on_size(char c);
  void on_size_end(char c);
  void on_extension(char c);
  void on_extension_part(char c);
  void on_trailer(char c);
  void on_trailer_name(char c);
  void end_trailer_line();
  void keep(char c);

  State state_ = State::done;
  BodyKind kind_ = BodyKind::none;
  FramingError error_ = FramingError::none;
  Extension extension_after_ = Extension::semicolon;
  uint8_t size_digits_ = 0;
  bool trailer_is_dropped_ = false;
  uint16_t extension_bytes_ = 0;
  uint16_t trailer_bytes_ = 0;
  uint16_t trailer_line_at_ = 0;
  uint16_t trailer_section_bytes_ = 0;
  uint64_t size_ = 0;       // of the chunk whose size line is being read
  uint64_t remaining_ = 0;
  char trailers_[kMaxTrailerBytes];
};

}  // namespace weir
