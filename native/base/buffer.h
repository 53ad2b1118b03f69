// Fixed-size byte buffers from a pool. A connection holds one only while it has bytes that cannot be passed on at once.
// Owns     BufferPool owns every buffer; a Buffer* is a loan that goes back through `give_back`.
// Bound    at most `kSpare` free buffers are kept, the rest is returned to the allocator.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

// 64 KiB of data as architecture's watermark says, plus room so that a head of the largest size still leaves 16 KiB to read into.
constexpr uint32_t kBufferBytes = 80 * 1024;
constexpr uint32_t kReadBytes = 64 * 1024;
// Bodies with at least so much to come are moved in pieces that fill whole segments, through a pipe where that is possible.
constexpr uint32_t kBulkBytes = 96 * 1024;

struct Buffer {
  Buffer* next = nullptr;
  uint32_t at = 0;   // first byte not yet used
  uint32_t end = 0;  // behind the last byte
  char bytes[kBufferBytes];

  [[nodiscard]] uint32_t size() const { return end - at; }
  [[nodiscard]] uint32_t room() const { return kBufferBytes - end; }
  [[nodiscard]] std::string_view view() const { return {bytes + at, size()}; }
};

class BufferPool {
 public:
  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  [[nodiscard]] Buffer* take();
  void give_back(Buffer* b);
  [[nodiscard]] uint32_t lent() const { return lent_; }

 private:
  static constexpr uint32_t kSpare = 256;
  Buffer* free_ = nullptr;
  uint32_t spare_ = 0;
  uint32_t lent_ = 0;
};

// Bytes waiting for a sink that would block, in order. Empty nearly always.
class ByteQueue {
 public:
  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  [[nodiscard]] uint32_t size() const { return size_; }
  void append(BufferPool& pool, std::string_view bytes);
  [[nodiscard]] std::string_view front() const { return head_->view(); }
  [[nodiscard]] const Buffer* first() const { return head_; }
  void consume(BufferPool& pool, size_t n);
  void clear(BufferPool& pool);

 private:
  Buffer* head_ = nullptr;
  Buffer* tail_ = nullptr;
  uint32_t size_ = 0;
};

}  // namespace weir
