// What the head parser takes from a response, and which body it says will follow.
#include <string>

#include "check.h"
#include "read_head.h"

using namespace weir;
using namespace std::string_literals;

namespace {

ParseError error_of(const std::string& bytes, Method method = Method::get) {
  auto r = read_response(bytes, method);
  return r->result == ParseResult::failed ? r->error : ParseError::none;
}

BodyKind body_of(const std::string& bytes, Method method = Method::get) { return read_response(bytes, method)->head.body; }

}  // namespace

TEST("a status line is taken apart") {
  const std::string bytes = "HTTP/1.1 404 Not  Found\r\n\r\n";
  auto r = read_response(bytes);
  CHECK_EQ(r->result, ParseResult::complete);
  CHECK_EQ(r->head.status, 404);
  CHECK_EQ(r->head.text(r->head.reason), "Not  Found");
  CHECK_EQ(read_response("HTTP/1.1 200\r\n\r\n")->head.reason.len, 0);
  CHECK_EQ(read_response("HTTP/1.1 200 \r\n\r\n")->head.reason.len, 0);
}

TEST("a malformed status line is refused") {
  for (const char* bad : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 200OK", "HTTP/1.1  200 OK", "HTTP/1.1 099 x", "HTTP/1.1 600 x", "HTTP/1.1 2x0 x",
                          "HTTP/1.1", "ICY 200 OK", "http/1.1 200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", ""})
    CHECK(error_of(bad + "\r\n\r\n"s) != ParseError::none);
  CHECK_EQ(error_of("HTTP/2.0 200 OK\r\n\r\n"), ParseError::unsupported_version);
  CHECK_EQ(error_of("\x15\x03"), ParseError::bad_status_line);
}

TEST("the body of a response follows RFC 9112 6.3") {
  const std::string length = "Content-Length: 5\r\n\r\n", chunked = "Transfer-Encoding: chunked\r\n\r\n";
  CHECK_EQ(body_of("HTTP/1.1 200 OK\r\n" + length), BodyKind::length);
  CHECK_EQ(body_of("HTTP/1.1 200 OK\r\n" + chunked), BodyKind::chunked);
  CHECK_EQ(body_of("HTTP/1.1 200 OK\r\n\r\n"), BodyKind::until_close);
  CHECK_EQ(body_of("HTTP/1.1 200 OK\r\n" + length, Method::head), BodyKind::none);
  CHECK_EQ(body_of("HTTP/1.1 304 x\r\n" + length), BodyKind::none);
  CHECK_EQ(body_of("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n"), BodyKind::none);
  CHECK_EQ(body_of("HTTP/1.1 100 Continue\r\n\r\n"), BodyKind::none);
  CHECK_EQ(body_of("HTTP/1.1 200 OK\r\n\r\n", Method::connect), BodyKind::none);
  CHECK_EQ(body_of("HTTP/1.1 403 x\r\n" + length, Method::connect), BodyKind::length);
  CHECK(!read_response("HTTP/1.1 200 OK\r\n\r\n")->head.keep_alive);
  CHECK(read_response("HTTP/1.1 304 x\r\n\r\n")->head.keep_alive);
}

TEST("framing that contradicts itself is refused") {
  CHECK_EQ(error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), ParseError::length_with_chunked);
  CHECK_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"), ParseError::differing_content_lengths);
  CHECK_EQ(error_of("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), ParseError::transfer_encoding_in_http10);
  CHECK_EQ(error_of("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n"), ParseError::unknown_transfer_coding);
  CHECK_EQ(error_of("HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n"), ParseError::bad_content_length);
  CHECK_EQ(error_of("HTTP/1.1 101 x\r\nTransfer-Encoding: chunked\r\n\r\n"), ParseError::unknown_transfer_coding);
}
