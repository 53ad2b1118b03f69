#include "http/trace_context.h"

#include <string>

#include "check.h"

using namespace weir;

namespace {
const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kSpan = "00f067aa0ba902b7";
}  // namespace

TEST("a trace of the client goes on, with a span of our own and its sampled flag alone") {
  Random random;
  for (const auto& [flags, expected] : {std::pair{"01", "01"}, {"00", "00"}, {"03", "01"}, {"02", "00"}, {"ff", "01"}}) {
    TraceContext c;
    CHECK(begin_trace("00-" + kTrace + "-" + kSpan + "-" + flags, 0, random, c));
    const std::string text(c.view());
    CHECK_EQ(text.substr(0, 36), "00-" + kTrace + "-");
    CHECK(text.substr(36, 16) != kSpan);
    CHECK_EQ(text.substr(52), std::string("-") + expected);
  }
}

TEST("what is no traceparent begins a trace for a share of the requests") {
  Random random;
  TraceContext c;
  const std::string good = "00-" + kTrace + "-" + kSpan + "-01";
  for (const std::string& bad : {std::string(), good + "0", good + "-00", good.substr(0, 54), "ff" + good.substr(2), "0g" + good.substr(2),
                                "00-" + std::string(32, '0') + "-" + kSpan + "-01", "00-" + kTrace + "-" + std::string(16, '0') + "-01",
                                "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kSpan + "-01", "00_" + good.substr(3)}) {
    CHECK(!begin_trace(bad, 0, random, c));
    CHECK(begin_trace(bad, 1, random, c));
    CHECK(std::string(c.view()).substr(3, 32) != kTrace);
    CHECK_EQ(std::string(c.view()).substr(53), "01");
  }
  // A later version may say more behind what is known.
  CHECK(begin_trace("01" + good.substr(2) + "-more", 0, random, c));
  CHECK(begin_trace("01" + good.substr(2), 0, random, c));
  int begun = 0;
  for (int i = 0; i < 10'000; ++i) begun += begin_trace("", 0.25, random, c);
  CHECK(begun > 2200 && begun < 2800);
}
