#include "loop/socket_facts.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "loop/address.h"

namespace weir {

namespace {

int option(int fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

std::string path_of(const Address& at) {
  const size_t start = offsetof(sockaddr_un, sun_path);
  if (at.length <= start) return {};
  std::string path(at.un.sun_path, at.length - start);
  if (path[0] == '\0') return "@" + path.substr(1);
  // The kernel may count the byte that ends it.
  return path.c_str();
}

}  // namespace

std::optional<ListeningAddress> listening_address(int fd) {
  Address at;
  at.length = sizeof at.un;
  if (option(fd, SO_TYPE) != SOCK_STREAM || option(fd, SO_ACCEPTCONN) != 1) return {};
  if (::getsockname(fd, &at.any, &at.length) < 0) return {};
  ListeningAddress found;
  found.is_path = at.family() == AF_UNIX;
  if (found.is_path) {
    found.path = path_of(at);
    return found;
  }
  if (at.family() != AF_INET && at.family() != AF_INET6) return {};
  char host[INET6_ADDRSTRLEN];
  const void* ip = at.family() == AF_INET ? static_cast<const void*>(&at.in4.sin_addr) : &at.in6.sin6_addr;
  found.host = ::inet_ntop(at.family(), ip, host, sizeof host);
  found.port = at.port();
  return found;
}

std::optional<PeerProcess> peer_process(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (option(fd, SO_DOMAIN) != AF_UNIX || ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0) return {};
  // A socket without a peer has nobody's id.
  if (who.uid == uid_t(-1)) return {};
  return PeerProcess{who.pid, who.uid};
}

}  // namespace weir
