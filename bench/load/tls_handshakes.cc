// Connects, makes a TLS handshake, ends the connection, and begins again: a closed loop of C connections at a time.
//
//   tls_handshakes --port P --tls 1.3|1.2 --connections C --seconds S [--resume 1] [--request 1] [--most N]
//
// With --resume, the session of one full handshake is resumed by all others; with --request, each makes one small request. The client ends
// first, orderly (close_notify, then the end of its stream), and waits for the end of the other's stream. What is under way at the
// end is finished and counted. Prints one JSON object; times in microseconds, from connecting to the end of the handshake.

#include <algorithm>
#include <vector>

#include "histogram.h"
#include "tls_client.h"

namespace weir::bench {
namespace {

struct Options {
  int port;
  std::string_view version;
  size_t connections;
  double seconds;
  bool resume;
  bool request;
  uint64_t most;
};

enum class State { handshake, response, ending };

struct Client {
  UniqueFd fd;
  UniqueSsl ssl;
  ResponseReader reader;
  State state = State::handshake;
  int64_t began_ns = 0;
};

class Handshakes {
 public:
  explicit Handshakes(const Options& options)
      : options_(options), context_(options.version), epoll_(epoll_create1(EPOLL_CLOEXEC)), clients_(options.connections) {
    UniqueSession first = first_session();
    if (options.resume) session_ = std::move(first);
  }

  void run() {
    start_ns_ = now_ns();
    end_ns_ = start_ns_ + static_cast<int64_t>(options_.seconds * 1e9);
    for (Client& client : clients_) begin(client, start_ns_);
    std::array<epoll_event, 256> events;
    while (open_ > 0) {
      const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kPatienceMs);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) give_up("nothing happened for 10 s");
      for (int i = 0; i < count; i++) go_on(clients_[events[static_cast<size_t>(i)].data.u32]);
    }
    stop_ns_ = now_ns();
  }

  void print() const {
    const double seconds = static_cast<double>(stop_ns_ - start_ns_) / 1e9;
    std::printf("{\"completed\":%llu,\"resumed\":%llu,\"resets\":%llu,\"seconds\":%.6f,\"rate\":%.1f,", as_print(completed_),
                as_print(resumed_), as_print(resets_), seconds, static_cast<double>(completed_) / seconds);
    std::printf("\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n", latency_.quantile(0.5) / 1000, latency_.quantile(0.99) / 1000,
                static_cast<double>(latency_.max()) / 1000);
  }

 private:
  static unsigned long long as_print(uint64_t value) { return value; }

  // With a request, because tickets of TLS 1.3 come after the handshake. Ended properly: OpenSSL distrusts sessions of others. Made also
  // where none is resumed, to see that the server does what all are measured with.
  UniqueSession first_session() {
    const UniqueFd fd = connect_to(options_.port);
    const UniqueSsl ssl = context_.speak(fd.get());
    handshake(ssl.get());
    request_once(ssl.get(), request_);
    SSL_shutdown(ssl.get());
    UniqueSession session = context_.take_session();
    if (!session && options_.resume) give_up("the server gave no session to resume");
    return session;
  }

  // Edge-triggered: one registration serves the connecting, the handshake and the end.
  void begin(Client& client, int64_t now) {
    client.fd = begin_connect(options_.port, static_cast<unsigned>(begun_));
    client.ssl = context_.speak(client.fd.get(), session_.get());
    SSL_set_connect_state(client.ssl.get());
    client.state = State::handshake;
    client.began_ns = now;
    begun_++;
    open_++;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u32 = static_cast<uint32_t>(&client - clients_.data());
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event) != 0) give_up("epoll_ctl");
  }

  void go_on(Client& client) {
    if (client.state == State::handshake && !shake_hands(client)) return;
    if (client.state == State::response && !read_response(client)) return;
    if (client.state == State::ending) drain(client);
  }

  // False: it goes on with the next event. The first event may be one of a socket that is not connected yet.
  bool shake_hands(Client& client) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(client.ssl.get());
    if (result != 1 && errno == ENOTCONN) return false;
    if (awaited(client.ssl.get(), result, "handshake") != 0) return false;
    latency_.record(now_ns() - client.began_ns);
    resumed_ += SSL_session_reused(client.ssl.get()) == 1 ? 1 : 0;
    if (!options_.request) {
      end(client);
      return true;
    }
    client.state = State::response;
    if (SSL_write(client.ssl.get(), request_.data(), static_cast<int>(request_.size())) <= 0) give_up_tls("request");
    return true;
  }

  bool read_response(Client& client) {
    std::array<char, 4096> buffer;
    for (;;) {
      ERR_clear_error();
      const int got = SSL_read(client.ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (awaited(client.ssl.get(), got, "response") != 0) return false;
      const auto result = client.reader.feed({buffer.data(), static_cast<size_t>(got)});
      if (result == ResponseReader::Result::invalid) give_up("invalid response");
      if (result == ResponseReader::Result::complete) break;
    }
    end(client);
    return true;
  }

  void end(Client& client) {
    ERR_clear_error();
    if (SSL_shutdown(client.ssl.get()) < 0) give_up_tls("close_notify");
    if (shutdown(client.fd.get(), SHUT_WR) != 0 && errno != ENOTCONN) give_up("shutdown");
    client.state = State::ending;
  }

  // What still comes is tickets and a close_notify, which need no deciphering.
  void drain(Client& client) {
    std::array<char, 4096> buffer;
    for (;;) {
      const ssize_t got = recv(client.fd.get(), buffer.data(), buffer.size(), 0);
      if (got > 0) continue;
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got < 0) resets_++;
      return complete(client);
    }
  }

  void complete(Client& client) {
    client.ssl.reset();
    client.fd.reset();
    completed_++;
    open_--;
    const int64_t now = now_ns();
    if (now < end_ns_ && begun_ < options_.most) begin(client, now);
  }

  Options options_;
  ClientContext context_;
  const std::string request_ = request_for("/");
  UniqueSession session_;
  UniqueFd epoll_;
  std::vector<Client> clients_;
  Histogram latency_;
  uint64_t begun_ = 0;
  uint64_t completed_ = 0;
  uint64_t resumed_ = 0;
  uint64_t resets_ = 0;  // after our end: no failure, but nothing to be proud of
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
      .version = option(argc, argv, "--tls", "1.3"),
      .connections = static_cast<size_t>(number_option(argc, argv, "--connections", 64)),
      .seconds = number_option(argc, argv, "--seconds", 4),
      .resume = number_option(argc, argv, "--resume", 0) != 0,
      .request = number_option(argc, argv, "--request", 0) != 0,
      .most = static_cast<uint64_t>(number_option(argc, argv, "--most", 1e15)),
  };
  Handshakes handshakes(options);
  handshakes.run();
  handshakes.print();
}
