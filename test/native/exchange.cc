// Requests and responses through a whole engine: every framing, every way that bytes may be split.
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"

using namespace weir;
using namespace std::string_literals;

namespace {

const std::string kGet = "GET /a?b=1 HTTP/1.1\r\nHost: site.test\r\n\r\n";
const std::string kPost = "POST /form HTTP/1.1\r\nHost: site.test\r\nContent-Length: 11\r\n\r\nhello world";
const std::string kChunked =
    "POST /form HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const std::string kOkChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

}  // namespace

TEST("a request is forwarded, its response comes back, and both connections stay open") {
  Round round;
  round.client.send(kGet);
  CHECK(round.serve(kOk));
  CHECK_EQ(round.request().line, "GET /a?b=1 HTTP/1.1");
  CHECK_EQ(round.request().field("host"), "site.test");
  CHECK_EQ(round.response().body, "hello");
  CHECK(!round.client.ended);
  CHECK(!round.server.ended);
  CHECK_EQ(round.bed.usage().upstream_connections, 1u);
  round.expect_clean();
}

TEST("a request may be split anywhere") {
  for (const std::string& request : {kPost, kChunked}) {
    for (size_t split = 1; split < request.size(); ++split) {
      Round round;
      round.client.send(request.substr(0, split));
      round.bed.run();
      round.client.send(request.substr(split));
      CHECK(round.serve(kOk));
      CHECK_EQ(round.request().body, "hello world");
      CHECK_EQ(round.response().body, "hello");
    }
  }
}

TEST("a request may come byte by byte") {
  for (const std::string& request : {kGet, kPost, kChunked}) {
    Round round;
    for (char byte : request) {
      round.client.send({&byte, 1});
      round.bed.run();
    }
    CHECK(round.serve(kOk));
    CHECK_EQ(round.request().body, request == kGet ? "" : "hello world");
    CHECK_EQ(round.response().body, "hello");
    round.expect_clean();
  }
}

TEST("a response may be split anywhere") {
  for (const std::string& response : {kOk, kOkChunked, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + kOk}) {
    for (size_t split = 1; split < response.size(); ++split) {
      Round round;
      round.client.send(kGet);
      CHECK(round.meet());
      round.server.send(response.substr(0, split));
      round.bed.run();
      CHECK(round.answer(response.substr(split)));
      CHECK_EQ(round.response().body, "hello");
    }
  }
}

TEST("a response may come byte by byte") {
  for (const std::string& response : {kOk, kOkChunked}) {
    Round round;
    round.client.send(kGet);
    CHECK(round.meet());
    for (char byte : response) {
      round.server.send({&byte, 1});
      round.bed.run();
    }
    CHECK(round.answer(""));
    CHECK_EQ(round.response().body, "hello");
    round.expect_clean();
  }
}

TEST("trailers of a chunked body reach the server") {
  Round round;
  round.client.send(kChunked);
  CHECK(round.serve(kOk));
  CHECK(round.server.got("0\r\nX-Sum: 1\r\n\r\n"));
  round.expect_clean();
}

TEST("a body that ends with the connection becomes chunked, and the client stays connected or not as it asked") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.server.send("HTTP/1.0 200 OK\r\n\r\nall of it");
  round.bed.run();
  round.server.close();
  CHECK(round.answer(""));
  CHECK_EQ(round.response().body, "all of it");
  CHECK_EQ(round.response().field("transfer-encoding"), "chunked");
  round.expect_clean();
}

TEST("an HTTP/1.0 client gets a body that ends with the connection") {
  Round round;
  round.client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(round.serve(kOkChunked));
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK(!round.client.broken);
  CHECK_EQ(round.response().field("transfer-encoding"), "");
  CHECK_EQ(round.response().body, "hello");
  round.expect_clean();
}

