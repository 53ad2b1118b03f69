// Parts of one write: head, chunk sizes and body pieces, gathered so that a message leaves in one system call.
// Owns     the chunk-size lines. Borrows everything else until it is written.
#pragma once
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

class Gather {
 public:
  static constexpr int kParts = 96;

  void add(std::string_view s) {
    if (s.empty()) return;
    parts_[count_++] = {const_cast<char*>(s.data()), s.size()};
    bytes_ += s.size();
  }
  // A body piece as one chunk (RFC 9112 7.1).
  void add_chunk(std::string_view piece) {
    if (piece.empty()) return;
    char* line = sizes_[chunks_++];
    char digits[16];
    size_t n = 0, v = piece.size(), at = 0;
    do digits[n++] = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    while (n) line[at++] = digits[--n];
    line[at++] = '\r';
    line[at++] = '\n';
    add({line, at});
    add(piece);
    add("\r\n");
  }
  void add_last_chunk(std::string_view trailers) {
    add("0\r\n");
    add(trailers);
    add("\r\n");
  }
  [[nodiscard]] bool full() const { return count_ + 8 > kParts || chunks_ == kChunks; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] const iovec* parts() const { return parts_; }
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] size_t bytes() const { return bytes_; }
  void clear() { count_ = chunks_ = 0, bytes_ = 0; }

 private:
  static constexpr int kChunks = 28;
  int count_ = 0;
  int chunks_ = 0;
  size_t bytes_ = 0;
  iovec parts_[kParts];
  char sizes_[kChunks][20];
};

}  // namespace weir
