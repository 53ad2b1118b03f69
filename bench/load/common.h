// What the load programs share: an owned descriptor, sockets on the loopback, a clock, command-line options.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace weir::bench {

// Owns one descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }
  [[nodiscard]] int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

// Ends the program with a message: a benchmark that goes on after an error measures something else.
[[noreturn]] inline void give_up(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, errno != 0 ? std::strerror(errno) : "invalid");
  std::exit(1);
}

inline int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

inline sockaddr_in address_of(const char* host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) give_up(host);
  return address;
}

inline void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// A connected, non-blocking client socket. Connecting itself blocks: it is not part of any measurement.
inline UniqueFd connect_to(int port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = address_of("127.0.0.1", port);
  if (fd.get() < 0) give_up("socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("connect");
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) give_up("fcntl");
  set_no_delay(fd.get());
  return fd;
}

// A non-blocking socket on its way to the proxy, from one of 200 loopback addresses, so that ports in TIME_WAIT do not run out. The
// kernel picks the port when it connects, so that only the whole pair of addresses must be free and not the port alone.
inline UniqueFd begin_connect(int port, unsigned source) {
  constexpr unsigned kSources = 200;
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) give_up("socket");
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in from = address_of("127.0.2.1", 0);
  from.sin_addr.s_addr = htonl(ntohl(from.sin_addr.s_addr) + source % kSources);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) give_up("bind");
  const sockaddr_in to = address_of("127.0.0.1", port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) give_up("connect");
  set_no_delay(fd.get());
  return fd;
}

inline void watch(int epoll, int fd, uint32_t events, int operation = EPOLL_CTL_ADD) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) give_up("epoll_ctl");
}

// The word after `--name`, or the fallback.
inline const char* option(int argc, char** argv, std::string_view name, const char* fallback) {
  for (int i = 1; i + 1 < argc; i++) {
    if (argv[i] == name) return argv[i + 1];
  }
  return fallback;
}

inline double number_option(int argc, char** argv, std::string_view name, double fallback) {
  const char* text = option(argc, argv, name, nullptr);
  return text == nullptr ? fallback : std::strtod(text, nullptr);
}

}  // namespace weir::bench
