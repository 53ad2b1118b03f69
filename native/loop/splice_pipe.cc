#include "loop/splice_pipe.h"

#include <errno.h>
#include <fcntl.h>

namespace weir {

IoResult Pipe::fill(int from, size_t most) {
  for (;;) {
    const ssize_t n = ::splice(from, nullptr, write_end.get(), nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
      pending += size_t(n);
      return {IoResult::Kind::ok, size_t(n), 0};
    }
    if (n == 0) return {IoResult::Kind::closed};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return {IoResult::Kind::would_block};
    return {IoResult::Kind::failed, 0, errno};
  }
}

IoResult Pipe::drain(int to) {
  for (;;) {
    const ssize_t n = ::splice(read_end.get(), nullptr, to, nullptr, pending, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
      pending -= size_t(n);
      return {IoResult::Kind::ok, size_t(n), 0};
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return {IoResult::Kind::would_block};
    return {IoResult::Kind::failed, 0, n < 0 ? errno : EPIPE};
  }
}

Pipe* PipePool::take() {
  if (lent_ >= kMost) return nullptr;
  if (!spare_.empty()) {
    Pipe* p = spare_.back().release();
    spare_.pop_back();
    ++lent_;
    return p;
  }
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return nullptr;
  auto p = std::make_unique<Pipe>();
  p->read_end.reset(ends[0]);
  p->write_end.reset(ends[1]);
  // The kernel may refuse more than the default of 64 KiB to users without privileges; that is slower, not wrong.
  (void)::fcntl(ends[1], F_SETPIPE_SZ, kBytes);
  ++lent_;
  return p.release();
}

void PipePool::give_back(Pipe* p) {
  --lent_;
  std::unique_ptr<Pipe> owned(p);
  // Bytes of one exchange must never reach another one.
  if (owned->pending == 0 && spare_.size() < kSpare) spare_.push_back(std::move(owned));
}

}  // namespace weir
