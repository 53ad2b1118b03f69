#include "stats/board.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir {

static_assert(sizeof(double) == 8 && sizeof(std::atomic<int32_t>) == 4);
static_assert(abi::worker_counter::count * 8 <= abi::board::worker_bytes);
static_assert(abi::server_counter::count * 8 <= abi::board::server_stride);
static_assert(abi::listener_counter::count * 8 <= abi::board::listener_stride);

Board::~Board() {
  if (base_) ::munmap(base_, size_);
}

int Board::create(unsigned workers) {
  const int fd = ::memfd_create("weir-board", MFD_CLOEXEC);
  if (fd < 0) return -1;
  uint64_t secret = 0;
  if (::ftruncate(fd, off_t(bytes_for(workers))) == 0 && ::getrandom(&secret, sizeof secret, 0) == sizeof secret &&
      ::pwrite(fd, &secret, sizeof secret, 0) == sizeof secret)
    return fd;
  const int e = errno;
  ::close(fd);
  errno = e;
  return -1;
}

bool Board::map(int fd, unsigned workers, unsigned my_column) {
  const size_t size = bytes_for(workers);
  if (fd >= 0) {
    // A shorter file than its users think would end them with SIGBUS later.
    struct stat st;
    if (::fstat(fd, &st) < 0) return false;
    if (size_t(st.st_size) < size) return errno = EINVAL, false;
  }
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
  if (at == MAP_FAILED) return false;
  base_ = static_cast<char*>(at);
  size_ = size;
  workers_ = workers;
  column_ = my_column;
  return true;
}

}  // namespace weir
