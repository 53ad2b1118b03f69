// What sockets say of themselves and of who is at their other end, and words to a supervisor.
#include "loop/socket_facts.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstddef>

#include "check.h"
#include "loop/address.h"
#include "loop/listening_socket.h"
#include "loop/notify.h"

using namespace weir;

namespace {

std::string path_for(const char* what) { return "/tmp/weir-test-" + std::string(what) + "-" + std::to_string(::getpid()); }

Address abstract(const std::string& name) {
  Address at;
  CHECK(Address::from_path("@" + name, at));
  at.un.sun_path[0] = '\0';
  at.length = socklen_t(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return at;
}

UniqueFd bound(const Address& at, int type) {
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  CHECK(::bind(fd.get(), &at.any, at.length) == 0);
  return fd;
}

std::string next_datagram(const UniqueFd& from) {
  char bytes[256];
  const ssize_t n = ::recv(from.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  return n < 0 ? "nothing" : std::string(bytes, size_t(n));
}

}  // namespace

TEST("a listening socket says where it listens") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const Listening l = listen_on_ip(host, 0, 1);
    if (!l.fd.valid()) continue;  // no IPv6 on this host
    const auto at = listening_address(l.fd.get());
    CHECK(at && !at->is_path);
    CHECK_EQ(at->host, host);
    CHECK_EQ(at->port, l.port);
  }
  const std::string path = path_for("listening");
  const Listening l = listen_on_path(path, 1);
  const auto at = listening_address(l.fd.get());
  CHECK(at && at->is_path);
  CHECK_EQ(at->path, path);
  ::unlink(path.c_str());
  const std::string name = "weir-test-" + std::to_string(::getpid());
  const UniqueFd hidden = bound(abstract(name), SOCK_STREAM);
  CHECK(::listen(hidden.get(), 1) == 0);
  CHECK_EQ(listening_address(hidden.get())->path, "@" + name);
}

TEST("what does not listen for streams has no listening address") {
  const Listening l = listen_on_ip("127.0.0.1", 0, 1);
  UniqueFd connected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(!listening_address(connected.get()));
  Address to;
  CHECK(Address::from_ip("127.0.0.1", l.port, to) && ::connect(connected.get(), &to.any, to.length) == 0);
  CHECK(!listening_address(connected.get()));
  const UniqueFd datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(!listening_address(datagrams.get()));
  CHECK(!listening_address(file.get()));
  CHECK(!listening_address(-1));
}

TEST("the other end of a unix socket is known by its process and user") {
  int fds[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  const UniqueFd one(fds[0]), other(fds[1]);
  const auto peer = peer_process(one.get());
  CHECK(peer && peer->pid == ::getpid() && peer->uid == ::getuid());
  const Listening l = listen_on_ip("127.0.0.1", 0, 1);
  const UniqueFd lonely(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(!peer_process(l.fd.get()));
  CHECK(!peer_process(lonely.get()));
  CHECK(!peer_process(-1));
}

TEST("a supervisor gets each word as one datagram, at a path or in the abstract namespace") {
  const std::string path = path_for("notify");
  Address at;
  CHECK(Address::from_path(path, at));
  const UniqueFd by_path = bound(at, SOCK_DGRAM);
  CHECK(notify(path, "READY=1\nSTATUS=serving"));
  CHECK(notify(path, "WATCHDOG=1"));
  CHECK_EQ(next_datagram(by_path), "READY=1\nSTATUS=serving");
  CHECK_EQ(next_datagram(by_path), "WATCHDOG=1");
  ::unlink(path.c_str());
  const std::string name = "weir-notify-" + std::to_string(::getpid());
  const UniqueFd by_name = bound(abstract(name), SOCK_DGRAM);
  CHECK(notify("@" + name, "STOPPING=1"));
  CHECK_EQ(next_datagram(by_name), "STOPPING=1");
}

TEST("a supervisor that is not there, or takes nothing, does not hold weir up") {
  CHECK(!notify(path_for("nobody"), "READY=1"));
  CHECK(!notify("", "READY=1"));
  CHECK(!notify("relative", "READY=1"));
  CHECK(!notify("/" + std::string(200, 'x'), "READY=1"));
  const std::string name = "weir-full-" + std::to_string(::getpid());
  const UniqueFd full = bound(abstract(name), SOCK_DGRAM);
  bool was_taken = true;
  for (int i = 0; i < 100'000 && was_taken; ++i) was_taken = notify("@" + name, "WATCHDOG=1");
  CHECK(!was_taken);
}
