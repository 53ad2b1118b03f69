// Opens N keep-alive connections, makes one request on each and then keeps them open and silent.
//
//   hold --port P --connections N      prints `held N`, ends when its standard input does
//
// One request is in flight at a time: the proxy's pools towards the servers stay as small as they can be, and what grows is
// what an idle client costs.

#include <poll.h>

#include <array>
#include <vector>

#include "common.h"
#include "response_reader.h"

namespace weir::bench {
namespace {

void request_once(int fd, int port) {
  const std::string request = "GET / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) give_up("send");
  ResponseReader reader;
  std::array<char, 4096> buffer;
  for (auto result = ResponseReader::Result::more; result == ResponseReader::Result::more;) {
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, 5000) != 1) give_up("no answer within 5 s");
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) give_up("connection closed before the answer");
    result = reader.feed({buffer.data(), static_cast<size_t>(got)});
    if (result == ResponseReader::Result::invalid) give_up("invalid answer");
  }
}

// How many of the connections the proxy has closed meanwhile.
size_t closed_count(const std::vector<UniqueFd>& connections) {
  size_t closed = 0;
  char byte = 0;
  for (const UniqueFd& fd : connections) closed += recv(fd.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ? 1 : 0;
  return closed;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const int port = static_cast<int>(number_option(argc, argv, "--port", 0));
  const auto count = static_cast<size_t>(number_option(argc, argv, "--connections", 1000));
  std::vector<UniqueFd> connections;
  for (size_t i = 0; i < count; i++) {
    connections.push_back(connect_to(port));
    request_once(connections.back().get(), port);
  }
  std::printf("held %zu\n", connections.size());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  const size_t closed = closed_count(connections);
  std::printf("closed %zu\n", closed);
  return closed == 0 ? 0 : 1;
}
