// Client connections that are to leave: when their turn comes, how they hear of it, and whom it does not concern.
#include "http/departure.h"

#include <string>
#include <vector>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"

using namespace weir;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Clients that have had an answer each and are idle.
struct Crowd : Round {
  explicit Crowd(size_t count) {
    bed.decider.on_decide = [this](Exchange&) { return bed.decider.answer(200, "own"); };
    for (size_t i = 0; i < count; ++i) {
      clients.push_back(bed.connect_pair());
      clients.back().send(kGet);
    }
    CHECK(bed.until([&] { return bed.decider.decided == count; }));
    bed.run();
    pump();
  }
  void pump() {
    for (Peer& peer : clients) peer.pump();
  }
  [[nodiscard]] size_t gone() {
    pump();
    size_t n = 0;
    for (const Peer& peer : clients) n += peer.ended;
    return n;
  }
  void pass(uint64_t ms) {
    for (uint64_t left = ms; left > 0; left -= std::min<uint64_t>(left, 10)) bed.advance(std::min<uint64_t>(left, 10));
  }
  // All of `clients` ask once more; how many were told that it was the last time.
  [[nodiscard]] size_t told() {
    size_t n = 0;
    for (Peer& peer : clients) {
      if (peer.ended) continue;
      peer.received.clear();
      peer.send(kGet);
      CHECK(bed.until([&] { return peer.pump(), peer.got("own"); }));
      const bool is_last = peer.got("Connection: close\r\n");
      bed.run();
      peer.pump();
      CHECK_EQ(peer.ended, is_last);
      n += is_last;
    }
    return n;
  }
  void leave() {
    for (Peer& peer : clients) peer.close();
    expect_clean();
  }

  std::vector<Peer> clients;
};

}  // namespace

