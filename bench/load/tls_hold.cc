// Opens N TLS connections, makes one request on each and then keeps them open and silent: hold.cc over TLS.
//
//   tls_hold --port P --tls 1.3|1.2 --connections N      prints `held N`, ends when its standard input does
//
// The state of a connection's TLS is dropped once its response is there, because an idle client needs none of it.

#include <vector>

#include "tls_client.h"

namespace weir::bench {
namespace {

UniqueFd open_and_ask(ClientContext& context, int port, const std::string& request) {
  UniqueFd fd = connect_to(port);
  const UniqueSsl ssl = context.speak(fd.get());
  handshake(ssl.get());
  request_once(ssl.get(), request);
  return fd;
}

// How many of the connections the proxy has closed meanwhile. Whatever it may have sent comes before its end.
size_t closed_count(const std::vector<UniqueFd>& connections) {
  size_t closed = 0;
  std::array<char, 4096> buffer;
  for (const UniqueFd& fd : connections) {
    ssize_t got = 1;
    while (got > 0) got = recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    closed += got == 0 || errno != EAGAIN ? 1 : 0;
  }
  return closed;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const int port = static_cast<int>(number_option(argc, argv, "--port", 0));
  const auto count = static_cast<size_t>(number_option(argc, argv, "--connections", 1000));
  ClientContext context(option(argc, argv, "--tls", "1.3"));
  const std::string request = request_for("/");
  std::vector<UniqueFd> connections;
  for (size_t i = 0; i < count; i++) connections.push_back(open_and_ask(context, port, request));
  std::printf("held %zu\n", connections.size());
  std::fflush(stdout);
  while (std::getchar() != EOF) continue;
  const size_t closed = closed_count(connections);
  std::printf("closed %zu\n", closed);
  return closed == 0 ? 0 : 1;
}
