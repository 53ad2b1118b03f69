// Clients and servers that leave, at every stage of an exchange: nothing stays behind, and no end is faked.
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"

using namespace weir;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

enum class Leaving : uint8_t { in_order, by_reset };
constexpr Leaving kLeavings[] = {Leaving::in_order, Leaving::by_reset};

void leave(Peer& peer, Leaving how) {
  if (how == Leaving::in_order) peer.close();
  else peer.reset();
}

// The engine notices by itself, without its deadlines, but for the grace that a half-closed client has.
bool forgets_client(Round& round) {
  return round.bed.until([&] {
    if (round.bed.usage().clients == 0) return true;
    round.bed.advance(100);
    return false;
  });
}

}  // namespace

TEST("a client may leave anywhere in its request") {
  for (Leaving how : kLeavings) {
    for (size_t sent = 0; sent < kPost.size(); ++sent) {
      Round round;
      round.client.send(kPost.substr(0, sent));
      round.bed.run();
      if (sent > kPost.size() - 11) CHECK(round.meet_head());
      leave(round.client, how);
      CHECK(forgets_client(round));
      CHECK_EQ(round.bed.usage().exchanges, 0u);
      if (round.server.open()) CHECK(round.bed.until([&] { return round.server.pump(), round.server.ended; }));
      CHECK(read_requests(round.server.received).used == 0);
      round.expect_clean();
    }
  }
}

TEST("a client may leave anywhere in its response, and the server's connection is not used again") {
  const std::string response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (Leaving how : kLeavings) {
    for (size_t sent = 0; sent < response.size(); ++sent) {
      Round round;
      round.client.send(kGet);
      CHECK(round.meet());
      round.server.send(response.substr(0, sent));
      round.bed.run();
      leave(round.client, how);
      CHECK(forgets_client(round));
      CHECK_EQ(round.bed.usage().upstream_connections, 0u);
      CHECK(round.bed.until([&] { return round.server.pump(), round.server.ended; }));
      round.expect_clean();
    }
  }
}

TEST("a client may leave while its connection to the server is being made or its verdict is awaited") {
  for (Leaving how : kLeavings) {
    Round round;
    round.bed.decider.on_decide = [](Exchange&) { return ScriptedDecider::wait(); };
    round.client.send(kPost);
    CHECK(round.bed.until([&] { return round.bed.decider.decided == 1; }));
    leave(round.client, how);
    CHECK(forgets_client(round));
    round.expect_clean();
  }
}

TEST("a client that closes only its sending side gets a response that comes soon") {
  Round round;
  round.client.send(kPost);
  round.client.half_close();
  CHECK(round.serve(kOk));
  CHECK_EQ(round.response().body, "hello");
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK(!round.client.broken);
  round.expect_clean();
}

TEST("pipelined requests of a half-closed client are all answered") {
  Round round;
  round.client.send(kGet + kGet + kGet);
  round.client.half_close();
  for (size_t i = 1; i <= 3; ++i) {
    CHECK(round.wait([&] { return read_requests(round.server.received).all.size() == i; }));
    CHECK(round.answer(kOk, i));
  }
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  round.expect_clean();
}

TEST("a server may leave before it answers: an idempotent request goes to another connection") {
  for (Leaving how : kLeavings) {
    Round round;
    round.client.send(kGet);
    CHECK(round.meet());
    leave(round.server, how);
    round.server = round.bed.accept();
    CHECK(round.serve(kOk));
    CHECK_EQ(round.response().body, "hello");
    CHECK_EQ(round.bed.decider.failures.size(), 1u);
    CHECK(!round.bed.decider.failures[0].unsent);
    round.expect_clean();
  }
}

TEST("a request that is not idempotent is not sent again once the server took bytes of it") {
  for (Leaving how : kLeavings) {
    Round round;
    round.client.send(kPost);
    CHECK(round.meet());
    leave(round.server, how);
    CHECK(round.answer(""));
    CHECK_EQ(round.response().status, 502);
    CHECK(!round.bed.accept_now().open());
    round.expect_clean();
  }
}

TEST("a body that was sent already is sent again with its request") {
  const std::string put = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello";
  const std::string chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
  for (const bool is_chunked : {false, true}) {
    Round round;
    round.client.send(is_chunked ? chunked : put);
    CHECK(round.meet_head());
    CHECK(round.wait([&] { return round.server.got("hello"); }));
    round.server.reset();
    round.server = round.bed.accept();
    round.client.send(is_chunked ? "6\r\n world\r\n0\r\n\r\n" : " world");
    CHECK(round.serve(kOk));
    CHECK_EQ(round.request().body, "hello world");
    round.expect_clean();
  }
}

TEST("a body larger than what is kept for a retry ends the tries") {
  Round round;
  round.bed.plan().replay_bytes = 1000;
  round.client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + std::string(2000, 'x'));
  CHECK(round.wait([&] { return round.server.got(std::string(2000, 'x')); }));
  round.server.reset();
  CHECK(round.answer(""));
  CHECK_EQ(round.response().status, 502);
  round.expect_clean();
}

