// Deadlines, with time moved by hand: each fires when it should, none before.
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"

using namespace weir;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

bool client_ends(Round& round) {
  return round.bed.until([&] { return round.client.pump(), round.client.ended; });
}

}  // namespace

TEST("a connection that sends nothing is closed after the header's time") {
  Round round;
  round.bed.advance(9'990);
  CHECK_EQ(round.bed.usage().clients, 1u);
  round.bed.advance(30);
  CHECK(client_ends(round));
  CHECK_EQ(round.client.received, "");
  round.expect_clean();
}

TEST("a head that trickles is a 408 after the header's time, not later for every byte") {
  Round round;
  for (int i = 0; i < 12; ++i) {
    round.client.send(kGet.substr(size_t(i), 1));
    round.bed.run();
    round.bed.advance(i < 9 ? 1'000 : 500);
  }
  CHECK(round.answer(""));
  CHECK_EQ(round.response().status, 408);
  CHECK(client_ends(round));
  round.expect_clean();
}

TEST("an idle connection is closed without a word after the keep-alive time") {
  Round round;
  round.client.send(kGet);
  CHECK(round.serve(kOk));
  round.bed.advance(74'990);
  CHECK_EQ(round.bed.usage().clients, 1u);
  round.bed.advance(30);
  CHECK(client_ends(round));
  CHECK_EQ(round.whole_responses(), 1u);
  round.expect_clean();
}

TEST("a body that stalls is a 408") {
  Round round;
  round.client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  CHECK(round.wait([&] { return round.server.got("hello"); }));
  round.bed.advance(29'900);
  CHECK_EQ(round.bed.usage().exchanges, 1u);
  round.bed.advance(200);
  CHECK(round.answer(""));
  CHECK_EQ(round.response().status, 408);
  round.expect_clean();
}

TEST("a server that says nothing is given up after the first byte's time, then another attempt is made") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.bed.advance(29'980);
  CHECK(round.bed.decider.failures.empty());
  round.bed.advance(40);
  CHECK_EQ(round.bed.decider.failures.size(), 1u);
  CHECK_EQ(round.bed.decider.failures[0].reason, abi::failure::first_byte_timeout);
  Peer frozen = std::move(round.server);
  round.server = round.bed.accept();
  CHECK(round.serve(kOk));
  frozen.close();
  round.expect_clean();
}

TEST("a response that stops is cut after the idle time, not when the client is the slow one") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  round.bed.run();
  for (int i = 0; i < 5; ++i) {
    round.bed.advance(50'000);
    round.server.send("-");
    round.bed.run();
  }
  CHECK(round.wait([&] { return round.response().complete; }));
  round.client.send(kGet);
  CHECK(round.wait([&] { return read_requests(round.server.received).all.size() == 2; }));
  round.server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  round.bed.run();
  round.bed.advance(60'050);
  CHECK(client_ends(round));
  CHECK_EQ(round.whole_responses(), 1u);
  round.expect_clean();
}

TEST("a client that takes nothing of a finished response is reset after the write's time") {
  Round round;
  round.client.shrink_buffers(4096);
  round.client.stalled = true;
  round.client.send(kGet);
  CHECK(round.meet());
  round.server.send("HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n" + std::string(40'000'000, 'x'));
  for (int i = 0; i < 100; ++i) round.server.pump(), round.bed.run();
  CHECK_EQ(round.bed.usage().clients, 1u);
  CHECK(!round.server.idle());
  round.bed.advance(59'000);
  CHECK_EQ(round.bed.usage().clients, 1u);
  round.bed.advance(2'000);
  CHECK_EQ(round.bed.usage().clients, 0u);
  CHECK_EQ(round.bed.usage().buffers, 0u);
  round.expect_clean();
}

TEST("a connect that is not answered is given up after the connect's time") {
  Round round;
  // A full backlog answers no handshake.
  Listening deaf = listen_on_ip("127.0.0.1", 0, 0);
  std::vector<UniqueFd> fill;
  Address at;
  CHECK(Address::from_ip("127.0.0.1", deaf.port, at));
  for (int i = 0; i < 3; ++i) {
    fill.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    (void)!::connect(fill.back().get(), &at.any, at.length);
  }
  Server s;
  s.addresses = {at};
  round.bed.engine.pool.define(0, std::move(s));
  round.bed.decider.retries = 0;
  round.client.send(kGet);
  CHECK(round.bed.until([&] { return round.bed.decider.decided == 1; }));
  round.bed.advance(1'990);
  CHECK(round.bed.decider.failures.empty());
  round.bed.advance(30);
  CHECK(round.answer(""));
  CHECK_EQ(round.response().status, 504);
  CHECK(round.bed.decider.failures.size() == 1 && round.bed.decider.failures[0].unsent);
  fill.clear();
  deaf.fd.reset();
  round.expect_clean();
}

TEST("a client that half closed and takes nothing any more is given up after a grace") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.client.half_close();
  round.bed.run();
  round.bed.advance(480);
  CHECK_EQ(round.bed.usage().exchanges, 1u);
  round.bed.advance(40);
  CHECK_EQ(round.bed.usage().exchanges, 0u);
  CHECK(round.bed.until([&] { return round.server.pump(), round.server.ended; }));
  round.expect_clean();
}
