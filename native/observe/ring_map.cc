#include "observe/ring_map.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "stats/board.h"

namespace weir {

RingMap::~RingMap() {
  if (base_) ::munmap(const_cast<char*>(base_), size_);
}

bool RingMap::map(int fd, unsigned workers) {
  const size_t size = Board::bytes_for(workers);
  struct stat st;
  if (::fstat(fd, &st) < 0) return false;
  if (size_t(st.st_size) < size) return errno = EINVAL, false;
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return false;
  base_ = static_cast<const char*>(at);
  size_ = size;
  workers_ = workers;
  return true;
}

const char* RingMap::ring(unsigned column) const { return base_ + Board::kColumnsAt + column * Board::kColumnBytes + Board::kRingAt; }

}  // namespace weir