TEST("a large replay is sent whole") {
  for (const bool chunked : {false, true}) {
    Round round;
    round.bed.plan().replay_bytes = 16 << 20;
    const std::string body(6 << 20, 'r');
    const std::string framing = chunked ? "Transfer-Encoding: chunked\r\n\r\n600000\r\n" : "Content-Length: 6291456\r\n\r\n";
    round.client.send("PUT / HTTP/1.1\r\nHost: a\r\n" + framing + body + (chunked ? "\r\n0\r\n\r\n" : ""));
    CHECK(round.meet());
    round.server.reset();
    round.server = round.bed.accept();
    CHECK(round.meet());
    CHECK(round.request().body == body);
    round.expect_clean();
  }
}

TEST("a server that leaves within its response never looks as if it had ended it") {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (const std::string& bytes : {kOk, chunked}) {
    for (Leaving how : kLeavings) {
      for (size_t sent = bytes.find("\r\n\r\n") + 4; sent < bytes.size(); ++sent) {
        Round round;
        round.client.send(kGet);
        CHECK(round.meet());
        round.server.send(bytes.substr(0, sent));
        round.bed.run();
        leave(round.server, how);
        CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
        CHECK(!round.response().complete);
        CHECK_EQ(round.response().status, 200);
        round.expect_clean();
      }
    }
  }
}

TEST("an HTTP/1.0 client sees a reset where its response was cut") {
  for (Leaving how : kLeavings) {
    Round round;
    round.client.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(round.meet());
    round.server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    round.bed.run();
    leave(round.server, how);
    CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
    CHECK(round.client.broken);
    round.expect_clean();
  }
}

TEST("a server that resets where its body would end with the connection has not ended it") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.server.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
  round.bed.run();
  round.server.reset();
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK(!round.response().complete);
  round.expect_clean();
}

TEST("a response that comes before its request is complete is passed on, and the connection ends after it") {
  Round round;
  round.client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nfirst");
  CHECK(round.meet_head());
  CHECK(round.answer("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge"));
  CHECK_EQ(round.response().status, 413);
  round.client.send(std::string(99995, 'x'));
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK(!round.client.broken);
  round.expect_clean();
}

TEST("an early response of a server that stops listening is passed on whole, however it is split") {
  const std::string response = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge";
  for (size_t split = 0; split < response.size(); ++split) {
    Round round;
    round.client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    CHECK(round.meet_head());
    round.server.send(response.substr(0, split));
    round.bed.run();
    // The client goes on sending, and the server has answered and gone when that is passed on: a write fails, but the answer is there.
    // Small chunks make it more than one write.
    std::string chunks;
    for (int i = 0; i < 100; ++i) chunks += "5\r\nhello\r\n";
    round.client.send(chunks);
    round.server.send(response.substr(split));
    round.server.close();
    CHECK(round.answer(""));
    CHECK_EQ(round.response().body, "large");
    round.client.close();
    round.expect_clean();
  }
}

TEST("an invalid response is a 502 and ends the server's connection") {
  for (const char* bad : {"HTTP/1.1 2x0 OK\r\n\r\n", "nonsense\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"}) {
    Round round;
    round.client.send(kGet);
    CHECK(round.serve(bad));
    CHECK_EQ(round.response().status, 502);
    CHECK(!round.client.ended);
    CHECK_EQ(round.bed.usage().upstream_connections, 0u);
    round.expect_clean();
  }
}

TEST("bytes behind a response end the server's connection, not the client's") {
  Round round;
  round.client.send(kGet);
  CHECK(round.serve(kOk + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  CHECK(!round.client.ended);
  CHECK(!round.client.got("evil"));
  CHECK_EQ(round.bed.usage().upstream_connections, 0u);
  round.expect_clean();
}

TEST("a refused connection is tried as often as the policy says, then answered") {
  Round round;
  round.bed.refuse_connections();
  round.client.send(kPost);
  CHECK(round.answer(""));
  CHECK_EQ(round.response().status, 502);
  CHECK_EQ(round.bed.decider.failures.size(), 3u);
  for (const Failure& f : round.bed.decider.failures) CHECK(f.unsent && f.reason == abi::failure::connect && f.error == ECONNREFUSED);
  round.client.close();
  round.bed.run();
  round.bed.pass_deadlines();
  Usage left = round.bed.usage();
  CHECK_EQ(left.fds + 1, round.bed.at_start.fds);  // the server's listening socket is gone
  left.fds = round.bed.at_start.fds;
  CHECK(left == round.bed.at_start);
}

TEST("the next address of a server is tried when one refuses") {
  Round round;
  Server s = round.bed.server();
  Address dead;
  CHECK(Address::from_ip("127.0.0.2", 1, dead));
  Server as;
  as.name = s.name, as.host_header = s.host_header;
  as.addresses = {dead, s.addresses[0]};
  round.bed.engine.pool.define(0, std::move(as));
  round.client.send(kPost);
  CHECK(round.serve(kOk));
  CHECK(round.bed.decider.failures.empty());
  CHECK_EQ(round.bed.server().preferred, 1u);
  round.expect_clean();
}

TEST("a server that speaks while its connection is still being made is heard") {
  for (const bool leaves : {false, true}) {
    Round round;
    round.client.send(kGet);
    CHECK(round.bed.until([&] { return round.bed.decider.decided == 1; }));
    // The engine learns of the connection and of what came over it in one event.
    while (!round.server.open()) round.server = round.bed.accept_now();
    round.server.send("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    if (leaves) round.server.half_close();
    CHECK(round.answer(""));
    CHECK_EQ(round.response().status, 503);
    CHECK_EQ(round.response().body, "busy");
    round.expect_clean();
  }
}