TEST("a HEAD response has no body whatever its length says") {
  Round round;
  round.methods = {Method::head, Method::get};
  round.client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + kGet);
  CHECK(round.serve("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  CHECK(round.bed.until([&] { return round.server.pump(), read_requests(round.server.received).all.size() == 2; }));
  CHECK(round.answer(kOk, 2));
  CHECK_EQ(round.responses().all[0].body, "");
  CHECK_EQ(round.responses().all[1].body, "hello");
  round.expect_clean();
}

TEST("pipelined requests are answered one by one, in order, over one server connection") {
  Round round;
  std::string all;
  for (int i = 0; i < 40; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  round.client.send(all);
  CHECK(round.meet());
  for (int i = 0; i < 40; ++i) {
    CHECK(round.bed.until([&] { return round.server.pump(), read_requests(round.server.received).all.size() == size_t(i + 1); }));
    const std::string body = std::to_string(i);
    CHECK(round.answer("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body, size_t(i + 1)));
  }
  const Messages got = round.responses();
  CHECK_EQ(got.all.size(), 40u);
  for (size_t i = 0; i < got.all.size(); ++i) CHECK_EQ(got.all[i].body, std::to_string(i));
  CHECK_EQ(round.bed.counted_server(abi::server_counter::connects), 1.0);
  round.expect_clean();
}

TEST("a request whose head ends exactly where the read buffer ends has its body read") {
  Round round;
  uint32_t waiting = 0, generation = 0;
  round.bed.decider.on_decide = [&](Exchange& ex) {
    if (ex.method == Method::post) return round.bed.decider.forward();
    waiting = ex.slot_index, generation = ex.slot_generation;
    return ScriptedDecider::wait();
  };
  // Waiting requests keep the engine from reading on, so the buffer fills up to the end of the last head; its body is in the socket.
  const std::string before = "GET /", behind = " HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string last = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
  const std::string filler = before + std::string(3000, 'x') + behind;
  std::string all;
  while (all.size() + 2 * filler.size() + last.size() < kBufferBytes) all += filler;
  all += before + std::string(kBufferBytes - last.size() - all.size() - before.size() - behind.size(), 'y') + behind + last;
  CHECK_EQ(all.size(), size_t(kBufferBytes));
  round.client.send(all + "hello");
  const auto resume_waiting = [&] {
    if (generation == 0) return;
    const uint32_t resumed = std::exchange(generation, 0);
    (void)round.bed.engine.forwarder.resume(waiting, resumed, round.bed.decider.answer(200, ""));
    round.bed.engine.settle();
  };
  CHECK(round.wait([&] { return resume_waiting(), round.server.open() && read_requests(round.server.received).used > 0; }));
  CHECK_EQ(round.request().body, "hello");
  round.expect_clean();
}

TEST("large bodies pass both ways although both ends read slowly") {
  Round round;
  const std::string body(8'000'000, 'b');
  round.client.shrink_buffers(65536);
  round.client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n" + body);
  CHECK(round.meet_head());
  round.server.shrink_buffers(65536);
  round.server.stalled = true;
  for (int i = 0; i < 50; ++i) round.client.pump(), round.bed.run();
  CHECK(round.bed.usage().buffers < 40u);
  round.server.stalled = false;
  CHECK(round.meet());
  CHECK(round.request().body == body);
  round.client.stalled = true;
  round.server.send("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + body);
  for (int i = 0; i < 50; ++i) round.server.pump(), round.bed.run();
  CHECK(round.bed.usage().buffers < 40u);
  CHECK(!round.server.idle());
  round.client.stalled = false;
  CHECK(round.answer(""));
  CHECK(round.response().body == body);
  round.expect_clean();
}

TEST("many small chunks are passed on without a gap") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  std::string response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body;
  for (int i = 0; i < 5000; ++i) response += "1\r\n" + std::string(1, char('a' + i % 26)) + "\r\n", body += char('a' + i % 26);
  CHECK(round.answer(response + "0\r\n\r\n"));
  CHECK(round.response().body == body);
  round.expect_clean();
}

TEST("an answer of our own does not need a server, and the connection goes on") {
  Round round;
  round.bed.decider.on_decide = [&](Exchange&) { return round.bed.decider.answer(404, "no route"); };
  round.client.send(kPost + kGet);
  CHECK(round.answer("", 2));
  CHECK_EQ(round.responses().all[1].status, 404);
  CHECK_EQ(round.responses().all[1].body, "no route");
  CHECK(!round.client.ended);
  round.expect_clean();
}

TEST("a verdict may come later, and a late one for a client that left is refused") {
  Round round;
  uint32_t index = 0, generation = 0;
  round.bed.decider.on_decide = [&](Exchange& ex) {
    index = ex.slot_index, generation = ex.slot_generation;
    return ScriptedDecider::wait();
  };
  round.client.send(kPost);
  CHECK(round.bed.until([&] { return generation != 0; }));
  CHECK(round.bed.engine.forwarder.resume(index, generation, round.bed.decider.forward()));
  round.bed.engine.settle();
  CHECK(!round.bed.engine.forwarder.resume(index, generation, round.bed.decider.forward()));
  CHECK(round.serve(kOk));
  CHECK_EQ(round.request().body, "hello world");
  round.client.send(kPost);
  const uint32_t before = generation;
  CHECK(round.bed.until([&] { return generation != before; }));
  round.client.reset();
  CHECK(round.bed.until([&] { return round.bed.usage().clients == 0; }));
  CHECK(!round.bed.engine.forwarder.resume(index, generation, round.bed.decider.forward()));
  round.expect_clean();
}

TEST("a faulty request is refused and the connection closed, but what it asked before is answered") {
  Round round;
  round.client.send(kGet + "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(round.serve(kOk));
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK_EQ(round.responses().all.size(), 2u);
  CHECK_EQ(round.responses().all[1].status, 400);
  CHECK(!round.client.broken);
  CHECK_EQ(read_requests(round.server.received).all.size(), 1u);
  round.expect_clean();
}

TEST("a body that is larger than the limit is refused while it comes") {
  Round round;
  round.bed.listener().body_bytes = 100;
  round.client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + std::string(64, 'x') + "\r\n");
  CHECK(round.meet_head());
  round.client.send("40\r\n" + std::string(64, 'x') + "\r\n0\r\n\r\n");
  CHECK(round.answer(""));
  CHECK_EQ(round.response().status, 413);
  CHECK(round.bed.until([&] { return round.server.pump(), round.server.ended; }));
  CHECK(!read_requests(round.server.received).all[0].complete);
  round.expect_clean();
}

TEST("draining ends idle connections at once and busy ones after their response") {
  Round round;
  Peer idle = round.bed.connect();
  round.bed.advance(1'000);
  round.client.send(kGet);
  CHECK(round.meet());
  round.bed.engine.forwarder.drain(0);
  round.bed.engine.settle();
  CHECK(round.bed.until([&] { return idle.pump(), idle.ended; }));
  CHECK(round.answer(kOk));
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK_EQ(round.response().body, "hello");
  CHECK_EQ(round.response().field("connection"), "close");
  idle.close();
  round.expect_clean();
}
