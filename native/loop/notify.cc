#include "loop/notify.h"

#include <errno.h>
#include <sys/socket.h>

#include <cstddef>

#include "base/fd.h"
#include "loop/address.h"

namespace weir {

bool notify(const std::string& path, const std::string& text) {
  Address to;
  if (path.empty() || (path[0] != '/' && path[0] != '@') || !Address::from_path(path, to)) return false;
  if (path[0] == '@') {
    // An abstract name is as long as its address says, without a byte that ends it.
    to.un.sun_path[0] = '\0';
    to.length = socklen_t(offsetof(sockaddr_un, sun_path) + path.size());
  }
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ssize_t sent;
  do sent = ::sendto(fd.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL, &to.any, to.length);
  while (sent < 0 && errno == EINTR);
  return sent >= 0 && size_t(sent) == text.size();
}

}  // namespace weir
