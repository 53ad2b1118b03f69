// A piece of engine work that is counted (instructions) or timed (nanoseconds), always the same one.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace weir::guard {

struct Operation {
  std::string name;                  // as in bench/guard/thresholds.ts
  size_t bytes;                      // that it reads each time; 0 where that says nothing
  std::function<void(unsigned)> run;  // does it so often; what is to be counted happens inside `counted`
};

// What the program that this is linked into does.
std::vector<Operation> operations();

// Only what runs inside is counted and timed. Not to be nested.
void counted(const std::function<void()>& work);

// The compiler must not find out that nobody looks at the result.
template <typename T>
inline void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

// Ends the program with this sentence unless it holds: an operation that fails early would look fast.
void require(bool holds, const char* what);

}  // namespace weir::guard
