// The clients of a TCP proxy, in a closed loop: every connection goes on as soon as it has its answer.
//
//   tunnels --port P --mode exchange|bulk|connect --connections C --seconds S [--bytes N] [--most N]
//
// exchange   sends a message of N bytes and waits until it is back
// bulk       asks for N bytes and compares every one
// connect    connects, sends one byte, gets it back, ends its stream, waits for the end of the other's, and begins again from
//            another of 200 loopback addresses, so that ports in TIME_WAIT do not run out
//
// What is under way at the end is finished and counted; at most N rounds are begun. Any difference, reset or early end, and ten
// seconds without anything, end the program with 1. Prints one JSON object, times in microseconds.

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "bulk.h"
#include "common.h"
#include "histogram.h"

namespace weir::bench {
namespace {

constexpr int kSilenceMs = 10'000;

enum class Mode { exchange, bulk, connect };

struct Options {
  int port;
  Mode mode;
  size_t connections;
  double seconds;
  size_t bytes;
  uint64_t most;
};

Mode mode_named(std::string_view name) {
  if (name == "exchange") return Mode::exchange;
  if (name == "bulk") return Mode::bulk;
  if (name == "connect") return Mode::connect;
  give_up("--mode");
}

struct Tunnel {
  UniqueFd fd;
  std::string message;  // what was sent last
  uint64_t received = 0;
  uint32_t phase = 0;  // of a bulk transfer
  int64_t began_ns = 0;
  bool connecting = false;
  bool ending = false;  // our stream has ended, the other's has not
};

class Tunnels {
 public:
  explicit Tunnels(const Options& options) : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)), tunnels_(options.connections) {
    // A connection that is opened here costs the measurement nothing but its place in it.
    for (size_t i = 0; i < tunnels_.size() && !is_connect(); i++) {
      tunnels_[i].fd = connect_to(options.port);
      add(i, EPOLLIN);
    }
  }

