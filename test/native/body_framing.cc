// Where a body ends, however its bytes are split.
#include <string>

#include "check.h"
#include "http/body_framing.h"

using namespace weir;
using namespace std::string_literals;

namespace {

struct Read {
  std::string body;
  std::string trailers;
  size_t used = 0;
  bool done = false;
  FramingError error = FramingError::none;
};

Read read_body(std::string_view in, size_t at_once, BodyKind kind = BodyKind::chunked, uint64_t length = 0) {
  BodyFraming framing;
  framing.start(kind, length);
  Read read;
  for (size_t end = std::min(at_once, in.size());; end = std::min(end + at_once, in.size())) {
    std::string_view piece;
    while (size_t n = framing.step(in.substr(read.used, end - read.used), piece)) {
      read.used += n;
      read.body += piece;
    }
    if (end == in.size() || framing.done() || framing.failed()) break;
  }
  read.done = framing.done();
  read.error = framing.error();
  if (read.done) read.trailers = framing.trailers();
  return read;
}

FramingError error_of(std::string_view in) {
  const Read whole = read_body(in, in.size()), bytewise = read_body(in, 1);
  CHECK_EQ(whole.error, bytewise.error);
  CHECK_EQ(whole.done, bytewise.done);
  CHECK_EQ(whole.body, bytewise.body);
  return whole.error;
}

}  // namespace

TEST("a chunked body gives its bytes and leaves what follows") {
  const std::string in = "5\r\nhello\r\n00a;x=y;z=\"q;\\\"\\r\" ; w\r\n, worlds!!\r\n0\r\n\r\nGET /";
  for (size_t at_once : {size_t{1}, size_t{2}, size_t{7}, in.size()}) {
    const Read read = read_body(in, at_once);
    CHECK(read.done);
    CHECK_EQ(read.body, "hello, worlds!!");
    CHECK_EQ(in.substr(read.used), "GET /");
  }
}

TEST("a length is kept exactly") {
  const Read read = read_body("hello, next", 3, BodyKind::length, 5);
  CHECK(read.done);
  CHECK_EQ(read.body, "hello");
  CHECK_EQ(read.used, 5u);
  CHECK(read_body("", 1, BodyKind::length, 0).done);
  CHECK(!read_body("hell", 4, BodyKind::length, 5).done);
}

TEST("malformed chunk sizes are refused") {
  for (const char* bad : {"\r\n", ";x\r\n", "g\r\n", "0x5\r\n", "+5\r\n", "-5\r\n", " 5\r\n", "5 \r\n", "5\t\r\n", "5 ;x\r\n", "5\n", "5\rx", "5,5\r\n", "5h\r\n"})
    CHECK_EQ(error_of(bad), FramingError::bad_chunk_size);
  for (const char* bad : {"ffffffffffffffff\r\n", "4000000000000001\r\n", "00000000000000005\r\n", "10000000000000005\r\n"})
    CHECK_EQ(error_of(bad), FramingError::chunk_size_too_large);
  CHECK_EQ(error_of("4000000000000000\r\n"), FramingError::none);
}

TEST("malformed chunk extensions are refused") {
  for (const char* bad : {"1;\r\n", "1;;a\r\n", "1;a=\r\n", "1;a\n", "1;a=\"b\r\n", "1;a=\"b\\\r\n", "1;a b\r\n", "1;a \r\n", "1;a=b=c\r\n", "1;a=\"b\"c\r\n", "1;\x80\r\n", "1;a=\x01\r\n"})
    CHECK_EQ(error_of(bad), FramingError::bad_chunk_extension);
  CHECK_EQ(error_of("1;" + std::string(255, 'a') + "\r\n"), FramingError::none);
  CHECK_EQ(error_of("1;" + std::string(256, 'a') + "\r\n"), FramingError::bad_chunk_extension);
}

TEST("a chunk that does not end where its size says is refused") {
  for (const char* bad : {"5\r\nhelloX\r\n", "5\r\nhello\n", "5\r\nhello\rX", "5\r\nhello world\r\n"}) CHECK_EQ(error_of(bad), FramingError::bad_chunk_end);
}

TEST("trailers are held to the rules of fields") {
  for (const char* bad : {"0\r\n a: b\r\n", "0\r\n: b\r\n", "0\r\na : b\r\n", "0\r\na\r\n", "0\r\na: b\n", "0\r\na: b\rc", "0\r\na: \x01\r\n", "0\r\n\n", "0\r\na: b\r\n c\r\n", "0\r\n\rX"})
    CHECK_EQ(error_of(bad), FramingError::bad_trailer);
  const auto trailer_of = [](size_t bytes) { return "0\r\na: " + std::string(bytes - 5, 'x') + "\r\n\r\n"; };
  CHECK_EQ(error_of(trailer_of(BodyFraming::kMaxTrailerBytes)), FramingError::none);
  CHECK_EQ(error_of(trailer_of(BodyFraming::kMaxTrailerBytes + 1)), FramingError::trailers_too_large);
}

TEST("trailers that frame, route or authenticate are dropped") {
  const Read read = read_body("0\r\nX-Sum:  1 \t\r\nContent-Length: 5\r\nhost: evil\r\nAuthorization: x\r\nEmpty:\r\nX-Request-Id: 7\r\n\r\n", 3);
  CHECK(read.done);
  CHECK_EQ(read.trailers, "X-Sum: 1\r\nEmpty: \r\nX-Request-Id: 7\r\n");
  std::string many = "0\r\n";
  for (int i = 0; i < 1000; ++i) many += "Host: a\r\n";
  CHECK_EQ(error_of(many), FramingError::trailers_too_large);
}

TEST("spliced bytes count") {
  BodyFraming framing;
  std::string_view piece;
  framing.start(BodyKind::chunked, 0);
  CHECK_EQ(framing.remaining(), 0u);
  CHECK_EQ(framing.step("a\r\nxy", piece), 5u);
  CHECK_EQ(framing.remaining(), 8u);
  framing.skip(8);
  CHECK_EQ(framing.remaining(), 0u);
  CHECK_EQ(framing.step("\r\n0\r\n\r\n", piece), 7u);
  CHECK(framing.done());
  framing.start(BodyKind::length, 4);
  framing.skip(4);
  CHECK(framing.done());
}

TEST("only a body without an end of its own may end with the connection") {
  BodyFraming framing;
  framing.start(BodyKind::until_close, 0);
  CHECK(framing.finish_at_close());
  framing.start(BodyKind::length, 4);
  CHECK(!framing.finish_at_close());
  framing.start(BodyKind::chunked, 0);
  CHECK(!framing.finish_at_close());
}
