// A growing run of bytes that heads are written into; one per engine, reused for every message.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace weir {

class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  ~ByteSink() { free(bytes_); }

  void clear() { size_ = 0; }
  void put(std::string_view s) {
    memcpy(room(s.size()), s.data(), s.size());
    size_ += s.size();
  }
  void put(char c) { *room(1) = c, ++size_; }
  void put_number(uint64_t v) {
    char digits[20];
    size_t n = 0;
    do digits[n++] = char('0' + v % 10);
    while (v /= 10);
    char* to = room(n);
    for (size_t i = 0; i < n; ++i) to[i] = digits[n - 1 - i];
    size_ += n;
  }
  // Space for `n` more bytes; `wrote` says how many were used.
  char* room(size_t n) {
    if (size_ + n > capacity_) grow(size_ + n);
    return bytes_ + size_;
  }
  void wrote(size_t n) { size_ += n; }

  [[nodiscard]] std::string_view view() const { return {bytes_, size_}; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  void grow(size_t needed) {
    size_t to = capacity_ ? capacity_ * 2 : 16384;
    while (to < needed) to *= 2;
    char* moved = static_cast<char*>(realloc(bytes_, to));
    if (!moved) abort();  // out of memory: the primary replaces the worker
    bytes_ = moved;
    capacity_ = to;
  }
  char* bytes_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace weir
