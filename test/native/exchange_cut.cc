// Exchanges that are cut off from a server which should be empty by now.
#include <errno.h>

#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"

using namespace weir;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Two servers: what fails on the first goes to the second.
struct Cut : Round {
  Cut() {
    other = bed.add_server({loopback(listening.port)});
    ++bed.at_start.fds;
    bed.decider.on_failure = [this](Exchange& ex, const Failure& f) {
      reused = reused || ex.reused;
      bed.decider.server = other;
      const Verdict v = bed.decider.retry_or_answer(ex, f);
      bed.decider.server = 0;
      return v;
    };
  }
  [[nodiscard]] unsigned cut(uint32_t slot = 0) {
    bed.engine.rt.tick();
    const unsigned count = bed.engine.forwarder.cut(slot);
    bed.engine.settle();
    return count;
  }
  [[nodiscard]] bool second_has_it() {
    return wait([&] {
      if (!second.open()) second = accept_from(listening.fd);
      second.pump();
      return read_requests(second.received).used > 0;
    });
  }
  void leave() {
    second.close();
    expect_clean();
  }

  Listening listening = listen_on_ip("127.0.0.1", 0, 16);
  Peer second;
  uint32_t other = 0;
  bool reused = false;
};

}  // namespace

TEST("an exchange that is cut before its response goes elsewhere where its method allows it") {
  Cut c;
  c.client.send(kGet);
  CHECK(c.meet());
  CHECK_EQ(c.cut(), 1u);
  CHECK(c.second_has_it());
  c.second.send(kOk);
  CHECK(c.wait([&] { return c.whole_responses() == 1; }));
  CHECK_EQ(c.response().status, 200);
  CHECK(c.wait([&] { return c.server.ended; }));
  CHECK_EQ(c.bed.decider.failures.size(), 1u);
  CHECK_EQ(c.bed.decider.failures[0].reason, abi::failure::reset);
  CHECK_EQ(c.bed.decider.failures[0].error, ECONNRESET);
  CHECK(!c.bed.decider.failures[0].unsent);
  // Nothing is wrong with the server.
  CHECK_EQ(c.bed.counted_server(abi::server_counter::failures), 0.0);
  CHECK_EQ(c.cut(), 0u);
  c.leave();
}

TEST("an exchange that is cut on a kept connection is not tried on the same server again") {
  Cut c;
  c.client.send(kGet);
  CHECK(c.serve(kOk));
  c.client.send(kGet);
  CHECK(c.wait([&] { return read_requests(c.server.received).all.size() == 2; }));
  CHECK_EQ(c.bed.counted_server(abi::server_counter::reused), 1.0);
  CHECK_EQ(c.cut(), 1u);
  CHECK(!c.reused);
  CHECK_EQ(c.bed.counted_server(abi::server_counter::stale), 0.0);
  CHECK(c.second_has_it());
  c.second.send(kOk);
  CHECK(c.wait([&] { return c.whole_responses() == 2; }));
  c.leave();
}

TEST("a request that is not idempotent and was sent is answered with 502 when it is cut") {
  Cut c;
  c.client.send(kPost);
  CHECK(c.meet());
  CHECK_EQ(c.cut(), 1u);
  CHECK(c.wait([&] { return c.whole_responses() == 1; }));
  CHECK_EQ(c.response().status, 502);
  CHECK(!accept_from(c.listening.fd).open());
  c.leave();
}

TEST("a response that is cut ends visibly") {
  Cut c;
  c.client.send(kGet);
  CHECK(c.meet());
  c.server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  CHECK(c.wait([&] { return c.client.got("hello"); }));
  CHECK_EQ(c.cut(), 1u);
  CHECK(c.bed.until([&] { return c.client.pump(), c.client.ended; }));
  CHECK(!c.responses().all[0].complete);
  CHECK(c.bed.decider.failures.empty());
  CHECK_EQ(c.bed.counted(abi::worker_counter::broken_responses), 1.0);
  c.leave();
}

TEST("a request that is still being connected or sent is cut like any other") {
  for (const bool is_half : {false, true}) {
    Cut c;
    c.client.send(is_half ? kPost.substr(0, kPost.size() - 5) : kGet);
    if (is_half) CHECK(c.meet_head());
    else c.bed.turn();
    CHECK_EQ(c.cut(), 1u);
    if (is_half) {
      CHECK(c.wait([&] { return c.whole_responses() == 1; }));
      CHECK_EQ(c.response().status, 502);
    } else {
      CHECK(c.second_has_it());
    }
    c.leave();
  }
}

TEST("only exchanges of that server are cut, and all of them, whatever their ends lead to") {
  Cut c;
  std::vector<Peer> clients, servers;
  for (int i = 0; i < 8; ++i) {
    c.bed.decider.server = i % 2 ? c.other : 0;
    clients.push_back(c.bed.connect());
    clients.back().send(kGet + kGet);
    servers.push_back(i % 2 ? Peer() : c.bed.accept());
    if (i % 2) CHECK(c.bed.until([&] { return (servers.back() = accept_from(c.listening.fd)).open(); }));
  }
  c.bed.decider.server = 0;
  // Each failure closes another client of the same server, and is answered.
  c.bed.decider.on_failure = [&](Exchange& ex, const Failure&) {
    for (size_t i = 0; i < clients.size(); i += 2)
      if (clients[i].open() && local_port_of(clients[i].fd()) != ex.client->peer_port) {
        clients[i].reset();
        break;
      }
    c.bed.decider.server = c.other;
    const Verdict v = c.bed.decider.answer(503, "cut");
    return v;
  };
  CHECK_EQ(c.cut(), 4u);
  c.bed.run();
  CHECK_EQ(c.bed.engine.rt.board.total_in_flight(0).load(), 0);
  CHECK(c.bed.engine.rt.board.total_in_flight(c.other).load() >= 4);
  for (Peer& peer : clients) peer.close();
  for (Peer& peer : servers) peer.close();
  while (accept_from(c.listening.fd).open()) {
  }
  c.bed.run();
  while (accept_from(c.listening.fd).open()) {
  }
  c.leave();
}

TEST("a hedged request that is cut on one server goes on with the other") {
  for (const bool cuts_first : {true, false}) {
    Cut c;
    c.bed.plan().hedge_ms = 50;
    c.bed.plan().first_byte_ms = 1000;
    c.bed.decider.on_hedge = [&](Exchange&) {
      Verdict v = c.bed.decider.forward();
      v.server = c.other;
      return v;
    };
    c.client.send(kGet);
    CHECK(c.meet());
    c.bed.advance(60);
    CHECK(c.second_has_it());
    CHECK_EQ(c.cut(cuts_first ? 0 : c.other), 1u);
    CHECK_EQ(c.bed.usage().upstream_connections, 1u);
    (cuts_first ? c.second : c.server).send(kOk);
    CHECK(c.wait([&] { return c.second.pump(), c.whole_responses() == 1; }));
    CHECK_EQ(c.response().status, 200);
    CHECK(c.bed.decider.failures.empty());
    c.leave();
  }
}
