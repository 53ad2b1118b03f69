// Runs the operations of one program under callgrind, or with a clock.
//   PROGRAM count TIMES     each operation TIMES times between guard_begin and guard_end; prints `name bytes` for each
//   PROGRAM time MS ROUNDS  each for about MS milliseconds of CPU time per round; prints `name bytes ns ns …`, one per round
// callgrind is told to collect inside guard_collect, to forget at guard_begin and to write a dump at guard_end.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "operation.h"

extern "C" {
__attribute__((noinline)) void guard_begin() { asm volatile(""); }
__attribute__((noinline)) void guard_end() { asm volatile(""); }
__attribute__((noinline)) void guard_collect(const std::function<void()>& work) {
  work();
  asm volatile("");
}
}

namespace weir::guard {

namespace {

uint64_t spent_ns = 0;
bool is_timed = false;

uint64_t cpu_ns() {
  timespec now{};
  // Not the C library's function: the test bed has another one.
  ::syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now);
  return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

void count(const Operation& operation, unsigned times) {
  operation.run(times);  // buffers grow and symbols are found now
  guard_begin();
  operation.run(times);
  guard_end();
  std::printf("%s %zu\n", operation.name.c_str(), operation.bytes);
}

double timed(const Operation& operation, unsigned times) {
  spent_ns = 0;
  operation.run(times);
  return double(spent_ns);
}

void time(const Operation& operation, double milliseconds, unsigned rounds) {
  unsigned times = 64;
  while (timed(operation, times) < milliseconds * 1e6 / 4 && times < 1u << 28) times *= 2;
  times *= 4;
  std::printf("%s %zu", operation.name.c_str(), operation.bytes);
  for (unsigned round = 0; round < rounds; ++round) std::printf(" %.2f", timed(operation, times) / times);
  std::printf("\n");
}

}  // namespace

void counted(const std::function<void()>& work) {
  if (!is_timed) return guard_collect(work);
  const uint64_t from = cpu_ns();
  work();
  spent_ns += cpu_ns() - from;
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

}  // namespace weir::guard

int main(int count, char** words) {
  using namespace weir::guard;
  const std::string_view mode = count > 1 ? words[1] : "";
  if (mode == "count" && count == 3) {
    for (const Operation& operation : operations()) weir::guard::count(operation, unsigned(std::atoi(words[2])));
  } else if (mode == "time" && count == 4) {
    is_timed = true;
    for (const Operation& operation : operations()) weir::guard::time(operation, std::atof(words[2]), unsigned(std::atoi(words[3])));
  } else {
    std::fprintf(stderr, "usage: %s count TIMES | time MS ROUNDS\n", words[0]);
    return 2;
  }
  return 0;
}
