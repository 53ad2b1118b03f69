// L4 connections until they are joined: verdicts, attempts, what the client does meanwhile, and the PROXY header that goes first.
#include <sys/socket.h>

#include <string>
#include <vector>

#include "check.h"
#include "lib/flow.h"

using namespace weir;

namespace {

const TunnelVerdict kWait{.kind = abi::verdict::wait};

// A server whose queue of connections is full: the kernel answers no further one.
struct FrozenServer {
  FrozenServer() : listening(listen_on_ip("127.0.0.1", 0, 0)) {
    for (UniqueFd& fd : queued) {
      fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const Address to = loopback(listening.port);
      (void)::connect(fd.get(), &to.any, to.length);
    }
  }
  Listening listening;
  UniqueFd queued[4];
};

// The verdict "wait" for every connection, and the one connection that waits.
struct Waiting {
  explicit Waiting(Flow& flow) : engine(flow.bed.engine) {
    flow.bed.decider.on_tunnel = [this](Tunnel& t, const ClientHello&) {
      index = t.slot_index;
      generation = t.slot_generation;
      return kWait;
    };
  }
  bool resume(const TunnelVerdict& v) {
    engine.rt.tick();
    const bool done = engine.tunnels.resume(index, generation, v);
    engine.settle();
    return done;
  }
  Engine& engine;
  uint32_t index = 0, generation = 0;
};

}  // namespace

TEST("a tunnel joins a client to the server of its verdict") {
  for (const auto sockets : {TestBed::Sockets::tcp, TestBed::Sockets::unix_path}) {
    Flow flow(abi::protocol::tcp, sockets);
    CHECK(flow.open());
    CHECK_EQ(flow.bed.usage().in_flight, 1);
    flow.client.send("question");
    CHECK(flow.wait([&] { return flow.server.received == "question"; }));
    flow.server.send("answer");
    CHECK(flow.wait([&] { return flow.client.received == "answer"; }));
    CHECK_EQ(flow.bed.counted_server(abi::server_counter::bytes_sent), 8.0);
    CHECK_EQ(flow.bed.counted_server(abi::server_counter::bytes_received), 6.0);
    CHECK_EQ(flow.bed.counted(abi::worker_counter::tunnels), 1.0);
    flow.expect_clean();
  }
}

TEST("a client whose server refuses is joined to another one") {
  Flow flow;
  const uint32_t dead = flow.bed.add_server({nowhere()});
  flow.bed.decider.server = dead;
  flow.bed.decider.on_tunnel_failure = [&](Tunnel&, int) { return flow.bed.decider.server = 0, flow.bed.decider.tunnel(); };
  flow.client = flow.bed.connect();
  flow.client.send("kept");
  CHECK(flow.wait([&] { return flow.server.received == "kept"; }));
  CHECK(flow.bed.decider.tunnel_failures == std::vector<int>{abi::failure::connect});
  CHECK_EQ(flow.bed.engine.rt.board.server(dead)[abi::server_counter::failures], 1.0);
  CHECK_EQ(flow.bed.engine.rt.board.total_in_flight(dead).load(), 0);
  CHECK_EQ(flow.bed.usage().in_flight, 1);
  flow.expect_clean();
}

TEST("a server that has several addresses is tried at the next one, which is remembered") {
  Flow flow;
  flow.bed.decider.server = flow.bed.add_server({nowhere(), nowhere(), flow.bed.server_address()});
  CHECK(flow.open());
  CHECK(flow.bed.decider.tunnel_failures.empty());
  CHECK_EQ(flow.bed.engine.pool.server(flow.bed.decider.server)->preferred, 2u);
  flow.client.send("x");
  CHECK(flow.wait([&] { return flow.server.received == "x"; }));
  flow.expect_clean();
}

TEST("a server none of whose addresses answers fails once") {
  Flow flow;
  flow.bed.decider.server = flow.bed.add_server({nowhere(), nowhere()});
  flow.bed.decider.retries = 1;
  flow.client = flow.bed.connect();
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.broken);
  CHECK_EQ(flow.bed.decider.tunnel_failures.size(), 2u);
  CHECK(flow.bed.decider.refusals == std::vector<int>{abi::refusal::no_server});
  CHECK_EQ(flow.bed.engine.rt.listener_cell(0, abi::listener_counter::refused_no_server), 1.0);
  flow.expect_clean();
}

