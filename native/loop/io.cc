#include "loop/io.h"

#include <errno.h>
#include <fcntl.h>
// linux/tcp.h has the fields that glibc's own struct lacks.
#include <linux/tcp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace weir {

namespace {
// glibc's own wrappers are cancellation points of threads, which costs about as much as all that we do around the two calls.
ssize_t receive_call(int fd, char* to, size_t room, int flags) { return ::syscall(SYS_recvfrom, fd, to, room, flags, nullptr, nullptr); }
ssize_t send_call(int fd, const void* from, size_t bytes) { return ::syscall(SYS_sendto, fd, from, bytes, MSG_NOSIGNAL, nullptr, 0); }

IoResult receive(int fd, char* to, size_t room, int flags) {
  for (;;) {
    const ssize_t n = receive_call(fd, to, room, flags);
    if (n > 0) return {IoResult::Kind::ok, size_t(n), 0};
    if (n == 0) return {IoResult::Kind::closed};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return {IoResult::Kind::would_block};
    return {IoResult::Kind::failed, 0, errno};
  }
}

}  // namespace

IoResult read_some(int fd, char* to, size_t room) { return receive(fd, to, room, 0); }
IoResult peek_some(int fd, char* to, size_t room) { return receive(fd, to, room, MSG_PEEK); }

IoResult write_some(int fd, const iovec* parts, int count) {
  for (;;) {
    ssize_t n;
    if (count == 1) {
      n = send_call(fd, parts[0].iov_base, parts[0].iov_len);
    } else {
      msghdr m{};
      m.msg_iov = const_cast<iovec*>(parts);
      m.msg_iovlen = size_t(count);
      n = ::sendmsg(fd, &m, MSG_NOSIGNAL);
    }
    if (n >= 0) return {IoResult::Kind::ok, size_t(n), 0};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return {IoResult::Kind::would_block};
    return {IoResult::Kind::failed, 0, errno};
  }
}

int start_connect(const Address& to, bool& in_progress, int& error) {
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    error = errno;
    return -1;
  }
  if (::connect(fd, &to.any, to.length) == 0) {
    in_progress = false;
    return fd;
  }
  // A unix socket with a full backlog says EAGAIN: that server cannot take us now.
  if (errno == EINPROGRESS) {
    in_progress = true;
    return fd;
  }
  error = errno;
  ::close(fd);
  return -1;
}

void send_promptly(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int socket_error(int fd) {
  int e = 0;
  socklen_t n = sizeof e;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0) return errno;
  return e;
}

int64_t bytes_acknowledged(int fd) {
  tcp_info info;
  memset(&info, 0, sizeof info);
  socklen_t n = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0) return -1;
  if (n < offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return -1;
  return int64_t(info.tcpi_bytes_acked);
}

namespace {
bool read_info(int fd, tcp_info& info) {
  memset(&info, 0, sizeof info);
  socklen_t n = sizeof info;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0;
}

uint32_t whole_segments(uint32_t segment) {
  constexpr uint32_t kAbout = 65536;
  return segment == 0 || segment >= kAbout ? kAbout : kAbout / segment * segment;
}
}  // namespace

int64_t last_received_us_ago(int fd) {
  tcp_info info;
  return read_info(fd, info) ? int64_t(info.tcpi_last_data_recv) * 1000 : -1;
}

uint32_t piece_to_send(int fd) {
  tcp_info info;
  return whole_segments(read_info(fd, info) ? info.tcpi_snd_mss : 0);
}

uint32_t piece_to_receive(int fd) {
  tcp_info info;
  return whole_segments(read_info(fd, info) ? info.tcpi_rcv_mss : 0);
}

uint32_t bytes_to_read(int fd) {
  int n = 0;
  return ::ioctl(fd, SIOCINQ, &n) == 0 && n > 0 ? uint32_t(n) : 0;
}

uint32_t bytes_unacknowledged(int fd) {
  int n = 0;
  return ::ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0 ? uint32_t(n) : 0;
}

bool local_address(int fd, PeerIp& ip, uint16_t& port) {
  Address at;
  at.length = sizeof at.un;
  if (::getsockname(fd, &at.any, &at.length) < 0 || (at.family() != AF_INET && at.family() != AF_INET6)) return false;
  ip = PeerIp::from(&at.any);
  port = at.port();
  return true;
}

void probe_when_silent(int fd, int seconds) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
}

bool own_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
}

void reset_on_close(int fd) {
  const linger l{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

}  // namespace weir
