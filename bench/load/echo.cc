// The server behind every TCP proxy: echoes what it gets, or sends as many bytes as it is asked for (bulk.h).
//
//   echo [--host 127.0.0.1] [--port 0]      prints `listening PORT` and serves until it is killed
//
// It never closes first: a client's end of stream is answered with its own.

#include <algorithm>
#include <array>

#include "bulk.h"
#include "common.h"
#include "server.h"

namespace weir::bench {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

const Pattern kPattern;

// One client. Owns its socket and what is not sent yet: echoed bytes, or the rest of a bulk transfer.
class Connection {
 public:
  Connection(int fd, int epoll) : fd_(fd), epoll_(epoll) {}

  // Reads and answers what is there. False when the connection is over.
  [[nodiscard]] bool on_readable() {
    static std::array<char, kReadBytes> buffer;
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    const std::string_view bytes(buffer.data(), static_cast<size_t>(got));
    if (first_ == '\0') first_ = bytes.front();
    return first_ == kBulk ? take_request(bytes) : echo(bytes);
  }

  // Goes on with what did not fit into the socket.
  [[nodiscard]] bool on_writable() { return flush(); }

 private:
  [[nodiscard]] bool echo(std::string_view bytes) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    const size_t done = sent < 0 ? 0 : static_cast<size_t>(sent);
    if (done == bytes.size()) return true;
    echoed_ = bytes.substr(done);
    return wait_for_room();
  }

  // One transfer at a time: anything behind a request is a client or a proxy that has gone wrong.
  [[nodiscard]] bool take_request(std::string_view bytes) {
    request_.append(bytes);
    if (request_.size() < sizeof(BulkRequest)) return true;
    BulkRequest request;
    std::memcpy(&request, request_.data(), sizeof request);
    if (request_.size() > sizeof request || request.kind != kBulk || request.phase >= kPeriod) {
      std::fprintf(stderr, "echo: not a bulk request\n");
      return false;
    }
    request_.clear();
    position_ = request.phase;
    end_ = position_ + request.bytes;
    return flush();
  }

  // Sends until everything is out or the socket is full. False when the client is gone.
  [[nodiscard]] bool flush() {
    while (!echoed_.empty() || position_ < end_) {
      const bool is_echo = !echoed_.empty();
      const char* from = is_echo ? echoed_.data() : kPattern.at(position_);
      const size_t size = is_echo ? echoed_.size() : std::min<uint64_t>(end_ - position_, kChunk);
      const ssize_t sent = send(fd_.get(), from, size, MSG_NOSIGNAL);
      if (sent < 0) return (errno == EAGAIN || errno == EINTR) && wait_for_room();
      if (is_echo) {
        echoed_.erase(0, static_cast<size_t>(sent));
      } else {
        position_ += static_cast<uint64_t>(sent);
      }
    }
    if (waiting_) watch(epoll_, fd_.get(), EPOLLIN, EPOLL_CTL_MOD);
    waiting_ = false;
    return true;
  }

  // Nothing is read meanwhile, so nothing piles up here.
  bool wait_for_room() {
    if (!waiting_) watch(epoll_, fd_.get(), EPOLLOUT, EPOLL_CTL_MOD);
    waiting_ = true;
    return true;
  }

  UniqueFd fd_;
  int epoll_;
  char first_ = '\0';  // byte of the connection; zero before it came
  std::string echoed_;
  std::string request_;
  uint64_t position_ = 0;  // in the pattern
  uint64_t end_ = 0;
  bool waiting_ = false;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) { weir::bench::serve_for_ever<weir::bench::Connection>(argc, argv); }
