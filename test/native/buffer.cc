// Pooled buffers, and queues of bytes made of them.
#include <random>
#include <string>

#include "base/buffer.h"
#include "check.h"
#include "loop/splice_pipe.h"

using namespace weir;

TEST("a queue gives back what was put in, in order, whatever the sizes") {
  BufferPool pool;
  std::mt19937 random(7);
  const auto upto = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n)(random); };
  for (int life = 0; life < 20; ++life) {
    ByteQueue queue;
    std::string expected;
    for (int i = 0; i < 200; ++i) {
      if (upto(1)) {
        std::string bytes(upto(upto(9) ? 3000 : 200'000), '\0');
        for (char& c : bytes) c = char(random());
        queue.append(pool, bytes);
        expected += bytes;
      } else if (!queue.empty()) {
        // Across buffers as well.
        const size_t n = upto(queue.size());
        CHECK(queue.front() == std::string_view(expected).substr(0, queue.front().size()));
        queue.consume(pool, n);
        expected.erase(0, n);
      }
      CHECK_EQ(queue.size(), expected.size());
      CHECK_EQ(queue.empty(), expected.empty());
    }
    std::string rest;
    for (const Buffer* b = queue.first(); b; b = b->next) rest += b->view();
    CHECK(rest == expected);
    queue.clear(pool);
    CHECK_EQ(pool.lent(), 0u);
  }
}

TEST("a queue that was emptied holds no buffer and can be used again") {
  BufferPool pool;
  ByteQueue queue;
  queue.append(pool, std::string(kBufferBytes * 2 + 1, 'x'));
  CHECK_EQ(pool.lent(), 3u);
  queue.consume(pool, kBufferBytes * 2 + 1);
  CHECK(queue.empty());
  CHECK_EQ(pool.lent(), 0u);
  queue.append(pool, "");
  CHECK(queue.empty());
  queue.append(pool, "again");
  CHECK_EQ(queue.front(), "again");
  queue.clear(pool);
}

TEST("a buffer from the pool is empty, however it was given back") {
  BufferPool pool;
  Buffer* b = pool.take();
  b->at = 5, b->end = 9;
  pool.give_back(b);
  Buffer* again = pool.take();
  CHECK(again == b);
  CHECK_EQ(again->size(), 0u);
  CHECK_EQ(again->room(), kBufferBytes);
  CHECK(again->next == nullptr);
  pool.give_back(again);
}

TEST("the pool keeps a bounded number of spare buffers") {
  BufferPool pool;
  std::vector<Buffer*> all;
  for (int i = 0; i < 400; ++i) all.push_back(pool.take());
  for (Buffer* b : all) pool.give_back(b);
  CHECK_EQ(pool.lent(), 0u);
}

TEST("a pipe that still holds bytes is never lent again") {
  PipePool pool;
  Pipe* dirty = pool.take();
  const int fd = dirty->write_end.get();
  CHECK_EQ(::write(fd, "x", 1), 1);
  dirty->pending = 1;
  pool.give_back(dirty);
  Pipe* next = pool.take();
  char byte;
  CHECK(::read(next->read_end.get(), &byte, 1) < 0);
  CHECK_EQ(next->pending, 0u);
  pool.give_back(next);
  CHECK_EQ(pool.lent(), 0u);
  CHECK(pool.take() == next);
  pool.give_back(next);
}
