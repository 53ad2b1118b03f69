// Connects, makes one request with `Connection: close`, reads its response to the end of the stream, and begins again: a closed loop of C
// connections at a time.
//
//   one_shot --port P --connections C --seconds S [--path /] [--most N]
//
// The other side ends first, as the request asks for, so that its ports and not ours rest in TIME_WAIT. What is under way at the end is
// finished and counted. Prints one JSON object; times in microseconds, from connecting to the end of the stream.

#include <array>
#include <vector>

#include "common.h"
#include "histogram.h"
#include "response_reader.h"

namespace weir::bench {
namespace {

constexpr int kPatienceMs = 10'000;

struct Options {
  int port;
  size_t connections;
  double seconds;
  std::string path;
  uint64_t most;
};

enum class State { connecting, response, ending };

struct Client {
  UniqueFd fd;
  ResponseReader reader;
  State state = State::connecting;
  int64_t began_ns = 0;
};

class OneShots {
 public:
  explicit OneShots(const Options& options)
      : options_(options),
        request_("GET " + options.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) + "\r\nConnection: close\r\n\r\n"),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        clients_(options.connections) {}

  void run() {
    start_ns_ = now_ns();
    end_ns_ = start_ns_ + static_cast<int64_t>(options_.seconds * 1e9);
    for (Client& client : clients_) begin(client, start_ns_);
    std::array<epoll_event, 256> events;
    while (open_ > 0) {
      const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kPatienceMs);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) give_up("nothing happened for 10 s: an answer or the end of the stream is missing");
      for (int i = 0; i < count; i++) go_on(clients_[events[static_cast<size_t>(i)].data.u32], events[static_cast<size_t>(i)].events);
    }
    stop_ns_ = now_ns();
  }

  void print() const {
    const double seconds = static_cast<double>(stop_ns_ - start_ns_) / 1e9;
    std::printf("{\"completed\":%llu,\"resets\":%llu,\"seconds\":%.6f,\"rate\":%.1f,", as_print(completed_), as_print(resets_), seconds,
                static_cast<double>(completed_) / seconds);
    std::printf("\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n", latency_.quantile(0.5) / 1000, latency_.quantile(0.99) / 1000,
                static_cast<double>(latency_.max()) / 1000);
  }

 private:
  static unsigned long long as_print(uint64_t value) { return value; }

  // Edge-triggered: one registration serves the connecting, the answer and the end.
  void begin(Client& client, int64_t now) {
    client.fd = begin_connect(options_.port, static_cast<unsigned>(begun_));
    client.reader = {};
    client.state = State::connecting;
    client.began_ns = now;
    begun_++;
    open_++;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u32 = static_cast<uint32_t>(&client - clients_.data());
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event) != 0) give_up("epoll_ctl");
  }

  void go_on(Client& client, uint32_t events) {
    if (client.state == State::connecting && !send_request(client, events)) return;
    read_stream(client);
  }

  // False: it is not connected yet.
  bool send_request(Client& client, uint32_t events) {
    if ((events & EPOLLOUT) == 0) return false;
    const ssize_t sent = send(client.fd.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request_.size())) give_up("request");
    client.state = State::response;
    return true;
  }

  void read_stream(Client& client) {
    static std::array<char, 64 * 1024> buffer;
    for (;;) {
      const ssize_t got = recv(client.fd.get(), buffer.data(), buffer.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got <= 0) return on_end(client, got < 0);
      if (client.state == State::ending) give_up("bytes after the answer");
      const auto result = client.reader.feed({buffer.data(), static_cast<size_t>(got)});
      if (result == ResponseReader::Result::invalid) give_up("invalid answer");
      if (result == ResponseReader::Result::complete) client.state = State::ending;
    }
  }

  void on_end(Client& client, bool was_reset) {
    if (client.state != State::ending) give_up("the connection ended before the answer did");
    resets_ += was_reset ? 1 : 0;
    const int64_t now = now_ns();
    latency_.record(now - client.began_ns);
    client.fd.reset();
    completed_++;
    open_--;
    if (now < end_ns_ && begun_ < options_.most) begin(client, now);
  }

  Options options_;
  const std::string request_;
  UniqueFd epoll_;
  std::vector<Client> clients_;
  Histogram latency_;
  uint64_t begun_ = 0;
  uint64_t completed_ = 0;
  uint64_t resets_ = 0;  // after the answer: no failure, but nothing to be proud of
  size_t open_ = 0;
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
      .connections = static_cast<size_t>(number_option(argc, argv, "--connections", 64)),
      .seconds = number_option(argc, argv, "--seconds", 4),
      .path = option(argc, argv, "--path", "/"),
      .most = static_cast<uint64_t>(number_option(argc, argv, "--most", 1e15)),
  };
  OneShots shots(options);
  shots.run();
  shots.print();
}
