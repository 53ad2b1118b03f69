// Texts that may hold any bytes, written so that a log keeps its form and a terminal only shows them.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

// Where a text is written. What does not fit is left out, from the first character on that does not: the text is cut.
// Borrows  the memory.
struct TextOut {
  char* at;
  char* end;
};

// Content of a JSON string: valid UTF-8 without quotes round it. Invalid sequences become U+FFFD, as in WHATWG's decoder; control
// characters of ASCII and Latin-1, and those that break lines or turn the direction of a text, become \u escapes.
void escape_json(TextOut& out, std::string_view bytes);

// The same as a text of its own, of so many bytes at most.
[[nodiscard]] std::string escaped_json(std::string_view bytes, size_t most);

// As Apache writes what stands between quotes: ASCII only, \" and \\, \n \r \t \v \b, and \xhh for whatever else is not printable.
void escape_combined(TextOut& out, std::string_view bytes);

}  // namespace weir
