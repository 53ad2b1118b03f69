// The numbers of records as words for people: the names of src/native/abi.ts in snake case.
#pragma once
#include <cstdint>
#include <string_view>

namespace weir {

// Each is `unknown` for a number that has no word.
[[nodiscard]] std::string_view termination_word(uint8_t termination);
[[nodiscard]] std::string_view failure_word(uint8_t failure);

}  // namespace weir
