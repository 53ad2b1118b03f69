#include "lib/test_bed.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

#include "lib/virtual_clock.h"

namespace weir {

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "the test bed cannot be set up: %s\n", what);
  abort();
}

// Nobody else is here: at 127.0.0.1 somebody may still look for a server whose port is ours now.
constexpr const char* kHost = "127.20.19.77";

UniqueFd connect_to(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Address to;
  require(Address::from_ip(kHost, port, to), "an address");
  require(::connect(fd.get(), &to.any, to.length) == 0, "a connection to the engine");
  return fd;
}

}  // namespace

// Pipes are left out: the engine keeps some for the next splice, and counts those that are in use.
size_t open_fds() {
  DIR* folder = ::opendir("/proc/self/fd");
  size_t n = 0;
  while (const dirent* entry = ::readdir(folder)) {
    char target[8];
    const ssize_t length = ::readlinkat(::dirfd(folder), entry->d_name, target, sizeof target);
    n += length < 5 || std::string_view(target, 5) != "pipe:";
  }
  ::closedir(folder);
  return n;
}

Peer accept_from(const UniqueFd& listening) {
  return Peer(UniqueFd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)));
}

uint16_t local_port_of(int fd) {
  Address at;
  at.length = sizeof at.un;
  require(::getsockname(fd, &at.any, &at.length) == 0, "a socket's address");
  return at.port();
}

Address loopback(uint16_t port) {
  Address at;
  require(Address::from_ip("127.0.0.1", port, at), "an address");
  return at;
}

Address nowhere() {
  // Taken and given back: the kernel does not soon give it to somebody else.
  return loopback(listen_on_ip("127.0.0.1", 0, 1).port);
}

std::string Usage::text() const {
  char out[320];
  std::snprintf(out, sizeof out,
                "arrivals %u, clients %u, exchanges %u, upstream connections %u, tunnels %u, buffers %u, pipes %u, timers %u, in flight %d, connections %g and %g, "
                "server in flight %g, open tunnels %g, fds %zu",
                arrivals, clients, exchanges, upstream_connections, tunnels, buffers, pipes, timers, in_flight, connections, listener_connections, server_in_flight, open_tunnels, fds);
  return out;
}

TestBed::TestBed(Sockets servers) : sockets(servers) {
  virtual_clock::freeze();
  // As Node does: splice() knows no MSG_NOSIGNAL.
  ::signal(SIGPIPE, SIG_IGN);
  require(engine.rt.board.map(-1, 1, 0), "a board");
  engine.rt.board.mine()[abi::worker_counter::alive] = 1;
  engine.rt.records = std::make_unique<RecordRing>(engine.rt.board.ring(0));
  engine.rt.trace_share = 0.5;
  Listening own = listen_on_ip(kHost, 0, 64);
  require(own.fd.valid(), "a listening socket");
  port_ = own.port;
  require(engine.acceptor.add(own.fd.release(), 0, own.port), "the acceptor");
  (void)listener();
  take_connections();
  auto plan = std::make_unique<Plan>();
  plan->tell_finished = true;
  decider.plan = plan.get();
  engine.define_plan(0, std::move(plan));
  decider.tunnel_plan = &tunnel_plan;
  turn();
  at_start = usage();
}

TestBed::~TestBed() {
  engine.stop_accepting();
  if (!path_.empty()) ::unlink(path_.c_str());
}

void TestBed::take_connections() {
  if (sockets == Sockets::tcp) {
    server_listening_ = listen_on_ip(kHost, 0, 64);
  } else {
    path_ = "/tmp/weir-test-bed-" + std::to_string(::getpid());
    server_listening_ = listen_on_path(path_, 64);
  }
  require(server_listening_.fd.valid(), "a listening server");
  define_server();
}

void TestBed::define_server() {
  Server s;
  s.name = "app/a";
  s.host_header = "server.test";
  s.addresses.push_back(server_address());
  engine.pool.define(0, std::move(s));
}

Address TestBed::server_address() const {
  Address at;
  require(sockets == Sockets::tcp ? Address::from_ip(kHost, server_listening_.port, at) : Address::from_path(path_, at), "an address");
  return at;
}

uint32_t TestBed::add_server(std::vector<Address> addresses) {
  Server s;
  s.name = "app/" + std::to_string(servers_);
  s.addresses = std::move(addresses);
  engine.pool.define(servers_, std::move(s));
  return servers_++;
}

void TestBed::refuse_connections() { server_listening_.fd.reset(); }

Peer TestBed::connect() {
  const double before = counted(abi::worker_counter::accepted);
  Peer peer(connect_to(port_));
  require(until([&] { return counted(abi::worker_counter::accepted) > before; }), "an accepted connection");
  return peer;
}

Peer TestBed::connect_pair(uint16_t port) {
  int fds[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0, "a socket pair");
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_port = htons(port);
  from.sin_addr.s_addr = htonl(0x0a010001);
  engine.rt.tick();
  engine.arrivals.take(UniqueFd(fds[0]), reinterpret_cast<const sockaddr*>(&from), 0, port_);
  return Peer(UniqueFd(fds[1]));
}

Peer TestBed::accept_now() { return accept_from(server_listening_.fd); }

Peer TestBed::accept() {
  Peer peer;
  (void)until([&] {
    peer = accept_now();
    return peer.open();
  });
  return peer;
}

bool TestBed::run(int most) {
  for (int i = 0; i < most; ++i) {
    const double before = counted(abi::worker_counter::events);
    turn();
    if (counted(abi::worker_counter::events) == before && !engine.has_work()) return true;
  }
  return false;
}

bool TestBed::until(const std::function<bool()>& fact) {
  for (const uint64_t deadline = virtual_clock::real_ms() + 2000;;) {
    turn();
    if (fact()) return true;
    if (virtual_clock::real_ms() > deadline) return false;
    if (engine.has_work()) continue;
    pollfd waiting{engine.rt.loop.fd(), POLLIN, 0};
    (void)::poll(&waiting, 1, 1);
  }
}

void TestBed::advance(uint64_t ms) {
  virtual_clock::advance_ms(ms);
  run();
}

void TestBed::pass_deadlines() {
  for (int i = 0; i < 40 && engine.rt.wheel.count() > 0; ++i) advance(i < 20 ? 20'000 : 3'600'000);
}

Usage TestBed::usage() {
  Usage u;
  u.arrivals = engine.arrivals.arrivals.live();
  u.clients = engine.forwarder.clients.live();
  u.exchanges = engine.forwarder.exchanges.live();
  u.upstream_connections = engine.pool.connections.live();
  u.tunnels = engine.tunnels.tunnels.live();
  u.buffers = engine.rt.buffers.lent();
  u.pipes = engine.rt.pipes.lent();
  u.timers = engine.rt.wheel.count();
  for (uint32_t slot = 0; slot < servers_; ++slot) {
    u.in_flight += engine.rt.board.total_in_flight(slot).load();
    u.server_in_flight += engine.rt.board.server(slot)[abi::server_counter::in_flight];
  }
  u.connections = counted(abi::worker_counter::connections);
  u.listener_connections = engine.rt.listener_cell(0, abi::listener_counter::connections);
  u.open_tunnels = counted(abi::worker_counter::open_tunnels);
  u.fds = open_fds();
  return u;
}

}  // namespace weir
