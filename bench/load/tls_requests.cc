// Requests on TLS connections that are kept alive, in a closed loop: one in flight on each.
//
//   tls_requests --port P --tls 1.3|1.2 --connections C --seconds S [--path /]
//
// The handshakes are made before the time begins. What is under way at the end is finished and counted. Prints one JSON object; times in
// microseconds, bytes with response heads.

#include <algorithm>
#include <vector>

#include "histogram.h"
#include "tls_client.h"

namespace weir::bench {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

struct Client {
  UniqueFd fd;
  UniqueSsl ssl;
  ResponseReader reader;
  int64_t began_ns = 0;
};

class Requests {
 public:
  Requests(int port, std::string_view version, size_t connections, const std::string& path)
      : context_(version), request_(request_for(path)), epoll_(epoll_create1(EPOLL_CLOEXEC)), clients_(connections) {
    context_.read_ahead(kReadBytes);
    for (Client& client : clients_) open(client, port);
  }

  void run(double seconds) {
    start_ns_ = now_ns();
    end_ns_ = start_ns_ + static_cast<int64_t>(seconds * 1e9);
    for (Client& client : clients_) ask(client, start_ns_);
    std::array<epoll_event, 256> events;
    while (in_flight_ > 0) {
      const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kPatienceMs);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) give_up("nothing happened for 10 s");
      for (int i = 0; i < count; i++) receive(clients_[events[static_cast<size_t>(i)].data.u32]);
    }
    stop_ns_ = now_ns();
  }

  void print() const {
    const double seconds = static_cast<double>(stop_ns_ - start_ns_) / 1e9;
    std::printf("{\"completed\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"rate\":%.1f,", as_print(completed_), as_print(bytes_), seconds,
                static_cast<double>(completed_) / seconds);
    std::printf("\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}\n", latency_.quantile(0.5) / 1000, latency_.quantile(0.99) / 1000,
                latency_.quantile(0.999) / 1000, static_cast<double>(latency_.max()) / 1000);
  }

 private:
  static unsigned long long as_print(uint64_t value) { return value; }

  void open(Client& client, int port) {
    client.fd = connect_to(port);
    client.ssl = context_.speak(client.fd.get());
    handshake(client.ssl.get());
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    event.data.u32 = static_cast<uint32_t>(&client - clients_.data());
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event) != 0) give_up("epoll_ctl");
  }

  // Requests are small and one at a time: there is always room for them.
  void ask(Client& client, int64_t now) {
    client.began_ns = now;
    in_flight_++;
    ERR_clear_error();
    if (SSL_write(client.ssl.get(), request_.data(), static_cast<int>(request_.size())) <= 0) give_up_tls("request");
  }

  // Until there is nothing more: what was read ahead makes no event.
  void receive(Client& client) {
    static std::array<char, kReadBytes> buffer;
    for (;;) {
      ERR_clear_error();
      const int got = SSL_read(client.ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (awaited(client.ssl.get(), got, "response") != 0) return;
      bytes_ += static_cast<uint64_t>(got);
      const auto result = client.reader.feed({buffer.data(), static_cast<size_t>(got)});
      if (result == ResponseReader::Result::invalid) give_up("invalid response");
      if (result == ResponseReader::Result::complete) complete(client);
    }
  }

  void complete(Client& client) {
    const int64_t now = now_ns();
    latency_.record(now - client.began_ns);
    completed_++;
    in_flight_--;
    if (now < end_ns_) ask(client, now);
  }

  ClientContext context_;
  const std::string request_;
  UniqueFd epoll_;
  std::vector<Client> clients_;
  Histogram latency_;
  uint64_t completed_ = 0;
  uint64_t bytes_ = 0;
  size_t in_flight_ = 0;
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  int64_t stop_ns_ = 0;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const int port = static_cast<int>(number_option(argc, argv, "--port", 0));
  const auto connections = static_cast<size_t>(number_option(argc, argv, "--connections", 64));
  Requests requests(port, option(argc, argv, "--tls", "1.3"), connections, option(argc, argv, "--path", "/"));
  requests.run(number_option(argc, argv, "--seconds", 4));
  requests.print();
}
