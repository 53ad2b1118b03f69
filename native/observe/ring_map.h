// The rings of all workers, for somebody who only reads: the board, mapped read-only.
// Owns     the mapping, not the fd.
#pragma once
#include <cstddef>

namespace weir {

class RingMap {
 public:
  RingMap() = default;
  RingMap(const RingMap&) = delete;
  RingMap& operator=(const RingMap&) = delete;
  ~RingMap();

  // Once. False: errno says why; EINVAL when the file is smaller than a board of so many workers.
  [[nodiscard]] bool map(int fd, unsigned workers);
  // What RecordCursor reads from.
  [[nodiscard]] const char* ring(unsigned column) const;
  [[nodiscard]] unsigned workers() const { return workers_; }

 private:
  const char* base_ = nullptr;
  size_t size_ = 0;
  unsigned workers_ = 0;
};

}  // namespace weir
