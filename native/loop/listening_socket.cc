#include "loop/listening_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/address.h"

namespace weir {

namespace {

Listening failed(const char* step) {
  Listening l;
  l.error = errno;
  l.step = step;
  return l;
}

bool set(int fd, int level, int option, int value) { return ::setsockopt(fd, level, option, &value, sizeof value) == 0; }

bool somebody_answers(const Address& at) {
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), &at.any, at.length) == 0 || errno != ECONNREFUSED;
}

}  // namespace

Listening listen_on_ip(const std::string& host, uint16_t port, int backlog) {
  Address at;
  if (!Address::from_ip(host.empty() ? "::" : host, port, at)) {
    errno = EINVAL;
    return failed("not an IP address");
  }
  Listening l;
  l.fd.reset(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!l.fd.valid() && host.empty() && errno == EAFNOSUPPORT) return listen_on_ip("0.0.0.0", port, backlog);  // no IPv6 on this host
  if (!l.fd.valid()) return failed("cannot make a socket");
  const int fd = l.fd.get();
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (at.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, host.empty() ? 0 : 1);
  prepare_to_accept(fd);
  if (::bind(fd, &at.any, at.length) < 0) return failed("cannot bind");
  if (::listen(fd, backlog) < 0) return failed("cannot listen");
  Address bound;
  bound.length = sizeof bound.un;
  if (::getsockname(fd, &bound.any, &bound.length) < 0) return failed("cannot read the bound address");
  l.port = bound.port();
  return l;
}

void prepare_to_accept(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  // Accepted sockets inherit these: no call per connection.
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // Urgent bytes stay where they are among the others (RFC 6093 6).
  set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

Listening listen_on_path(const std::string& path, int backlog) {
  Address at;
  if (!Address::from_path(path, at)) {
    errno = ENAMETOOLONG;
    return failed("not a socket path");
  }
  struct stat st;
  if (::lstat(path.c_str(), &st) == 0) {
    if (!S_ISSOCK(st.st_mode)) return errno = EEXIST, failed("a file that is not a socket is there");
    if (somebody_answers(at)) return errno = EADDRINUSE, failed("cannot bind");
    ::unlink(path.c_str());
  }
  Listening l;
  l.fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!l.fd.valid()) return failed("cannot make a socket");
  if (::bind(l.fd.get(), &at.any, at.length) < 0) return failed("cannot bind");
  if (::listen(l.fd.get(), backlog) < 0) return failed("cannot listen");
  return l;
}

}  // namespace weir
