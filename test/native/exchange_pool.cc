// Kept connections to servers: reused, found dead, learned from, and thrown away.
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"

using namespace weir;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

void warm_up(Round& round) {
  round.client.send(kGet);
  CHECK(round.serve(kOk));
  CHECK_EQ(round.bed.server().idle_count, 1u);
}

}  // namespace

TEST("a request on a kept connection that the server closed at that moment is sent once more, whatever its method") {
  for (const std::string& request : {kGet, kPost}) {
    Round round;
    warm_up(round);
    // The client's request is ready before the server's end is: the engine takes the connection from the pool.
    round.client.send(request);
    round.server.close();
    round.server = round.bed.accept();
    CHECK(round.serve(kOk, 2));
    CHECK_EQ(round.request().body, request == kGet ? "" : "hello world");
    CHECK(round.bed.decider.failures.size() <= 1);
    round.expect_clean();
  }
}

TEST("a kept connection that was reset is sent once more only where the method allows it, and never twice to a server") {
  Round round;
  warm_up(round);
  round.client.send(kPost);
  round.server.reset();
  CHECK(round.wait([&] { return round.whole_responses() == 2 || (round.server.open() && round.meet()); }));
  // Either the engine saw the end first and opened another connection, or nothing was certain: then 502.
  if (round.server.open()) CHECK(round.answer(kOk, 2));
  else CHECK_EQ(round.responses().all[1].status, 502);
  round.expect_clean();
}

TEST("a kept connection that the server closes is forgotten at once") {
  Round round;
  warm_up(round);
  round.server.close();
  CHECK(round.bed.until([&] { return round.bed.usage().upstream_connections == 0; }));
  CHECK_EQ(round.bed.server().idle_count, 0u);
  round.expect_clean();
}

TEST("a kept connection that says something unasked is closed") {
  Round round;
  warm_up(round);
  round.server.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  CHECK(round.bed.until([&] { return round.bed.usage().upstream_connections == 0; }));
  CHECK_EQ(round.whole_responses(), 1u);
  round.expect_clean();
}

TEST("the idle time of a server is learned from what it says and from what it does") {
  Round round;
  round.client.send(kGet);
  CHECK(round.serve("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2, max=9\r\nContent-Length: 0\r\n\r\n"));
  CHECK_EQ(UpstreamPool::idle_ms(round.bed.server()), 1000u);
  round.bed.advance(980);
  CHECK_EQ(round.bed.server().idle_count, 1u);
  round.bed.advance(40);
  CHECK_EQ(round.bed.server().idle_count, 0u);
  round.server.close();
  round.client.send(kGet);
  round.server = round.bed.accept();
  CHECK(round.serve(kOk, 2));
  round.bed.advance(800);
  round.server.close();
  CHECK(round.bed.until([&] { return round.bed.server().idle_count == 0; }));
  CHECK_EQ(UpstreamPool::idle_ms(round.bed.server()), 600u);
  round.expect_clean();
}

TEST("no more connections are kept than the limit says, and the newest is used first") {
  Round round;
  round.bed.server().idle_limit = 2;
  std::vector<Peer> clients, servers;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(round.bed.connect());
    clients.back().send(kGet);
    servers.push_back(round.bed.accept());
  }
  for (Peer& server : servers) {
    server.send(kOk);
    round.bed.run();
  }
  CHECK(round.bed.until([&] { return round.bed.usage().exchanges == 0; }));
  CHECK_EQ(round.bed.server().idle_count, 2u);
  clients[0].send(kGet);
  CHECK(round.bed.until([&] { return servers[3].pump(), read_requests(servers[3].received).all.size() == 2; }));
  for (Peer& peer : clients) peer.close();
  for (Peer& peer : servers) peer.close();
  round.expect_clean();
}

TEST("a removed server keeps what runs and gets nothing new") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.bed.engine.pool.remove(0);
  CHECK(round.answer(kOk));
  CHECK_EQ(round.bed.usage().upstream_connections, 0u);
  round.client.send(kGet);
  CHECK(round.answer("", 2));
  CHECK_EQ(round.responses().all[1].status, 502);
  CHECK(!round.bed.accept_now().open());
  round.expect_clean();
}

TEST("a server at its maximum of connections takes no further exchange") {
  Round round;
  round.bed.server().max_connections = 1;
  Peer other = round.bed.connect();
  other.send(kGet);
  CHECK(round.meet_head());
  round.client.send(kGet);
  CHECK(round.answer("", 0) && round.wait([&] { return round.whole_responses() == 1; }));
  CHECK_EQ(round.response().status, 502);
  CHECK_EQ(round.bed.decider.failures.back().reason, abi::failure::busy);
  other.close();
  round.expect_clean();
}

TEST("a plan that is replaced lives on for the exchange that runs it") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  auto next = std::make_unique<Plan>();
  round.bed.decider.plan = next.get();
  round.bed.engine.define_plan(0, std::move(next));
  CHECK(round.answer(kOk));
  CHECK_EQ(round.bed.decider.finished_count, 1u);
  CHECK(round.wait([&] { return true; }));
  round.client.send(kGet);
  CHECK(round.wait([&] { return read_requests(round.server.received).all.size() == 2; }));
  CHECK(round.answer(kOk, 2));
  CHECK_EQ(round.bed.decider.finished_count, 1u);
  round.expect_clean();
}

TEST("a server whose connections are not to be kept loses its idle ones at once and the others after their exchange") {
  Round round;
  warm_up(round);
  Peer other = round.bed.connect();
  round.client.send(kGet);
  CHECK(round.wait([&] { return read_requests(round.server.received).all.size() == 2; }));
  other.send(kGet);
  Peer second = round.bed.accept();
  second.send(kOk);
  CHECK(round.bed.until([&] { return other.pump(), other.got("hello"); }));
  CHECK_EQ(round.bed.server().idle_count, 1u);
  round.bed.engine.pool.set_reusable(0, false);
  CHECK_EQ(round.bed.server().idle_count, 0u);
  CHECK_EQ(round.bed.counted_server(abi::server_counter::idle), 0.0);
  CHECK(round.bed.until([&] { return second.pump(), second.ended; }));
  CHECK(round.answer(kOk, 2));
  CHECK_EQ(round.bed.usage().upstream_connections, 0u);
  CHECK(round.wait([&] { return round.server.ended; }));
  // Who is sent there all the same (a sticky user) is served on a connection of its own.
  round.server.close();
  round.client.send(kGet);
  round.server = round.bed.accept();
  CHECK(round.serve(kOk, 3));
  CHECK_EQ(round.bed.usage().upstream_connections, 0u);
  round.bed.engine.pool.set_reusable(0, true);
  round.server.close();
  round.client.send(kGet);
  round.server = round.bed.accept();
  CHECK(round.serve(kOk, 4));
  CHECK_EQ(round.bed.server().idle_count, 1u);
  other.close();
  second.close();
  round.expect_clean();
}

TEST("whether a server's connections are kept stays as it is while it is defined anew, and is forgotten with the server") {
  TestBed bed;
  const auto define = [&](const char* name) -> Server& {
    Server s;
    s.name = name;
    s.addresses.push_back(bed.server_address());
    return bed.engine.pool.define(5, std::move(s));
  };
  bed.engine.pool.set_reusable(5, false);  // nobody is there yet
  CHECK(define("app/b").is_reusable);
  bed.engine.pool.set_reusable(5, false);
  CHECK(!define("app/b").is_reusable);
  CHECK(define("app/c").is_reusable);
  bed.engine.pool.set_reusable(5, false);
  bed.engine.pool.remove(5);
  CHECK(define("app/c").is_reusable);
}