TEST("a policy that never gives up is stopped") {
  Flow flow;
  flow.bed.decider.server = flow.bed.add_server({nowhere()});
  flow.bed.decider.retries = 1000;
  flow.client = flow.bed.connect();
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.broken);
  CHECK(flow.bed.decider.tunnel_failures.size() <= 200u);
  flow.expect_clean();
}

TEST("a server that takes too long to answer the connect is left for another") {
  const FrozenServer frozen;
  Flow flow;
  flow.bed.tunnel_plan.connect_ms = 500;
  flow.bed.decider.server = flow.bed.add_server({loopback(frozen.listening.port)});
  flow.bed.decider.on_tunnel_failure = [&](Tunnel&, int) { return flow.bed.decider.server = 0, flow.bed.decider.tunnel(); };
  flow.client = flow.bed.connect();
  flow.bed.advance(490);
  CHECK(flow.bed.decider.tunnel_failures.empty());
  flow.bed.advance(30);
  CHECK(flow.bed.decider.tunnel_failures == std::vector<int>{abi::failure::connect_timeout});
  CHECK(flow.wait([&] { return flow.server.open() && flow.joined(); }));
  flow.expect_clean();
}

TEST("a server at its limit is busy, and the client that waits gets it later") {
  Flow flow;
  flow.bed.server().max_connections = 1;
  CHECK(flow.open());
  Peer first = std::move(flow.client), first_server = std::move(flow.server);
  std::vector<std::pair<uint32_t, uint32_t>> waiting;
  flow.bed.decider.on_tunnel_failure = [&](Tunnel& t, int) { return waiting.emplace_back(t.slot_index, t.slot_generation), kWait; };
  flow.client = flow.bed.connect();
  CHECK(flow.bed.run());
  CHECK(flow.bed.decider.tunnel_failures == std::vector<int>{abi::failure::busy});
  CHECK_EQ(flow.bed.counted_server(abi::server_counter::failures), 0.0);
  CHECK_EQ(flow.bed.usage().in_flight, 1);
  first.close();
  first_server.close();
  CHECK(flow.bed.until([&] { return flow.bed.usage().in_flight == 0; }));
  CHECK_EQ(waiting.size(), 1u);
  CHECK(flow.bed.engine.tunnels.resume(waiting[0].first, waiting[0].second, flow.bed.decider.tunnel()));
  CHECK(!flow.bed.engine.tunnels.resume(waiting[0].first, waiting[0].second, flow.bed.decider.tunnel()));
  CHECK(flow.wait([&] { return flow.server.open() && flow.joined(); }));
  flow.expect_clean();
}

TEST("what a client says and ends while it waits reaches the server") {
  Flow flow;
  Waiting waiting(flow);
  flow.client = flow.bed.connect();
  flow.client.send("all I have");
  flow.client.half_close();
  CHECK(flow.bed.run());
  CHECK(waiting.resume(flow.bed.decider.tunnel()));
  CHECK(flow.wait([&] { return flow.server.ended; }));
  CHECK_EQ(flow.server.received, "all I have");
  flow.server.send("thanks");
  flow.server.half_close();
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK_EQ(flow.client.received, "thanks");
  CHECK(!flow.client.broken && flow.is_over());
  flow.expect_clean();
}

TEST("a client that resets while it waits is forgotten, and its late verdict finds nobody") {
  Flow flow;
  Waiting waiting(flow);
  flow.client = flow.bed.connect();
  flow.client.reset();
  CHECK(flow.bed.until([&] { return flow.is_over(); }));
  CHECK(!waiting.resume(flow.bed.decider.tunnel()));
  CHECK(!flow.bed.accept_now().open());
  // Whoever has its place now must not get the verdict either.
  Peer next = flow.bed.connect();
  const uint32_t generation = waiting.generation;
  CHECK(!flow.bed.engine.tunnels.resume(waiting.index, generation - 1, flow.bed.decider.tunnel()));
  next.close();
  CHECK(waiting.resume(TunnelVerdict{.refusal = abi::refusal::no_server}));
  flow.expect_clean();
}

