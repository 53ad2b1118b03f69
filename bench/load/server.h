// Accepts clients and tells each one's Connection what its socket is ready for. A Connection is made from its descriptor, which
// it owns, and from the epoll set in which it may change what it waits for; on_readable() and on_writable() return false when
// it is over.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "common.h"

namespace weir::bench {

template <class Connection>
class Server {
 public:
  // Port 0 takes any that is free. Prints `listening PORT`.
  Server(const char* host, int port) : epoll_(epoll_create1(EPOLL_CLOEXEC)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address = address_of(host, port);
    socklen_t size = sizeof address;
    const int on = 1;
    setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) give_up("bind");
    if (listen(listener_.get(), 4096) != 0) give_up("listen");
    if (getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) give_up("getsockname");
    watch(epoll_.get(), listener_.get(), EPOLLIN);
    std::printf("listening %d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; i++) dispatch(events[static_cast<size_t>(i)]);
    }
  }

 private:
  void dispatch(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_.get()) return accept_all();
    auto& connection = connections_[static_cast<size_t>(fd)];
    if (!connection) return;
    const bool alive = (event.events & EPOLLOUT) != 0 ? connection->on_writable() : connection->on_readable();
    if (!alive) connection.reset();
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      set_no_delay(fd);
      if (connections_.size() <= static_cast<size_t>(fd)) connections_.resize(static_cast<size_t>(fd) + 256);
      connections_[static_cast<size_t>(fd)] = std::make_unique<Connection>(fd, epoll_.get());
      watch(epoll_.get(), fd, EPOLLIN);
    }
  }

  UniqueFd epoll_;
  UniqueFd listener_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
};

// Everything that a server's main does: `--host` and `--port`, then serving until it is killed.
template <class Connection>
[[noreturn]] void serve_for_ever(int argc, char** argv) {
  Server<Connection> server(option(argc, argv, "--host", "127.0.0.1"), static_cast<int>(number_option(argc, argv, "--port", 0)));
  server.run();
}

}  // namespace weir::bench
