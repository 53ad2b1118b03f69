// Joined L4 connections: ends, resets, backpressure, and how bytes are moved. Upgraded exchanges: exchange_tunnel.cc.
#include <fcntl.h>
#include <sys/resource.h>

#include <string>

#include "check.h"
#include "lib/flow.h"

using namespace weir;

namespace {

const std::string kBulk(9'000'000, 't');
// What comes first is copied, and the last read may be small.
constexpr double kCopiedFirst = 2'500'000;

double spliced(const Flow& flow) { return flow.bed.counted(abi::worker_counter::spliced_bytes); }
double copied(const Flow& flow) { return flow.bed.counted(abi::worker_counter::copied_bytes); }

// The process may open no further descriptor while this lives.
struct NoMoreDescriptors {
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before);
    const UniqueFd lowest(::fcntl(0, F_DUPFD_CLOEXEC, 0));
    rlimit now = before;
    now.rlim_cur = rlim_t(lowest.get());
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before{};
};

Peer& side(Flow& flow, bool client) { return client ? flow.client : flow.server; }

}  // namespace

TEST("the directions of a tunnel end one by one, with everything that came before") {
  for (const bool from_client : {true, false}) {
    Flow flow;
    CHECK(flow.open());
    Peer& first = side(flow, from_client);
    Peer& second = side(flow, !from_client);
    first.send(kBulk);
    first.half_close();
    CHECK(flow.wait([&] { return second.ended; }));
    CHECK(second.received == kBulk && !second.broken && !flow.is_over());
    second.send("still here");
    CHECK(flow.wait([&] { return first.received == "still here"; }));
    second.half_close();
    CHECK(flow.wait([&] { return first.ended && flow.is_over(); }));
    CHECK(!first.broken);
    flow.expect_clean();
  }
}

TEST("both directions of a tunnel carry bulk at the same time") {
  Flow flow;
  CHECK(flow.open());
  flow.client.send(kBulk);
  flow.server.send(kBulk);
  flow.client.half_close();
  flow.server.half_close();
  CHECK(flow.wait([&] { return flow.client.ended && flow.server.ended; }));
  CHECK(flow.client.received == kBulk && flow.server.received == kBulk);
  CHECK(!flow.client.broken && !flow.server.broken);
  flow.expect_clean();
}

TEST("a reset becomes a reset on the other side") {
  for (const bool from_client : {true, false}) {
    Flow flow;
    CHECK(flow.open());
    Peer& from = side(flow, from_client);
    Peer& to = side(flow, !from_client);
    from.reset();
    CHECK(flow.wait([&] { return to.ended; }));
    CHECK(to.broken && flow.is_over());
    flow.expect_clean();
  }
}