TEST("turns are spread evenly over the first half of the window, for any run of slots, and are over with the second one") {
  for (const uint32_t first : {0u, 7u, 1000u}) {
    for (const uint32_t count : {2u, 10u, 64u, 1000u}) {
      Departure d;
      d.begin(5'000'000, 10'000);
      for (const uint32_t percent : {10u, 25u, 50u, 75u, 100u}) {
        uint32_t had = 0, overdue = 0;
        for (uint32_t slot = first; slot < first + count; ++slot) {
          had += d.has_turn(slot, 5'000'000 + percent * 50'000);
          overdue += d.is_overdue(slot, 10'000'000 + percent * 50'000);
        }
        // Never off by more than a few, which hardly anything but this multiplication achieves.
        CHECK(had * 100 + 300 >= percent * count && had * 100 <= percent * count + 300);
        CHECK_EQ(overdue, had);
      }
      for (uint32_t slot = first; slot < first + count; ++slot) CHECK(!d.is_overdue(slot, 9'999'999));
    }
  }
  CHECK(!Departure().has_turn(0, UINT64_MAX));
}

TEST("a departure can be hurried, not put off") {
  Departure d;
  d.begin(1'000'000, 60'000);
  d.begin(2'000'000, 80'000);
  CHECK_EQ(d.end_us(), 61'000'000u);
  d.begin(2'000'000, 0);
  for (uint32_t slot = 0; slot < 100; ++slot) CHECK(d.has_turn(slot, 2'000'000));
  d.begin(3'000'000, 10'000);
  CHECK_EQ(d.end_us(), 2'000'000u);
}

TEST("idle connections are closed evenly over the second half of the window, when no request has come that could tell them") {
  Crowd crowd(100);
  crowd.bed.engine.drain(2'000);
  crowd.pass(990);
  CHECK_EQ(crowd.gone(), 0u);
  crowd.pass(260);
  CHECK(crowd.gone() >= 20 && crowd.gone() <= 30);
  crowd.pass(250);
  CHECK(crowd.gone() >= 45 && crowd.gone() <= 55);
  crowd.pass(250);
  CHECK(crowd.gone() >= 70 && crowd.gone() <= 80);
  crowd.pass(270);
  CHECK_EQ(crowd.gone(), 100u);
  crowd.leave();
}

TEST("busy connections are told by their next response, each from its turn on") {
  for (const size_t percent : {0, 50, 100}) {
    Crowd crowd(100);
    // The first half is for telling.
    std::vector<std::pair<uint32_t, uint32_t>> waiting;
    crowd.bed.decider.on_decide = [&](Exchange& ex) {
      waiting.emplace_back(ex.slot_index, ex.slot_generation);
      return ScriptedDecider::wait();
    };
    for (Peer& peer : crowd.clients) {
      peer.received.clear();
      peer.send(kGet);
    }
    CHECK(crowd.bed.until([&] { return waiting.size() == 100; }));
    crowd.bed.engine.drain(2'000);
    crowd.pass(percent * 10);
    for (const auto& [index, generation] : waiting) CHECK(crowd.bed.engine.forwarder.resume(index, generation, crowd.bed.decider.answer(200, "own")));
    crowd.bed.engine.settle();
    crowd.bed.run();
    crowd.pump();
    size_t told = 0;
    for (const Peer& peer : crowd.clients) {
      const bool is_last = peer.got("Connection: close\r\n");
      CHECK(peer.got("own") && peer.ended == is_last);
      told += is_last;
    }
    CHECK(told + 5 >= percent && told <= percent + 5);
    crowd.leave();
  }
}

TEST("a request that arrives as its connection is to be closed is answered, and told that it is the last") {
  Round round;
  round.client.send(kGet);
  CHECK(round.serve(kOk));
  CHECK_EQ(round.response().field("connection"), "");
  round.client.send(kGet);
  round.bed.engine.drain();
  CHECK(round.wait([&] { return read_requests(round.server.received).all.size() == 2; }));
  CHECK(round.answer(kOk, 2));
  CHECK_EQ(round.responses().all[1].field("connection"), "close");
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK(!round.client.broken);
  round.expect_clean();
}

TEST("a connection whose turn comes behind its response's head gets the whole response and is closed then") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  CHECK(round.wait([&] { return round.client.got("he"); }));
  round.bed.engine.drain();
  round.bed.run();
  CHECK(!round.client.ended);
  CHECK(round.answer("llo"));
  CHECK_EQ(round.response().body, "hello");
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK(!round.client.broken);
  round.expect_clean();
}

TEST("a pipeline that is there when its connection is to leave gets one more answer, which says so") {
  Round round;
  round.client.send(kGet + kGet + kGet);
  CHECK(round.meet());
  round.bed.engine.drain();
  CHECK(round.answer(kOk));
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  CHECK_EQ(round.response().field("connection"), "close");
  CHECK_EQ(round.whole_responses(), 1u);
  round.expect_clean();
}

TEST("who has only just connected may still say its first request") {
  Round round;
  Peer silent = round.bed.connect();
  round.bed.engine.drain();
  round.bed.advance(500);
  silent.pump();
  CHECK(!silent.ended);
  round.client.send(kGet);
  CHECK(round.serve(kOk));
  CHECK_EQ(round.response().field("connection"), "close");
  round.bed.advance(500);
  round.bed.advance(10);
  CHECK(round.bed.until([&] { return silent.pump(), silent.ended; }));
  CHECK(!silent.broken);
  silent.close();
  round.expect_clean();
}

TEST("who connects while weir drains gets one answer") {
  Round round;
  round.bed.engine.drain();
  round.bed.advance(5'000);
  Peer late = round.bed.connect();
  round.client = Peer();
  late.send(kGet);
  CHECK(round.meet());
  round.server.send(kOk);
  CHECK(round.wait([&] { return late.pump(), late.ended; }));
  CHECK(late.got("Connection: close\r\n") && late.got("hello"));
  late.close();
  round.expect_clean();
}

TEST("who comes of a handshake that was under way when weir began to drain, and says nothing, is closed a second later") {
  Crowd crowd(0);
  crowd.bed.engine.drain(0);
  crowd.pass(500);
  crowd.clients.push_back(crowd.bed.connect_pair());
  crowd.pass(900);
  CHECK_EQ(crowd.gone(), 0u);
  crowd.pass(400);
  CHECK_EQ(crowd.gone(), 1u);
  crowd.leave();
}

TEST("a listener that is no more gives its own connections up, and no others") {
  Crowd crowd(10);
  Peer other;
  {
    // The engine takes the next client for one of listener 1.
    (void)crowd.bed.engine.forwarder.listener(1);
    other = crowd.bed.connect_pair();
    crowd.bed.engine.forwarder.clients.each([&](ClientConnection* c) {
      if (c->exchanges > 0 || c->peer_port != 1) return;
      --crowd.bed.engine.rt.listener_cell(0, abi::listener_counter::connections);
      ++crowd.bed.engine.rt.listener_cell(1, abi::listener_counter::connections);
      c->listener = 1;
    });
  }
  other.send(kGet);
  CHECK(crowd.bed.until([&] { return other.pump(), other.got("own"); }));
  crowd.bed.engine.retire_listener(1, 0);
  CHECK(crowd.bed.until([&] { return other.pump(), other.ended; }));
  crowd.bed.advance(2'000);
  CHECK_EQ(crowd.gone(), 0u);
  CHECK_EQ(crowd.told(), 0u);
  crowd.bed.engine.retire_listener(0, 0);
  crowd.bed.engine.retire_listener(77, 0);
  crowd.bed.run();
  CHECK_EQ(crowd.gone(), 10u);
  other.close();
  crowd.leave();
}

TEST("an index that is another listener's gives its connections their time, but for those of the one before") {
  Crowd crowd(10);
  crowd.bed.engine.retire_listener(0, 60'000);
  crowd.bed.run();
  CHECK(crowd.gone() <= 1);
  crowd.bed.engine.revive_listener(0);
  crowd.bed.run();
  CHECK_EQ(crowd.gone(), 10u);
  crowd.clients.push_back(crowd.bed.connect_pair());
  CHECK_EQ(crowd.told(), 0u);
  crowd.bed.advance(20'000);
  CHECK_EQ(crowd.gone(), 10u);
  crowd.bed.engine.revive_listener(0);
  crowd.bed.engine.revive_listener(77);
  crowd.bed.run();
  CHECK_EQ(crowd.gone(), 10u);
  crowd.leave();
}

TEST("a request that runs while its listener's index goes to another one is finished, and is the last") {
  Round round;
  round.client.send(kGet);
  CHECK(round.meet());
  round.bed.engine.retire_listener(0, 60'000);
  round.bed.engine.revive_listener(0);
  CHECK(round.answer(kOk));
  CHECK_EQ(round.response().field("connection"), "close");
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  round.expect_clean();
}
