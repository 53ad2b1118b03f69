// Descriptors that travel over a channel arrive in order and once, or not at all.
#include "loop/descriptor_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "check.h"
#include "lib/test_bed.h"

using namespace weir;

namespace {

struct Channel {
  Channel() { CHECK_EQ(open_channel(near, far), 0); }
  UniqueFd near, far;
};

// Files that can be told from each other.
std::vector<UniqueFd> some_files(size_t count) {
  std::vector<UniqueFd> files;
  for (size_t i = 0; i < count; ++i) {
    files.emplace_back(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    CHECK(files.back().valid() && ::ftruncate(files.back().get(), off_t(i)) == 0);
  }
  return files;
}

off_t size_of(const UniqueFd& file) {
  struct stat st {};
  return ::fstat(file.get(), &st) == 0 ? st.st_size : -1;
}

std::vector<int> numbers_of(const std::vector<UniqueFd>& files) {
  std::vector<int> fds;
  for (const UniqueFd& file : files) fds.push_back(file.get());
  return fds;
}

// A message as nobody should send it.
void send_raw(const UniqueFd& channel, unsigned char says, const std::vector<int>& fds, size_t bytes = 1) {
  char body[8] = {char(says)};
  alignas(cmsghdr) char control[CMSG_SPACE(128 * sizeof(int))] = {};
  iovec part{body, bytes};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  }
  CHECK(::sendmsg(channel.get(), &header, 0) >= 0);
}

}  // namespace

TEST("descriptors arrive in their order, however many, and are closed on exec") {
  for (const size_t count : {size_t(0), size_t(1), size_t(64), size_t(65), size_t(200)}) {
    Channel channel;
    const std::vector<UniqueFd> files = some_files(count);
    const size_t before = open_fds();
    CHECK_EQ(send_descriptors(channel.near.get(), numbers_of(files)), 0);
    {
      std::vector<UniqueFd> received;
      CHECK_EQ(receive_descriptors(channel.far.get(), count, received), 0);
      CHECK_EQ(received.size(), count);
      for (size_t i = 0; i < received.size(); ++i) {
        CHECK_EQ(size_of(received[i]), off_t(i));
        CHECK(::fcntl(received[i].get(), F_GETFD) & FD_CLOEXEC);
      }
    }
    CHECK_EQ(open_fds(), before);
  }
}

TEST("both ends of a channel are closed on exec and keep the bounds of messages") {
  const Channel channel;
  for (const UniqueFd* end : {&channel.near, &channel.far}) {
    CHECK(::fcntl(end->get(), F_GETFD) & FD_CLOEXEC);
    int type = 0;
    socklen_t size = sizeof type;
    CHECK(::getsockopt(end->get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET);
  }
}

TEST("descriptors of several changes are told apart by how many are asked for") {
  Channel channel;
  const std::vector<UniqueFd> files = some_files(3);
  CHECK_EQ(send_descriptors(channel.near.get(), {files[0].get(), files[1].get()}), 0);
  CHECK_EQ(send_descriptors(channel.near.get(), {files[2].get()}), 0);
  std::vector<UniqueFd> first, second;
  CHECK_EQ(receive_descriptors(channel.far.get(), 2, first), 0);
  CHECK_EQ(receive_descriptors(channel.far.get(), 1, second), 0);
  CHECK(first.size() == 2 && second.size() == 1 && size_of(second[0]) == 2);
}

TEST("whoever waits for descriptors that do not come gives up after a second") {
  Channel channel;
  const std::vector<UniqueFd> files = some_files(1);
  CHECK_EQ(send_descriptors(channel.near.get(), numbers_of(files)), 0);
  const size_t before = open_fds();
  std::vector<UniqueFd> received;
  CHECK_EQ(receive_descriptors(channel.far.get(), 2, received), ETIMEDOUT);
  CHECK(received.empty());
  CHECK_EQ(open_fds(), before);
}

TEST("a message that is not whole leaves nothing open") {
  const std::vector<UniqueFd> files = some_files(100);
  const std::vector<int> all = numbers_of(files), two(all.begin(), all.begin() + 2), none;
  struct Case {
    unsigned char says;
    std::vector<int> fds;
    size_t bytes;
    size_t wanted;
    int error;
  };
  const Case cases[] = {
      {3, two, 1, 3, EPROTO},  // short
      {1, two, 1, 2, EPROTO},  // more than it says
      {2, two, 1, 1, EPROTO},  // more than is wanted
      {0, none, 1, 1, EPROTO},
      {2, none, 1, 2, EPROTO},
      {2, two, 8, 2, EPROTO},    // a body of another kind
      {100, all, 1, 100, EMFILE},  // more than there is room for
  };
  for (const Case& c : cases) {
    Channel channel;
    const size_t before = open_fds();
    send_raw(channel.near, c.says, c.fds, c.bytes);
    std::vector<UniqueFd> received;
    CHECK_EQ(receive_descriptors(channel.far.get(), c.wanted, received), c.error);
    CHECK(received.empty());
    CHECK_EQ(open_fds(), before);
  }
}

TEST("a process that may open no more descriptors keeps none of them") {
  Channel channel;
  const std::vector<UniqueFd> files = some_files(4);
  CHECK_EQ(send_descriptors(channel.near.get(), numbers_of(files)), 0);
  const size_t before = open_fds();
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  rlimit tight = limit;
  {
    const UniqueFd lowest(::fcntl(0, F_DUPFD_CLOEXEC, 0));
    tight.rlim_cur = rlim_t(lowest.get() + 2);
  }
  ::setrlimit(RLIMIT_NOFILE, &tight);
  std::vector<UniqueFd> received;
  const int error = receive_descriptors(channel.far.get(), 4, received);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  CHECK_EQ(error, EMFILE);
  CHECK_EQ(open_fds(), before);
}

TEST("a channel whose other end is gone says so") {
  Channel channel;
  const std::vector<UniqueFd> files = some_files(1);
  channel.near.reset();
  std::vector<UniqueFd> received;
  CHECK_EQ(receive_descriptors(channel.far.get(), 1, received), ECONNRESET);
  CHECK_EQ(send_descriptors(channel.far.get(), numbers_of(files)), EPIPE);
  CHECK_EQ(send_descriptors(-1, numbers_of(files)), EBADF);
}
