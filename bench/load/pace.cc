// An open-loop load generator: sends at a fixed rate whether answers come or not, and measures every latency from the moment
// at which the request should have left. A slow proxy therefore cannot hide its slowness by slowing the generator down.
//
//   pace --port P --rate R --connections C --seconds S [--path /] [--spread N]
//
// --rate 0 is a closed loop: every connection sends its next request as soon as it has its answer, latency from the send.
// --spread N replaces `#` in the path by 0 to N-1 in turn. The first half second is sent but not counted.
// Prints one JSON object; all times in microseconds.
// `unsent` requests found no free connection until the end; their latency so far is in the histogram.

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "common.h"
#include "histogram.h"
#include "response_reader.h"

namespace weir::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kWarmUpNs = kSecond / 2;
constexpr int64_t kLateNs = 1'000'000;        // a send later than this, with a free connection, is the generator's own fault
constexpr int64_t kLingerNs = 2 * kSecond;  // how long answers are awaited after the last send

struct Options {
  int port;
  double rate;
  size_t connections;
  double seconds;
  std::string path;
  size_t spread;
};

struct Result {
  uint64_t sent = 0;
  uint64_t completed = 0;
  uint64_t errors = 0;
  uint64_t late = 0;
  uint64_t unsent = 0;    // due before the end, but no connection became free
  uint64_t answered = 0;  // all, also those of the warm-up
  Histogram latency;
};

struct Connection {
  UniqueFd fd;
  ResponseReader reader;
  int64_t intended_ns = 0;
  bool busy = false;
};

