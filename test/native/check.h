// A test harness in one header: TEST("sentence") { CHECK(...); }, run by `run_tests` from test/native/main.cc.
// Note     a failed check is reported and counted, the test goes on: one run shows every broken fact.
#pragma once
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace weir::check {

struct Test {
  const char* name;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

inline void report(const char* file, int line, const std::string& what) {
  ++failures();
  std::fprintf(stderr, "  %s:%d: %s\n", file, line, what.c_str());
}

// Printable form of a value in a failure message; control bytes are escaped.
template <typename T>
std::string show(const T& value) {
  std::ostringstream out;
  if constexpr (std::is_enum_v<T>) out << static_cast<long>(value);
  else out << value;
  std::string shown;
  for (char c : out.str()) {
    char escaped[5];
    std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned char>(c));
    shown += (c >= 0x20 && c < 0x7f) ? std::string(1, c) : std::string(escaped);
  }
  return shown;
}

template <typename A, typename B>
void equal(const char* file, int line, const char* text, const A& got, const B& wanted) {
  if (!(got == wanted)) report(file, line, std::string(text) + " is " + show(got) + ", not " + show(wanted));
}

// Runs the tests whose name contains `filter`; the number of failed checks.
inline int run_tests(std::string_view filter) {
  int ran = 0;
  for (const Test& test : tests()) {
    if (std::string_view(test.name).find(filter) == std::string_view::npos) continue;
    const int before = failures();
    test.body();
    ++ran;
    if (failures() != before) std::fprintf(stderr, "not ok  %s\n", test.name);
  }
  std::printf("%d native tests, %d failed checks\n", ran, failures());
  return ran == 0 ? 1 : failures();
}

}  // namespace weir::check

#define WEIR_JOIN2(a, b) a##b
#define WEIR_JOIN(a, b) WEIR_JOIN2(a, b)
#define TEST(sentence)                                                                                                  \
  static void WEIR_JOIN(test_, __LINE__)();                                                                             \
  static const weir::check::Registration WEIR_JOIN(registration_, __LINE__)(sentence, WEIR_JOIN(test_, __LINE__));      \
  static void WEIR_JOIN(test_, __LINE__)()
#define CHECK(condition) ((condition) ? void() : weir::check::report(__FILE__, __LINE__, #condition " does not hold"))
#define CHECK_EQ(got, wanted) weir::check::equal(__FILE__, __LINE__, #got, got, wanted)