  void run() {
    start_ns_ = now_ns();
    end_ns_ = start_ns_ + static_cast<int64_t>(options_.seconds * 1e9);
    for (Tunnel& tunnel : tunnels_) begin(tunnel, start_ns_);
    std::array<epoll_event, 256> events;
    while (open_ > 0) {
      const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kSilenceMs);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail("nothing happened for 10 s");
      for (int i = 0; i < count; i++) dispatch(tunnels_[events[static_cast<size_t>(i)].data.u32], events[static_cast<size_t>(i)].events);
    }
    stop_ns_ = now_ns();
  }

  void print() const {
    const double seconds = static_cast<double>(stop_ns_ - start_ns_) / 1e9;
    const auto us = [this](double share) { return latency_.quantile(share) / 1000; };
    std::printf("{\"completed\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"rate\":%.1f,", as_print(completed_), as_print(bytes_), seconds,
                static_cast<double>(completed_) / seconds);
    std::printf("\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}\n", us(0.5), us(0.99), us(0.999),
                static_cast<double>(latency_.max()) / 1000);
  }

 private:
  static unsigned long long as_print(uint64_t value) { return value; }
  bool is_connect() const { return options_.mode == Mode::connect; }

  [[noreturn]] void fail(const char* what) const {
    std::fprintf(stderr, "tunnels: %s, after %llu rounds\n", what, as_print(completed_));
    std::exit(1);
  }

  void add(size_t index, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u32 = static_cast<uint32_t>(index);
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, tunnels_[index].fd.get(), &event) != 0) give_up("epoll_ctl");
  }

  // One round: an exchange, a transfer, or a connection's life.
  void begin(Tunnel& tunnel, int64_t now) {
    tunnel.began_ns = now;
    tunnel.received = 0;
    begun_++;
    open_++;
    switch (options_.mode) {
      case Mode::exchange: return send_message(tunnel);
      case Mode::bulk: return ask(tunnel);
      case Mode::connect: return open(tunnel);
    }
  }

  // Numbered, so that an old answer is not taken for the new one.
  void send_message(Tunnel& tunnel) {
    if (tunnel.message.empty()) tunnel.message.assign(options_.bytes, kEcho);
    std::memcpy(tunnel.message.data() + 1, &begun_, std::min(sizeof begun_, options_.bytes - 1));
    send_all(tunnel);
  }

  void ask(Tunnel& tunnel) {
    tunnel.phase = static_cast<uint32_t>(begun_ * 7919 % kPeriod);
    const BulkRequest request{.phase = tunnel.phase, .bytes = options_.bytes};
    tunnel.message.assign(reinterpret_cast<const char*>(&request), sizeof request);
    send_all(tunnel);
  }

  // Edge-triggered: one registration serves the connecting, the byte and the end.
  void open(Tunnel& tunnel) {
    tunnel.message.assign(1, kEcho);
    tunnel.connecting = true;
    tunnel.ending = false;
    tunnel.fd = begin_connect(options_.port, static_cast<unsigned>(begun_));
    add(static_cast<size_t>(&tunnel - tunnels_.data()), EPOLLIN | EPOLLOUT | EPOLLET);
  }

  // Messages are small and one at a time: there is always room for them.
  void send_all(Tunnel& tunnel) {
    const ssize_t sent = send(tunnel.fd.get(), tunnel.message.data(), tunnel.message.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(tunnel.message.size())) fail(sent < 0 ? std::strerror(errno) : "a message was not sent as a whole");
  }

  void dispatch(Tunnel& tunnel, uint32_t events) {
    if (tunnel.connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
      tunnel.connecting = false;
      send_all(tunnel);
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) receive(tunnel);
  }

  // Level-triggered tunnels read once per event; those of connect until there is no more, and that is a byte and an end.
  void receive(Tunnel& tunnel) {
    static std::array<char, kChunk> buffer;
    do {
      const ssize_t got = recv(tunnel.fd.get(), buffer.data(), buffer.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got < 0) fail(std::strerror(errno));
      if (got == 0) return on_end(tunnel);
      check(tunnel, buffer.data(), static_cast<size_t>(got));
    } while (is_connect());
  }

  void on_end(Tunnel& tunnel) {
    if (!tunnel.ending) fail("a connection ended before its answer was complete");
    tunnel.fd.reset();
    complete(tunnel);
  }

  void check(Tunnel& tunnel, const char* bytes, size_t size) {
    const bool bulk = options_.mode == Mode::bulk;
    const uint64_t wanted = bulk ? options_.bytes : tunnel.message.size();
    if (tunnel.received + size > wanted) fail("more bytes came than were asked for");
    const char* expected = bulk ? pattern_.at(tunnel.phase + tunnel.received) : tunnel.message.data() + tunnel.received;
    if (std::memcmp(bytes, expected, size) != 0) fail("other bytes came than were sent");
    tunnel.received += size;
    bytes_ += size;
    if (tunnel.received < wanted) return;
    is_connect() ? end(tunnel) : complete(tunnel);
  }

  void end(Tunnel& tunnel) {
    tunnel.ending = true;
    if (shutdown(tunnel.fd.get(), SHUT_WR) != 0) give_up("shutdown");
  }

  void complete(Tunnel& tunnel) {
    const int64_t now = now_ns();
    latency_.record(now - tunnel.began_ns);
    completed_++;
    open_--;
    if (now < end_ns_ && begun_ < options_.most) begin(tunnel, now);
  }

  Options options_;
  Pattern pattern_;
  UniqueFd epoll_;
  std::vector<Tunnel> tunnels_;
  Histogram latency_;
  uint64_t begun_ = 0;
  uint64_t completed_ = 0;
  uint64_t bytes_ = 0;  // received
  size_t open_ = 0;     // rounds under way
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  int64_t stop_ns_ = 0;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options{
      .port = static_cast<int>(number_option(argc, argv, "--port", 0)),
      .mode = mode_named(option(argc, argv, "--mode", "exchange")),
      .connections = static_cast<size_t>(number_option(argc, argv, "--connections", 64)),
      .seconds = number_option(argc, argv, "--seconds", 4),
      .bytes = std::max<size_t>(1, static_cast<size_t>(number_option(argc, argv, "--bytes", 64))),
      .most = static_cast<uint64_t>(number_option(argc, argv, "--most", 1e15)),
  };
  Tunnels tunnels(options);
  tunnels.run();
  tunnels.print();
}