class Pacer {
 public:
  explicit Pacer(const Options& options) : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (size_t i = 0; i < options.spread; i++) requests_.push_back(request_for(i));
    for (size_t i = 0; i < options.connections; i++) open_connection();
  }

  void run() {
    start_ns_ = now_ns();
    end_ns_ = start_ns_ + kWarmUpNs + static_cast<int64_t>(options_.seconds * 1e9);
    interval_ns_ = options_.rate > 0 ? 1e9 / options_.rate : 0;
    for (int64_t now = start_ns_; now < end_ns_; now = now_ns()) {
      is_closed_loop() ? send_free(now) : send_due(now);
      poll_events(wait_until(now));
    }
    if (!is_closed_loop()) count_unsent();
    const int64_t deadline = now_ns() + kLingerNs;
    while (in_flight_ > 0 && now_ns() < deadline) poll_events(10'000'000);
    result_.errors += in_flight_counted();
  }

  void print() const {
    const auto us = [this](double share) { return result_.latency.quantile(share) / 1000; };
    std::printf("{\"sent\":%llu,\"completed\":%llu,\"errors\":%llu,\"late\":%llu,", as_print(result_.sent), as_print(result_.completed),
                as_print(result_.errors), as_print(result_.late));
    std::printf("\"unsent\":%llu,\"answered\":%llu,", as_print(result_.unsent), as_print(result_.answered));
    std::printf("\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,", us(0.5), us(0.9), us(0.99), us(0.999),
                static_cast<double>(result_.latency.max()) / 1000);
    std::printf("\"rate\":%.1f}\n", static_cast<double>(result_.completed) / options_.seconds);
    if (result_.late * 100 > result_.sent) std::fprintf(stderr, "warning: %.1f %% of the sends were late\n", late_percent());
  }

 private:
  static unsigned long long as_print(uint64_t value) { return value; }
  double late_percent() const { return 100.0 * static_cast<double>(result_.late) / static_cast<double>(result_.sent); }
  bool is_closed_loop() const { return options_.rate <= 0; }
  bool is_counted(int64_t intended_ns) const { return intended_ns >= start_ns_ + kWarmUpNs; }

  std::string request_for(size_t number) const {
    std::string path = options_.path;
    if (const size_t at = path.find('#'); at != std::string::npos) path.replace(at, 1, std::to_string(number));
    return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) + "\r\n\r\n";
  }

  void open_connection() {
    auto connection = Connection{.fd = connect_to(options_.port), .reader = {}, .intended_ns = 0, .busy = false};
    const auto slot = static_cast<size_t>(connection.fd.get());
    if (connections_.size() <= slot) connections_.resize(slot + 64);
    watch(epoll_.get(), connection.fd.get(), EPOLLIN);
    free_.push_back(slot);
    connections_[slot] = std::move(connection);
  }

  void send_free(int64_t now) {
    while (free_head_ < free_.size()) send_request(now);
  }

  // Everything that should have left by now leaves, as far as there are free connections. What finds none waits, and its
  // latency already runs.
  void send_due(int64_t now) {
    while (free_head_ < free_.size() && next_intended() <= now) {
      const int64_t intended = next_intended();
      const bool late = now - std::max(intended, unblocked_ns_) > kLateNs;
      if (late && is_counted(intended)) result_.late++;
      send_request(intended);
      scheduled_++;
    }
  }

  // What the proxy was too slow to take has waited until now at least: leaving it out would flatter the slowest.
  void count_unsent() {
    for (; next_intended() < end_ns_; scheduled_++) {
      if (!is_counted(next_intended())) continue;
      result_.unsent++;
      result_.latency.record(end_ns_ - next_intended());
    }
  }

  int64_t next_intended() const { return start_ns_ + static_cast<int64_t>(static_cast<double>(scheduled_) * interval_ns_); }

  int64_t wait_until(int64_t now) const {
    const int64_t next = is_closed_loop() || free_head_ == free_.size() ? end_ns_ : std::min(end_ns_, next_intended());
    return std::max<int64_t>(0, next - now);
  }

  void send_request(int64_t intended) {
    const size_t slot = free_[free_head_++];
    if (free_head_ > 4096) compact_free();
    Connection& connection = connections_[slot];
    const std::string& request = requests_[next_request_];
    next_request_ = next_request_ + 1 == requests_.size() ? 0 : next_request_ + 1;
    connection.intended_ns = intended;
    connection.busy = true;
    in_flight_++;
    if (is_counted(intended)) result_.sent++;
    const ssize_t sent = send(connection.fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request.size())) fail(slot);
  }

  // free_ is a queue: connections take turns. Its used front is cut off now and then.
  void compact_free() {
    free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(free_head_));
    free_head_ = 0;
  }

  void poll_events(int64_t wait_ns) {
    std::array<epoll_event, 256> events;
    const timespec wait{.tv_sec = wait_ns / kSecond, .tv_nsec = wait_ns % kSecond};
    const int count = epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &wait, nullptr);
    if (count <= 0) return;
    for (int i = 0; i < count; i++) on_readable(static_cast<size_t>(events[static_cast<size_t>(i)].data.fd));
  }

  void on_readable(size_t slot) {
    static std::array<char, 256 * 1024> buffer;
    Connection& connection = connections_[slot];
    const ssize_t got = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0 || !connection.busy) return fail(slot);
    switch (connection.reader.feed({buffer.data(), static_cast<size_t>(got)})) {
      case ResponseReader::Result::more: return;
      case ResponseReader::Result::invalid: return fail(slot);
      case ResponseReader::Result::complete: return complete(slot);
    }
  }

  void complete(size_t slot) {
    Connection& connection = connections_[slot];
    connection.busy = false;
    in_flight_--;
    result_.answered++;
    const int64_t now = now_ns();
    if (free_head_ == free_.size()) unblocked_ns_ = now;
    free_.push_back(slot);
    if (!is_counted(connection.intended_ns)) return;
    // In a closed loop what ends after the end is not part of the rate.
    if (is_closed_loop() && now > end_ns_) return;
    result_.completed++;
    result_.latency.record(now - connection.intended_ns);
  }

  // An idle connection that the proxy closed is replaced; one with a request in flight counts as an error, too.
  void fail(size_t slot) {
    Connection& connection = connections_[slot];
    compact_free();
    if (connection.busy) {
      in_flight_--;
      result_.errors++;
    } else {
      std::erase(free_, slot);
    }
    connection = Connection{};
    open_connection();
  }

  uint64_t in_flight_counted() const {
    uint64_t count = 0;
    for (const Connection& connection : connections_) count += connection.busy && is_counted(connection.intended_ns) ? 1 : 0;
    return count;
  }

  Options options_;
  UniqueFd epoll_;
  std::vector<std::string> requests_;
  std::vector<Connection> connections_;  // by descriptor
  std::vector<size_t> free_;
  size_t free_head_ = 0;
  size_t next_request_ = 0;
  size_t in_flight_ = 0;
  uint64_t scheduled_ = 0;
  double interval_ns_ = 0;
  int64_t start_ns_ = 0;
  int64_t end_ns_ = 0;
  int64_t unblocked_ns_ = 0;  // when the last wait for a free connection ended
  Result result_;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  prctl(PR_SET_TIMERSLACK, 1UL);  // else the kernel may wake us 50 us late
  const Options options{
      .port = static_cast<int>(number_option(argc, argv, "--port", 0)),
      .rate = number_option(argc, argv, "--rate", 0),
      .connections = static_cast<size_t>(number_option(argc, argv, "--connections", 64)),
      .seconds = number_option(argc, argv, "--seconds", 4),
      .path = option(argc, argv, "--path", "/"),
      .spread = static_cast<size_t>(number_option(argc, argv, "--spread", 1)),
  };
  Pacer pacer(options);
  pacer.run();
  pacer.print();
}
