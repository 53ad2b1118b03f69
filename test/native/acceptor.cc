// Listening sockets that come, move to another listener, and go, while connections live on.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <string>

#include "check.h"
#include "lib/round.h"

using namespace weir;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// A further socket of the engine. Its number; the engine owns it.
struct Door {
  Door(TestBed& bed, unsigned listener) {
    Listening l = listen_on_ip("127.0.0.1", 0, 16);
    port = l.port;
    fd = l.fd.release();
    (void)bed.engine.forwarder.listener(listener);
    CHECK(bed.engine.acceptor.add(fd, listener, port));
  }
  int fd = -1;
  uint16_t port = 0;
};

// A client that has connected; not open when it was refused.
Peer knock(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address to = loopback(port);
  if (::connect(fd.get(), &to.any, to.length) != 0) return Peer();
  return Peer(std::move(fd));
}

double accepted(TestBed& bed, unsigned listener) { return bed.engine.rt.listener_cell(listener, abi::listener_counter::accepted); }

}  // namespace

TEST("a socket that is listened to no more refuses, and what it accepted lives on") {
  Round round;
  const Door door(round.bed, 1);
  Peer client = knock(door.port);
  CHECK(round.bed.until([&] { return accepted(round.bed, 1) == 1; }));
  round.bed.engine.acceptor.remove(door.fd);
  CHECK(!knock(door.port).open());
  client.send(kGet);
  CHECK(round.meet());
  round.server.send(kOk);
  CHECK(round.wait([&] { return client.pump(), client.got("hello"); }));
  // The others go on.
  round.client.send(kGet);
  CHECK(round.wait([&] { return read_requests(round.server.received).all.size() == 2; }));
  CHECK(round.answer(kOk));
  client.close();
  round.expect_clean();
}

TEST("a socket that other workers listen to still is theirs alone, and wakes us no more") {
  Round round;
  const Door door(round.bed, 1);
  const UniqueFd theirs(::fcntl(door.fd, F_DUPFD_CLOEXEC, 0));
  round.bed.engine.acceptor.remove(door.fd);
  Peer client = knock(door.port);
  CHECK(client.open());
  CHECK(round.bed.run(10));
  CHECK(accept_from(theirs).open());
  client.close();
  round.bed.at_start.fds += 1;
  round.expect_clean();
}

TEST("a paused socket can be closed, and so can one that was never listened to") {
  Round round;
  const Door door(round.bed, 1);
  round.bed.engine.forwarder.listener(1).connections = 0;
  Peer client = knock(door.port);
  CHECK(round.bed.until([&] { return round.bed.counted(abi::worker_counter::accept_pauses) > 0; }));
  round.bed.engine.acceptor.remove(door.fd);
  round.bed.advance(200);
  CHECK_EQ(accepted(round.bed, 1), 0.0);
  Listening other = listen_on_ip("127.0.0.1", 0, 1);
  round.bed.engine.acceptor.remove(other.fd.release());
  CHECK(!knock(other.port).open());
  round.bed.engine.acceptor.remove(-1);
  client.close();
  round.expect_clean();
}

TEST("a socket that is listened to already moves to another listener and port") {
  Round round;
  const Door door(round.bed, 1);
  (void)round.bed.engine.forwarder.listener(2);
  Peer before = knock(door.port);
  CHECK(round.bed.until([&] { return accepted(round.bed, 1) == 1; }));
  CHECK(round.bed.engine.acceptor.add(door.fd, 2, 4711));
  Peer after = knock(door.port);
  CHECK(round.bed.until([&] { return accepted(round.bed, 2) == 1; }));
  CHECK_EQ(accepted(round.bed, 1), 1.0);
  std::vector<uint16_t> ports;
  round.bed.engine.forwarder.clients.each([&](ClientConnection* c) {
    if (c->listener == 2) ports.push_back(c->local_port);
  });
  CHECK(ports.size() == 1 && ports[0] == 4711);
  before.close();
  after.close();
  round.bed.engine.acceptor.remove(door.fd);
  round.expect_clean();
}

TEST("sockets may come and go for ever, and a number that is used again is a new socket") {
  Round round;
  for (int i = 0; i < 100; ++i) {
    const Door door(round.bed, unsigned(1 + i % 3));
    const double before = accepted(round.bed, unsigned(1 + i % 3));
    Peer client = knock(door.port);
    CHECK(round.bed.until([&] { return accepted(round.bed, unsigned(1 + i % 3)) == before + 1; }));
    round.bed.engine.acceptor.remove(door.fd);
    client.close();
  }
  round.expect_clean();
}

TEST("a decision may close the socket that its connection came from") {
  Round round;
  const Door door(round.bed, 1);
  round.bed.engine.forwarder.listener(1).protocol = abi::protocol::tcp;
  round.bed.decider.on_tunnel = [&](Tunnel&, const ClientHello&) {
    round.bed.engine.acceptor.remove(door.fd);
    return round.bed.decider.tunnel();
  };
  Peer first = knock(door.port), second = knock(door.port);
  CHECK(round.bed.until([&] { return round.bed.usage().tunnels == 1; }));
  round.bed.run();
  CHECK_EQ(accepted(round.bed, 1), 1.0);
  first.close();
  second.reset();
  round.expect_clean();
}

TEST("a socket that somebody else opened does not block whoever accepts") {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address any = loopback(0);
  CHECK(::bind(fd.get(), &any.any, any.length) == 0 && ::listen(fd.get(), 1) == 0);
  prepare_to_accept(fd.get());
  CHECK(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC) == -1 && errno == EAGAIN);
}
