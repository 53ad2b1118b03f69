// Which values of a query nobody may read in a log.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Parameters whose values are secret; names in lower case.
using SecretNames = std::vector<std::string>;

// Whether the parameter of this name, as it is written in a query, is one of them: percent-decoded, in lower case, with or without
// an index as in `name[0]`.
[[nodiscard]] bool is_secret_parameter(std::string_view name, const SecretNames& secrets);

constexpr std::string_view kRedacted = "redacted";

// Where the next character of a URL is that ends or begins a part of its query, from `at` on; the size when there is none.
inline size_t next_stop(std::string_view url, size_t at, bool also_equals) {
  for (; at < url.size(); ++at) {
    const char c = url[at];
    if (c == '&' || c == ';' || c == '?' || c == '#' || (also_equals && c == '=')) break;
  }
  return at;
}

// Where the query of a URL begins, with its question mark; a fragment counts as one. The size when there is none.
inline size_t query_at(std::string_view url) {
  size_t at = 0;
  while (at < url.size() && url[at] != '?' && url[at] != '#') ++at;
  return at;
}

// Calls `piece(text)` for the parts of a query, which together are the query with `redacted` for each secret value. A name begins behind
// `&`, `;`, `?` or `#`, as servers differ about them; a secret value reaches to the next `&`.
template <typename Piece>
void each_redacted_piece(std::string_view query, const SecretNames& secrets, Piece&& piece) {
  size_t written = 0;
  for (size_t at = 0; !secrets.empty() && at < query.size(); ++at) {
    const size_t stop = next_stop(query, at, true);
    const bool has_value = stop < query.size() && query[stop] == '=';
    const bool is_secret = has_value && is_secret_parameter(query.substr(at, stop - at), secrets);
    at = is_secret ? std::min(query.find('&', stop), query.size()) : has_value ? next_stop(query, stop, false) : stop;
    if (!is_secret) continue;
    piece(query.substr(written, stop + 1 - written));
    piece(kRedacted);
    written = at;
  }
  if (written < query.size()) piece(query.substr(written));
}

}  // namespace weir
