// Hedged requests: a second attempt beside one that is late.
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"
#include "loop/listening_socket.h"

using namespace weir;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kFirst = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst";
const std::string kSecond = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond";

// A client, a first server that is late, and a second one that is asked after 50 ms.
struct Hedge : Round {
  Hedge() {
    bed.plan().hedge_ms = 50;
    bed.plan().first_byte_ms = 1000;
    other = bed.add_server({loopback(listening.port)});
    ++bed.at_start.fds;  // the second server's
    bed.decider.on_hedge = [this](Exchange&) {
      ++hedges;
      Verdict v = bed.decider.forward();
      v.server = other;
      return v;
    };
  }
  // The first server has the request, the hedge time passes, and the second one has it, too.
  [[nodiscard]] bool begin() {
    client.send(kGet);
    if (!meet()) return false;
    bed.advance(60);
    return wait([&] {
      if (!second.open()) second = accept_from(listening.fd);
      second.pump();
      return second.got("\r\n\r\n");
    });
  }
  void leave() {
    second.close();
    expect_clean();
  }

  Listening listening = listen_on_ip("127.0.0.1", 0, 16);
  Peer second;
  uint32_t other = 0;
  unsigned hedges = 0;
};

}  // namespace

TEST("the second attempt's answer counts when it comes first, and the first attempt is cancelled") {
  Hedge h;
  CHECK(h.begin());
  h.second.send(kSecond);
  CHECK(h.wait([&] { return h.second.pump(), h.whole_responses() == 1; }));
  CHECK_EQ(h.response().body, "second");
  CHECK(h.wait([&] { return h.server.ended || h.server.broken; }));
  CHECK_EQ(h.hedges, 1u);
  h.leave();
}

TEST("the first attempt may still win, and the second one is cancelled") {
  Hedge h;
  CHECK(h.begin());
  h.server.send(kFirst);
  CHECK(h.wait([&] { return h.whole_responses() == 1; }));
  CHECK_EQ(h.response().body, "first");
  CHECK(h.wait([&] { return h.second.pump(), h.second.ended || h.second.broken; }));
  h.leave();
}

TEST("a first attempt that dies leaves the second one alone, and the other way round") {
  for (const bool first_dies : {true, false}) {
    Hedge h;
    CHECK(h.begin());
    (first_dies ? h.server : h.second).reset();
    h.bed.run();
    Peer& left = first_dies ? h.second : h.server;
    left.send(first_dies ? kSecond : kFirst);
    CHECK(h.wait([&] { return left.pump(), h.whole_responses() == 1; }));
    CHECK_EQ(h.response().body, first_dies ? "second" : "first");
    CHECK(h.bed.decider.failures.empty());
    h.leave();
  }
}

TEST("a client that leaves ends both attempts") {
  Hedge h;
  CHECK(h.begin());
  CHECK_EQ(h.bed.usage().upstream_connections, 2u);
  h.client.reset();
  CHECK(h.bed.until([&] { return h.bed.usage().clients == 0; }));
  CHECK_EQ(h.bed.usage().upstream_connections, 0u);
  h.leave();
}

TEST("when neither answers in time there is one failure") {
  Hedge h;
  h.bed.decider.retries = 0;
  CHECK(h.begin());
  h.bed.advance(2'000);
  h.bed.advance(2'000);
  CHECK(h.wait([&] { return h.whole_responses() == 1; }));
  CHECK_EQ(h.response().status, 504);
  CHECK_EQ(h.bed.decider.failures.size(), size_t(1));
  h.leave();
}

TEST("a hedge that finds no server changes nothing") {
  Hedge h;
  h.bed.decider.on_hedge = [](Exchange&) { return Verdict(); };
  h.client.send(kGet);
  CHECK(h.meet());
  h.bed.advance(100);
  h.server.send(kFirst);
  CHECK(h.wait([&] { return h.whole_responses() == 1; }));
  CHECK_EQ(h.response().body, "first");
  h.leave();
}
