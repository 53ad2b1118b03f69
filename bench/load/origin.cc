// The server behind every proxy: as little work per request as four system calls allow, so that the proxy is what is measured.
//
//   origin [--host 127.0.0.1] [--port 0] [--close 1]      prints `listening PORT` and serves until it is killed
//
// GET /bytes/N answers with N bytes, any other GET with a body of 100 bytes, a POST with the length of what was posted.
// Keep-alive and pipelining; request bodies need a Content-Length. With --close 1 a connection ends with its first answer.

#include <strings.h>

#include <algorithm>
#include <array>

#include "common.h"
#include "server.h"

namespace weir::bench {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kBlockBytes = 256 * 1024;

std::string answer(std::string_view status, std::string_view body) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

const std::string kSmallAnswer = answer("200 OK", std::string(99, 'w') + "\n");
const std::string kBlock(kBlockBytes, 'w');
bool closes = false;  // set once, before the first connection

// The value of Content-Length, or 0 where there is none. `head` ends with the empty line.
size_t content_length(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  for (size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    const char* field = head.data() + at + 1;
    if (strncasecmp(field, name.data(), name.size()) == 0) return std::strtoull(field + name.size(), nullptr, 10);
  }
  return 0;
}

// One client. Owns its socket, the input that is not parsed yet and the output that is not sent yet.
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
    if (unparsed_.empty()) return serve(bytes);
    unparsed_.append(bytes);
    return serve(std::exchange(unparsed_, {}));
  }

  // Goes on with a response that did not fit into the socket, then with the requests behind it.
  [[nodiscard]] bool on_writable() {
    if (!flush()) return false;
    if (is_blocked()) return true;
    return serve(std::exchange(unparsed_, {}));
  }

 private:
  [[nodiscard]] bool serve(std::string_view input) {
    while (!input.empty() && !is_blocked()) {
      const size_t used = discarding_ ? discard(input.size()) : take_request(input);
      if (used == 0) break;
      input.remove_prefix(used);
      // A large body is sent before the next request is looked at; small answers to pipelined requests leave together.
      if (block_bytes_ > 0 && !flush()) return false;
    }
    if (!input.empty()) unparsed_.assign(input);
    return flush();
  }

  // Bytes used: the whole head, or 0 when it is not complete.
  size_t take_request(std::string_view input) {
    const size_t end = input.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = input.substr(0, end + 4);
    if (head.starts_with("GET /bytes/")) {
      start_block(std::strtoull(head.data() + 11, nullptr, 10));
    } else if (head.starts_with("GET ")) {
      output_ += kSmallAnswer;
    } else {
      discarding_ = true;
      posted_ = to_discard_ = content_length(head);
      if (to_discard_ == 0) discard(0);
    }
    return head.size();
  }

  size_t discard(size_t bytes) {
    const size_t used = std::min(bytes, to_discard_);
    to_discard_ -= used;
    if (to_discard_ == 0) {
      discarding_ = false;
      output_ += answer("200 OK", std::to_string(posted_));
    }
    return used;
  }

  void start_block(size_t bytes) {
    output_ += "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
    block_bytes_ = bytes;
  }

  [[nodiscard]] bool is_blocked() const { return waiting_; }

  // Sends until everything is out or the socket is full. False when the client is gone.
  [[nodiscard]] bool flush() {
    while (!output_.empty() || block_bytes_ > 0) {
      const bool head_first = !output_.empty();
      const char* from = head_first ? output_.data() : kBlock.data();
      const size_t size = head_first ? output_.size() : std::min(block_bytes_, kBlockBytes);
      const ssize_t sent = send(fd_.get(), from, size, MSG_NOSIGNAL | (head_first && block_bytes_ > 0 ? MSG_MORE : 0));
      if (sent < 0) return (errno == EAGAIN || errno == EINTR) && wait_for_room();
      answered_ = true;
      if (head_first) {
        output_.erase(0, static_cast<size_t>(sent));
      } else {
        block_bytes_ -= static_cast<size_t>(sent);
      }
    }
    if (waiting_) watch(epoll_, fd_.get(), EPOLLIN, EPOLL_CTL_MOD);
    waiting_ = false;
    return !(closes && answered_);
  }

  bool wait_for_room() {
    if (!waiting_) watch(epoll_, fd_.get(), EPOLLOUT, EPOLL_CTL_MOD);
    waiting_ = true;
    return true;
  }

  UniqueFd fd_;
  int epoll_;
  std::string unparsed_;
  std::string output_;
  size_t block_bytes_ = 0;  // of a /bytes/N response, after output_
  size_t posted_ = 0;
  size_t to_discard_ = 0;
  bool discarding_ = false;
  bool waiting_ = false;
  bool answered_ = false;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  weir::bench::closes = weir::bench::number_option(argc, argv, "--close", 0) != 0;
  weir::bench::serve_for_ever<weir::bench::Connection>(argc, argv);
}
