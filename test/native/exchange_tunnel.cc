// Upgraded exchanges: two sockets joined byte for byte, each direction with an end of its own.
#include <string>

#include "check.h"
#include "lib/messages.h"
#include "lib/round.h"

using namespace weir;

namespace {

const std::string kUpgrade = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const std::string kSwitch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

bool open_tunnel(Round& round, const std::string& with_request = "", const std::string& with_response = "") {
  round.client.send(kUpgrade + with_request);
  if (!round.meet()) return false;
  round.server.send(kSwitch + with_response);
  return round.wait([&] { return round.client.got("\r\n\r\n" + with_response) && round.bed.usage().tunnels == 1; });
}

}  // namespace

TEST("an upgrade becomes a tunnel, with what came along with the heads first") {
  Round round;
  CHECK(open_tunnel(round, "early", "greeting"));
  CHECK_EQ(round.request().field("upgrade"), "websocket");
  CHECK_EQ(round.request().field("connection"), "upgrade");
  CHECK(round.wait([&] { return round.server.got("\r\n\r\nearly"); }));
  round.client.send(" and late");
  round.server.send(" and more");
  CHECK(round.wait([&] { return round.server.got("early and late") && round.client.got("greeting and more"); }));
  CHECK_EQ(round.bed.usage().in_flight, 1);
  round.expect_clean();
}

TEST("a tunnel's directions end one by one") {
  for (const bool client_first : {true, false}) {
    Round round;
    CHECK(open_tunnel(round));
    Peer& first = client_first ? round.client : round.server;
    Peer& second = client_first ? round.server : round.client;
    first.half_close();
    CHECK(round.wait([&] { return second.ended; }));
    CHECK_EQ(round.bed.usage().tunnels, 1u);
    second.send("still here");
    CHECK(round.wait([&] { return first.got("still here"); }));
    second.half_close();
    CHECK(round.wait([&] { return first.ended && round.bed.usage().tunnels == 0; }));
    CHECK(!first.broken && !second.broken);
    round.expect_clean();
  }
}

TEST("a reset on one side of a tunnel becomes a reset on the other") {
  for (const bool client_first : {true, false}) {
    Round round;
    CHECK(open_tunnel(round));
    (client_first ? round.client : round.server).reset();
    Peer& other = client_first ? round.server : round.client;
    CHECK(round.bed.until([&] { return other.pump(), other.ended; }));
    CHECK(other.broken);
    CHECK_EQ(round.bed.usage().tunnels, 0u);
    round.expect_clean();
  }
}

TEST("a tunnel moves bytes no faster than its slower side takes them, and loses none") {
  Round round;
  CHECK(open_tunnel(round));
  const std::string bulk(40'000'000, 't');
  round.client.shrink_buffers(65536);
  round.client.received.clear();
  round.client.stalled = true;
  round.server.send(bulk);
  for (int i = 0; i < 100; ++i) round.server.pump(), round.bed.run();
  CHECK(!round.server.idle());
  CHECK(round.bed.usage().buffers < 4u);
  round.client.stalled = false;
  round.server.half_close();
  CHECK(round.wait([&] { return round.client.ended; }));
  CHECK(round.client.received == bulk);
  round.expect_clean();
}

TEST("a silent tunnel ends after its idle time, one that moves bytes does not") {
  Round round;
  round.bed.plan().tunnel_ms = 60'000;
  CHECK(open_tunnel(round));
  for (int i = 0; i < 4; ++i) {
    round.bed.advance(50'000);
    round.server.send("x");
    CHECK(round.bed.until([&] { return round.client.pump(), round.client.got(std::string(size_t(i + 1), 'x')); }));
  }
  CHECK_EQ(round.bed.usage().tunnels, 1u);
  round.bed.advance(60'050);
  CHECK_EQ(round.bed.usage().tunnels, 0u);
  CHECK(round.bed.until([&] { return round.client.pump(), round.client.ended; }));
  round.expect_clean();
}

TEST("an upgrade that the server declines is a plain exchange") {
  Round round;
  round.client.send(kUpgrade);
  CHECK(round.serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"));
  CHECK_EQ(round.response().body, "no");
  CHECK_EQ(round.bed.usage().tunnels, 0u);
  CHECK_EQ(round.bed.usage().in_flight, 0);
  round.expect_clean();
}

TEST("an engine that ends closes its tunnels, connections and idle connections") {
  const size_t before = open_fds();
  Peer client, server;
  {
    Round round;
    CHECK(open_tunnel(round));
    client = round.bed.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server = round.bed.accept();
    CHECK(server.open());
  }
  client.pump();
  CHECK(client.ended);
  client.close();
  server.close();
  CHECK_EQ(open_fds(), before);
}
