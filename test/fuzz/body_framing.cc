// Whatever the bytes and however they are split: the same body, the same end or the same refusal.
// Input    byte 0: kind; byte 1: seed of the random split; the rest: what the peer sends.
#include <cstdlib>
#include <string>

#include "http/body_framing.h"

using namespace weir;

namespace {

void require(bool holds) {
  if (!holds) abort();
}

struct Outcome {
  std::string body;
  std::string trailers;
  size_t used = 0;
  bool done = false;
  FramingError error = FramingError::none;
};

// `skips`: takes data bytes as spliced where it may, without showing them to `step`.
template <typename NextStep>
Outcome read(BodyKind kind, uint64_t length, const std::string& in, bool skips, NextStep next_step) {
  BodyFraming framing;
  framing.start(kind, length);
  Outcome out;
  for (size_t end = 0; !framing.done() && !framing.failed() && end < in.size();) {
    end = std::min(in.size(), end + next_step());
    const std::string part = in.substr(0, end);  // an allocation of its own: a read past it is caught
    std::string_view piece;
    for (;;) {
      if (skips && framing.remaining() > 0) {
        const size_t n = static_cast<size_t>(std::min<uint64_t>(framing.remaining(), end - out.used));
        out.body += part.substr(out.used, n);
        framing.skip(n);
        out.used += n;
      }
      const size_t n = framing.step(std::string_view(part).substr(out.used), piece);
      require(n <= end - out.used && piece.size() <= n);
      if (n == 0) break;
      out.used += n;
      out.body += piece;
    }
    if (!framing.done() && !framing.failed()) require(out.used == end);
  }
  out.done = framing.done();
  out.error = framing.error();
  if (out.done) out.trailers = framing.trailers();
  return out;
}

void same(const Outcome& a, const Outcome& b) {
  require(a.done == b.done && a.error == b.error && a.body == b.body && a.trailers == b.trailers);
  if (a.done) require(a.used == b.used);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 8192) return 0;
  const BodyKind kind = data[0] % 4 == 0 ? BodyKind::length : data[0] % 16 == 1 ? BodyKind::until_close : BodyKind::chunked;
  const uint64_t length = data[0];
  const std::string in(data + 2, data + size);
  uint32_t random = data[1] + 1u;
  const auto random_step = [&] { return size_t{1} + (random = random * 1664525u + 1013904223u) % 40; };
  const Outcome all = read(kind, length, in, false, [&] { return in.size(); });
  same(all, read(kind, length, in, false, [] { return size_t{1}; }));
  same(all, read(kind, length, in, false, random_step));
  same(all, read(kind, length, in, true, random_step));
  if (kind == BodyKind::length && all.done) require(all.body.size() == length);
  require(all.body.size() <= all.used && all.trailers.size() <= BodyFraming::kMaxTrailerBytes);
  return 0;
}