TEST("what came before a reset arrives before it") {
  for (const bool from_client : {true, false}) {
    Flow flow;
    CHECK(flow.open());
    Peer& from = side(flow, from_client);
    Peer& to = side(flow, !from_client);
    to.stalled = true;
    from.send(std::string(3'000'000, 'r'));
    flow.settle();
    const std::string sent = from.sent;
    CHECK(sent.size() > 200'000);
    // All that is still in the sender's kernel dies with the reset; what the engine and the receiver's kernel have does not.
    const size_t ours = size_t(flow.bed.counted_server(from_client ? abi::server_counter::bytes_sent : abi::server_counter::bytes_received));
    from.reset();
    flow.bed.run();
    to.stalled = false;
    CHECK(flow.wait([&] {
      flow.bed.advance(4);
      return to.ended;
    }));
    CHECK(to.broken);
    CHECK(to.received.size() >= ours && to.received == sent.substr(0, to.received.size()));
    CHECK(flow.is_over());
    flow.expect_clean();
  }
}

TEST("a reset is not held up for long by a side that does not read") {
  Flow flow;
  CHECK(flow.open());
  flow.client.stalled = true;
  flow.client.shrink_buffers(4096);
  flow.server.send("end of file");
  CHECK(flow.wait([&] { return flow.bed.counted_server(abi::server_counter::bytes_received) == 11; }));
  // More than the kernel takes, and little enough that the engine holds the rest when the reset comes.
  flow.server.send(std::string(60'000, 'x'));
  flow.settle();
  flow.server.reset();
  flow.bed.run();
  flow.bed.advance(2'100);
  CHECK(flow.bed.until([&] { return flow.bed.advance(20), flow.is_over() || flow.bed.usage().buffers > 0; }));
  flow.client.stalled = false;
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.broken);
  CHECK_EQ(flow.client.received.substr(0, 11), "end of file");
  flow.expect_clean();
}

TEST("a server that answers and resets while the client still sends is heard out") {
  Flow flow;
  CHECK(flow.open());
  flow.client.send(std::string(100'000, 'q'));
  CHECK(flow.wait([&] { return flow.server.received.size() == 100'000; }));
  flow.server.stalled = true;
  flow.client.send(std::string(50'000, 'q'));
  CHECK(flow.wait([&] { return flow.bed.counted_server(abi::server_counter::bytes_sent) == 150'000; }));
  // Closing with bytes unread is a reset, right behind the answer.
  flow.server.send("no more, thanks");
  UniqueFd left = flow.server.release();
  left.reset();
  flow.client.send(std::string(1'000'000, 'q'));
  CHECK(flow.wait([&] {
    flow.bed.advance(4);
    return flow.client.ended;
  }));
  CHECK(flow.client.broken);
  CHECK_EQ(flow.client.received, "no more, thanks");
  flow.expect_clean();
}

TEST("a server that answered and closed in order breaks when the client goes on sending") {
  Flow flow;
  CHECK(flow.open());
  flow.server.send("bye");
  flow.server.close();
  CHECK(flow.bed.until([&] { return flow.client.pump(), flow.client.ended; }));
  CHECK(!flow.client.broken);
  CHECK_EQ(flow.client.received, "bye");
  for (int i = 0; i < 3; ++i) {
    flow.client.send("more");
    flow.bed.run();
    flow.bed.advance(20);
  }
  CHECK(flow.bed.until([&] { return flow.is_over(); }));
  flow.expect_clean();
}

TEST("a tunnel moves bytes no faster than its slower side takes them, and loses none") {
  for (const bool from_client : {true, false}) {
    Flow flow;
    CHECK(flow.open());
    Peer& from = side(flow, from_client);
    Peer& to = side(flow, !from_client);
    to.shrink_buffers(65536);
    to.stalled = true;
    // More than the kernel's buffers grow to.
    from.send(std::string(40'000'000, 'w'));
    flow.settle();
    CHECK(!from.idle());
    CHECK(flow.bed.usage().buffers <= 1u && flow.bed.usage().pipes <= 1u);
    // The other direction flows meanwhile.
    to.send("and you?");
    CHECK(flow.wait([&] { return from.received == "and you?"; }));
    to.stalled = false;
    from.half_close();
    CHECK(flow.wait([&] { return to.ended; }));
    CHECK(to.received.size() == 40'000'000 && !to.broken);
    flow.expect_clean();
  }
}

TEST("a side that stalls and goes on again and again gets everything") {
  Flow flow;
  CHECK(flow.open());
  flow.client.shrink_buffers(16384);
  flow.server.send(kBulk);
  flow.server.half_close();
  for (int i = 0; i < 40; ++i) {
    flow.client.stalled = i % 2 == 0;
    flow.client.pump();
    flow.server.pump();
    flow.bed.run();
  }
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.received == kBulk);
  flow.expect_clean();
}

TEST("what waits behind a stalled side arrives when its sender has long ended") {
  for (const bool from_client : {true, false}) {
    Flow flow;
    CHECK(flow.open());
    Peer& from = side(flow, from_client);
    Peer& to = side(flow, !from_client);
    to.shrink_buffers(16384);
    to.stalled = true;
    while (from.idle() && flow.bed.usage().buffers + flow.bed.usage().pipes == 0) {
      from.send(std::string(50'000, 'w'));
      flow.settle();
    }
    // No event will tell of this again.
    from.send("the last words");
    from.half_close();
    flow.settle();
    CHECK(from.closed_in_order);
    to.stalled = false;
    CHECK(flow.wait([&] { return to.ended; }));
    CHECK(to.received == from.sent && !to.broken);
    flow.expect_clean();
  }
}

TEST("bulk is spliced, small messages are copied") {
  for (const bool from_client : {true, false}) {
    Flow flow;
    CHECK(flow.open());
    Peer& from = side(flow, from_client);
    Peer& to = side(flow, !from_client);
    const auto exchange = [&](const std::string& message) {
      const size_t size = to.received.size() + message.size();
      from.send(message);
      return flow.wait([&] { return to.received.size() == size; });
    };
    CHECK(exchange("small"));
    CHECK_EQ(spliced(flow), 0.0);
    CHECK(exchange(kBulk));
    CHECK(spliced(flow) > double(kBulk.size()) - kCopiedFirst);
    // Soon enough; when exactly is a matter of tuning.
    for (int i = 0; i < 60; ++i) CHECK(exchange(std::string(100, 's')));
    const double small = spliced(flow), copies = copied(flow);
    CHECK(exchange(std::string(100, 'c')));
    CHECK_EQ(spliced(flow), small);
    CHECK_EQ(copied(flow), copies + 100);
    CHECK(exchange(kBulk));
    CHECK(spliced(flow) > small + double(kBulk.size()) - kCopiedFirst);
    flow.expect_clean();
  }
}

TEST("bulk that gathers arrives whole, also what is left of it, and a small answer after large ones") {
  for (const bool from_client : {true, false}) {
    Flow flow;
    CHECK(flow.open());
    Peer& asks = side(flow, !from_client);
    Peer& answers = side(flow, from_client);
    size_t asked = 0, answered = 0;
    const auto round = [&](size_t bytes) {
      asks.send("?");
      ++asked;
      CHECK(flow.wait([&] { return answers.received.size() == asked; }));
      answers.send(std::string(bytes, 'a'));
      answered += bytes;
      CHECK(flow.wait([&] { return asks.received.size() == answered; }));
    };
    for (const size_t bytes : {1'200'000, 1'200'001, 3'000'000, 1'048'576, 7, 2'000'000, 300, 70'000}) round(bytes);
    // Nothing is asked in between, and what comes last is little.
    for (int part = 0; part < 3; ++part) {
      answers.send(kBulk);
      answers.send("!");
      answered += kBulk.size() + 1;
      CHECK(flow.wait([&] { return asks.received.size() == answered; }));
    }
    CHECK(!flow.is_over());
    asks.half_close();
    answers.half_close();
    CHECK(flow.wait([&] { return flow.is_over(); }));
    flow.expect_clean();
  }
}

TEST("without pipes bulk is copied") {
  Flow flow;
  CHECK(flow.open());
  {
    const NoMoreDescriptors full;
    flow.server.send(kBulk);
    CHECK(flow.wait([&] { return flow.client.received.size() == kBulk.size(); }));
    CHECK_EQ(spliced(flow), 0.0);
  }
  flow.server.send(kBulk);
  CHECK(flow.wait([&] { return flow.client.received.size() == 2 * kBulk.size(); }));
  CHECK(spliced(flow) > double(kBulk.size()) - kCopiedFirst);
  flow.expect_clean();
}

TEST("urgent data hold nothing up and stay in their place") {
  for (const bool is_bulk : {false, true}) {
    for (const bool ends : {false, true}) {
      Flow flow;
      CHECK(flow.open());
      if (is_bulk) {
        flow.client.send(kBulk);
        CHECK(flow.wait([&] { return flow.server.received.size() == kBulk.size(); }));
        CHECK(spliced(flow) > 0);
      }
      flow.client.send("before");
      flow.client.send_urgent('!');
      flow.client.send_urgent('!');
      flow.client.send("after");
      if (ends) flow.client.half_close();
      const std::string wanted = (is_bulk ? kBulk : "") + "before!!after";
      CHECK(flow.wait([&] { return flow.server.received.size() == wanted.size(); }));
      CHECK(flow.server.received == wanted);
      CHECK(flow.wait([&] { return flow.server.ended == ends; }));
      flow.expect_clean();
    }
  }
}

TEST("a silent tunnel ends after its idle time, one that moves bytes does not") {
  Flow flow;
  flow.bed.tunnel_plan.idle_ms = 100'000;
  CHECK(flow.open());
  for (int i = 1; i < 5; ++i) {
    flow.bed.advance(90'000);
    flow.client.send("x");
    CHECK(flow.wait([&] { return flow.server.received.size() == size_t(i); }));
  }
  flow.bed.advance(99'990);
  CHECK(!flow.is_over());
  flow.bed.advance(30);
  CHECK(flow.is_over());
  CHECK(flow.wait([&] { return flow.client.ended && flow.server.ended; }));
  CHECK(!flow.client.broken && !flow.server.broken);
  flow.expect_clean();
}

TEST("a side that has not got everything when the idle time ends sees a reset") {
  Flow flow;
  flow.bed.tunnel_plan.idle_ms = 100'000;
  CHECK(flow.open());
  flow.client.shrink_buffers(4096);
  flow.client.stalled = true;
  flow.server.send(kBulk);
  flow.settle();
  flow.bed.advance(100'020);
  CHECK(flow.is_over());
  flow.client.stalled = false;
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.broken && flow.client.received.size() < kBulk.size());
  flow.expect_clean();
}

TEST("cutting a server resets its tunnels, and no others") {
  const Listening second = listen_on_ip("127.0.0.1", 0, 4);
  Flow flow;
  CHECK(flow.open());
  flow.bed.decider.server = flow.bed.add_server({loopback(second.port)});
  Peer other = flow.bed.connect(), other_server;
  CHECK(flow.bed.until([&] { return other_server.open() || (other_server = accept_from(second.fd)).open(); }));
  CHECK_EQ(flow.bed.engine.tunnels.cut(0), 1u);
  flow.bed.engine.settle();
  CHECK(flow.wait([&] { return flow.client.ended && flow.server.ended; }));
  CHECK(flow.client.broken && flow.server.broken);
  other.send("alive");
  CHECK(flow.bed.until([&] { return other_server.pump(), other_server.received == "alive"; }));
  CHECK_EQ(flow.bed.usage().in_flight, 1);
  other.close();
  other_server.close();
  flow.expect_clean();
}

TEST("an engine that closes tells those that have not got everything") {
  Flow flow;
  CHECK(flow.open());
  flow.client.shrink_buffers(4096);
  flow.client.stalled = true;
  flow.server.send(kBulk);
  flow.settle();
  flow.bed.engine.close_all();
  flow.client.stalled = false;
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.broken);
  flow.expect_clean();
}

TEST("an engine that closes ends a tunnel where nothing is on its way in order") {
  Flow flow;
  CHECK(flow.open());
  flow.bed.engine.close_all();
  CHECK(flow.wait([&] { return flow.client.ended && flow.server.ended; }));
  CHECK(!flow.client.broken && !flow.server.broken);
  flow.expect_clean();
}

TEST("many tunnels at once keep their bytes apart") {
  Flow flow;
  std::vector<Peer> clients, servers;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(flow.bed.connect());
    clients.back().send(std::string(size_t(2000 * i + 1), char('A' + i)));
    clients.back().half_close();
  }
  CHECK(flow.bed.until([&] {
    if (Peer made = flow.bed.accept_now(); made.open()) servers.push_back(std::move(made));
    size_t ended = 0;
    for (Peer& server : servers) server.pump(), ended += server.ended;
    for (Peer& client : clients) client.pump();
    return ended == clients.size();
  }));
  for (const Peer& server : servers) {
    const char who = server.received[0];
    CHECK(server.received == std::string(size_t(2000 * (who - 'A') + 1), who));
  }
  clients.clear();
  servers.clear();
  flow.expect_clean();
}
