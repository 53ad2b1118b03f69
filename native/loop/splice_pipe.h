// Moves bytes one way: source socket -> kernel pipe -> sink socket, never through user memory.
// Owns     PipePool owns spare pipes; a Pipe* is a loan that goes back through `give_back`, which closes it unless it is empty.
// Borrows  both sockets for the length of one call. Never closes them. Calls back into nothing.
// Note     the pipe can hold more or less than its nominal size, because it counts pages, not bytes: `pending` is the truth.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "loop/io.h"

namespace weir {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
  size_t pending = 0;  // bytes that were taken from the source and not yet given to the sink

  // Takes up to `most` bytes from the socket. would_block: the socket has none, or the pipe is full.
  [[nodiscard]] IoResult fill(int from, size_t most);
  // Gives what is pending to the socket, as much as it takes.
  [[nodiscard]] IoResult drain(int to);
};

class PipePool {
 public:
  // nullptr when the process may not have more: the caller copies instead.
  [[nodiscard]] Pipe* take();
  void give_back(Pipe* p);
  [[nodiscard]] uint32_t lent() const { return lent_; }
  // How much one splice may take where full segments of `piece` bytes are there. Fewer, larger ones cost less: each wakes whoever
  // reads at the other end. With many pipes in use at once a piece each is enough, and bounds what the kernel keeps for us.
  [[nodiscard]] size_t splice_bytes(uint32_t piece) const { return are_few() && piece > 0 ? size_t(kBytes) / piece * piece : piece; }
  [[nodiscard]] bool are_few() const { return lent_ <= kGenerous; }

 private:
  static constexpr uint32_t kSpare = 64;
  static constexpr uint32_t kMost = 4096;  // two descriptors each
  static constexpr uint32_t kGenerous = 128;
  static constexpr int kBytes = 1024 * 1024;
  std::vector<std::unique_ptr<Pipe>> spare_;
  uint32_t lent_ = 0;
};

}  // namespace weir
