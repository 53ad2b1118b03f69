// Parts of one write: what is added comes out, and it is full before it overflows.
#include <string>

#include "base/byte_sink.h"
#include "check.h"
#include "http/body_framing.h"
#include "http/gather.h"

using namespace weir;

namespace {

std::string bytes_of(const Gather& g) {
  std::string all;
  for (int i = 0; i < g.count(); ++i) all.append(static_cast<const char*>(g.parts()[i].iov_base), g.parts()[i].iov_len);
  return all;
}

}  // namespace

TEST("pieces and chunks are gathered in order, empty ones not at all") {
  Gather g;
  g.add("head");
  g.add("");
  g.add_chunk("");
  g.add_chunk("hello");
  g.add_chunk(std::string_view("0123456789abcdefX", 17));
  g.add_last_chunk("A: b\r\n");
  CHECK_EQ(bytes_of(g), "head5\r\nhello\r\n11\r\n0123456789abcdefX\r\n0\r\nA: b\r\n\r\n");
  CHECK_EQ(g.bytes(), bytes_of(g).size());
  g.clear();
  CHECK(g.empty());
  CHECK_EQ(g.bytes(), 0u);
}

TEST("whatever is added until it is full, there is room for a chunk and the end after it") {
  for (int parts_first = 0; parts_first < 100; ++parts_first) {
    Gather g;
    for (int i = 0; i < parts_first && !g.full(); ++i) g.add("x");
    while (!g.full()) g.add_chunk("y");
    g.add_last_chunk("T: t\r\n");
    CHECK(g.count() <= Gather::kParts);
  }
}

TEST("a chunk of any size has a size line that is read back") {
  for (size_t size : {size_t{1}, size_t{15}, size_t{16}, size_t{255}, size_t{4096}, size_t{65535}, size_t{1} << 20}) {
    const std::string body(size, 'z');
    Gather g;
    g.add_chunk(body);
    g.add_last_chunk({});
    BodyFraming framing;
    framing.start(BodyKind::chunked, 0);
    const std::string all = bytes_of(g);
    std::string_view piece;
    size_t at = 0, got = 0;
    while (const size_t n = framing.step(std::string_view(all).substr(at), piece)) at += n, got += piece.size();
    CHECK(framing.done());
    CHECK_EQ(got, size);
  }
}

TEST("a sink grows, keeps what was put in, and prints numbers") {
  ByteSink sink;
  std::string expected;
  for (uint64_t n : {uint64_t{0}, uint64_t{7}, uint64_t{10}, uint64_t{1234567890}, UINT64_MAX}) {
    sink.put_number(n);
    sink.put(' ');
    expected += std::to_string(n) + " ";
  }
  for (int i = 0; i < 10'000; ++i) sink.put("some more "), expected += "some more ";
  CHECK(sink.view() == expected);
  sink.clear();
  CHECK_EQ(sink.size(), 0u);
}
