#include "observe/record_words.h"

#include <array>

#include "base/abi.h"

namespace weir {

namespace {

// The names of the header's constants are the words, so only their list is written here.
#define WEIR_WORD(list, name) words[abi::list::name] = #name

constexpr auto kTerminations = [] {
  std::array<std::string_view, abi::termination::count> words{};
  WEIR_WORD(termination, ok);
  WEIR_WORD(termination, client_abort);
  WEIR_WORD(termination, client_header_timeout);
  WEIR_WORD(termination, client_body_timeout);
  WEIR_WORD(termination, bad_request);
  WEIR_WORD(termination, header_too_large);
  WEIR_WORD(termination, body_too_large);
  WEIR_WORD(termination, no_route);
  WEIR_WORD(termination, policy_denied);
  WEIR_WORD(termination, rate_limited);
  WEIR_WORD(termination, no_server);
  WEIR_WORD(termination, hold_timeout);
  WEIR_WORD(termination, queue_full);
  WEIR_WORD(termination, queue_timeout);
  WEIR_WORD(termination, connect_refused);
  WEIR_WORD(termination, connect_timeout);
  WEIR_WORD(termination, tls_failed);
  WEIR_WORD(termination, first_byte_timeout);
  WEIR_WORD(termination, idle_timeout);
  WEIR_WORD(termination, total_timeout);
  WEIR_WORD(termination, upstream_reset);
  WEIR_WORD(termination, upstream_bad_response);
  WEIR_WORD(termination, stale_connection);
  WEIR_WORD(termination, retry_budget);
  WEIR_WORD(termination, breaker_open);
  WEIR_WORD(termination, drain_deadline);
  WEIR_WORD(termination, shutdown);
  WEIR_WORD(termination, function_failed);
  return words;
}();

constexpr auto kFailures = [] {
  std::array<std::string_view, abi::failure::tls + 1> words{};
  WEIR_WORD(failure, connect);
  WEIR_WORD(failure, connect_timeout);
  WEIR_WORD(failure, reset);
  WEIR_WORD(failure, closed);
  WEIR_WORD(failure, first_byte_timeout);
  WEIR_WORD(failure, invalid_response);
  WEIR_WORD(failure, busy);
  WEIR_WORD(failure, head_too_large);
  WEIR_WORD(failure, status);
  WEIR_WORD(failure, tls);
  return words;
}();

#undef WEIR_WORD

template <size_t N>
constexpr bool is_complete(const std::array<std::string_view, N>& words) {
  for (const std::string_view word : words)
    if (word.empty()) return false;
  return true;
}
static_assert(is_complete(kTerminations) && is_complete(kFailures), "a number of src/native/abi.ts has no word");

template <size_t N>
std::string_view word_of(const std::array<std::string_view, N>& words, uint8_t number) {
  return number < N ? words[number] : std::string_view("unknown");
}

}  // namespace

std::string_view termination_word(uint8_t termination) { return word_of(kTerminations, termination); }
std::string_view failure_word(uint8_t failure) { return word_of(kFailures, failure); }

}  // namespace weir