TEST("a client that resets while its server is connected to takes the connect with it") {
  const FrozenServer frozen;
  Flow flow;
  flow.bed.decider.server = flow.bed.add_server({loopback(frozen.listening.port)});
  flow.client = flow.bed.connect();
  CHECK_EQ(flow.bed.usage().in_flight, 1);
  flow.client.reset();
  CHECK(flow.bed.until([&] { return flow.is_over(); }));
  CHECK(flow.bed.decider.tunnel_failures.empty());
  flow.expect_clean();
}

TEST("a verdict that never comes ends the connection with a reset") {
  Flow flow;
  Waiting waiting(flow);
  flow.client = flow.bed.connect();
  flow.bed.advance(299'000);
  CHECK(!flow.is_over());
  flow.bed.advance(2'000);
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.broken);
  CHECK_EQ(flow.bed.decider.last_refusal, "no decision in time");
  flow.expect_clean();
}

TEST("a client that no route wants is reset and counted") {
  Flow flow;
  flow.bed.decider.on_tunnel = [](Tunnel&, const ClientHello&) { return TunnelVerdict{.refusal = abi::refusal::no_route}; };
  flow.client = flow.bed.connect();
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK(flow.client.broken);
  CHECK_EQ(flow.bed.engine.rt.listener_cell(0, abi::listener_counter::refused_no_route), 1.0);
  flow.expect_clean();
}

TEST("a verdict without a server ends the connection") {
  Flow flow;
  flow.bed.decider.server = 4000;
  flow.client = flow.bed.connect();
  CHECK(flow.wait([&] { return flow.client.ended; }));
  flow.expect_clean();
}

TEST("a server that was removed counts as one that refuses") {
  Flow flow;
  flow.bed.engine.pool.remove(0);
  flow.client = flow.bed.connect();
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK_EQ(flow.bed.decider.tunnel_failures.size(), 3u);
  CHECK_EQ(flow.bed.usage().in_flight, 0);
  flow.expect_clean();
}

TEST("the PROXY header is what a server gets first, with the client's address in it") {
  for (const ProxyVersion version : {ProxyVersion::v1, ProxyVersion::v2}) {
    for (const auto sockets : {TestBed::Sockets::tcp, TestBed::Sockets::unix_path}) {
      Flow flow(abi::protocol::tcp, sockets);
      flow.bed.tunnel_plan.send_proxy = version;
      flow.client = flow.bed.connect();
      flow.client.send("hello");
      CHECK(flow.wait([&] { return flow.server.got("hello"); }));
      ProxyHeader header;
      const ProxyRead read = read_proxy_header(flow.server.received, header);
      CHECK_EQ(read.kind, ProxyRead::Kind::complete);
      CHECK(header.has_addresses);
      CHECK_EQ(header.addresses.source_port, local_port_of(flow.client.fd()));
      CHECK_EQ(header.addresses.destination_port, flow.bed.port());
      CHECK(header.addresses.source.is_v4() && header.addresses.source.bytes[12] == 127);
      CHECK_EQ(flow.server.received.substr(read.bytes), "hello");
      // The header is ours, not the client's.
      CHECK_EQ(flow.bed.counted_server(abi::server_counter::bytes_sent), 5.0);
      flow.expect_clean();
    }
  }
}

TEST("a server that speaks first gets the PROXY header at once") {
  Flow flow;
  flow.bed.tunnel_plan.send_proxy = ProxyVersion::v1;
  CHECK(flow.open());
  CHECK(flow.wait([&] { return flow.server.got("\r\n"); }));
  CHECK_EQ(flow.server.received.substr(0, 21), "PROXY TCP4 127.0.0.1 ");
  flow.server.send("220 ready");
  CHECK(flow.wait([&] { return flow.client.received == "220 ready"; }));
  flow.expect_clean();
}
