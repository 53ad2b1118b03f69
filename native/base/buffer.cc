#include "base/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace weir {

BufferPool::~BufferPool() {
  while (free_) {
    Buffer* b = free_;
    free_ = b->next;
    delete b;
  }
}

Buffer* BufferPool::take() {
  ++lent_;
  if (free_) {
    Buffer* b = free_;
    free_ = b->next;
    --spare_;
    b->next = nullptr;
    b->at = b->end = 0;
    return b;
  }
  // Out of memory ends the worker: the primary replaces it, and no half-made state is left behind.
  return new Buffer;
}

void BufferPool::give_back(Buffer* b) {
  --lent_;
  if (spare_ >= kSpare) {
    delete b;
    return;
  }
  b->next = free_;
  free_ = b;
  ++spare_;
}

void ByteQueue::append(BufferPool& pool, std::string_view bytes) {
  size_ += uint32_t(bytes.size());
  while (!bytes.empty()) {
    if (!tail_ || tail_->room() == 0) {
      Buffer* b = pool.take();
      (tail_ ? tail_->next : head_) = b;
      tail_ = b;
    }
    const size_t n = std::min<size_t>(tail_->room(), bytes.size());
    memcpy(tail_->bytes + tail_->end, bytes.data(), n);
    tail_->end += uint32_t(n);
    bytes.remove_prefix(n);
  }
}

void ByteQueue::consume(BufferPool& pool, size_t n) {
  size_ -= uint32_t(n);
  while (n > 0) {
    const size_t here = std::min<size_t>(n, head_->size());
    head_->at += uint32_t(here);
    n -= here;
    if (head_->size() == 0) {
      Buffer* b = head_;
      head_ = b->next;
      if (!head_) tail_ = nullptr;
      pool.give_back(b);
    }
  }
}

void ByteQueue::clear(BufferPool& pool) {
  while (head_) {
    Buffer* b = head_;
    head_ = b->next;
    pool.give_back(b);
  }
  tail_ = nullptr;
  size_ = 0;
}

}  // namespace weir
