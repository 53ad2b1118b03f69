#include "loop/descriptor_channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace weir {

namespace {

constexpr size_t kPerMessage = 64;
constexpr int kPatienceMs = 1000;

// One message: a byte that says how many descriptors come with it, and room for them.
struct Envelope {
  unsigned char count = 0;
  iovec body{&count, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(kPerMessage * sizeof(int))] = {};
  msghdr header{};

  Envelope() {
    header.msg_iov = &body;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
};

int wait_for(int channel, short events) {
  pollfd waiting{channel, events, 0};
  for (;;) {
    const int ready = ::poll(&waiting, 1, kPatienceMs);
    if (ready > 0) return 0;
    if (ready == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

int send_some(int channel, const int* fds, size_t count) {
  Envelope e;
  e.count = static_cast<unsigned char>(count);
  e.header.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* c = CMSG_FIRSTHDR(&e.header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(c), fds, count * sizeof(int));
  for (;;) {
    if (::sendmsg(channel, &e.header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    if (const int error = wait_for(channel, POLLOUT)) return error;
  }
}

// Whatever the message carries has an owner afterwards.
void take_descriptors(msghdr& header, std::vector<UniqueFd>& to) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t bytes = c->cmsg_len - CMSG_LEN(0);
    for (size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
      to.emplace_back(fd);
    }
  }
}

int receive_some(int channel, std::vector<UniqueFd>& to) {
  Envelope e;
  ssize_t n;
  for (;;) {
    n = ::recvmsg(channel, &e.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n >= 0) break;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    if (const int error = wait_for(channel, POLLIN)) return error;
  }
  const size_t before = to.size();
  take_descriptors(e.header, to);
  if (n == 0) return ECONNRESET;
  // The kernel leaves out what the process has no numbers for.
  if (e.header.msg_flags & MSG_CTRUNC && to.size() - before < e.count) return EMFILE;
  const bool is_whole = !(e.header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && e.count > 0;
  return is_whole && to.size() - before == e.count ? 0 : EPROTO;
}

}  // namespace

int open_channel(UniqueFd& near, UniqueFd& far) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) return errno;
  near.reset(fds[0]);
  far.reset(fds[1]);
  return 0;
}

int send_descriptors(int channel, const std::vector<int>& fds) {
  for (size_t at = 0; at < fds.size(); at += kPerMessage)
    if (const int error = send_some(channel, fds.data() + at, std::min(kPerMessage, fds.size() - at))) return error;
  return 0;
}

int receive_descriptors(int channel, size_t count, std::vector<UniqueFd>& to) {
  std::vector<UniqueFd> received;
  while (received.size() < count) {
    if (const int error = receive_some(channel, received)) return error;
  }
  if (received.size() > count) return EPROTO;
  to = std::move(received);
  return 0;
}

}  // namespace weir
