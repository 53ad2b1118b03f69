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

// Calls `piece(text)` for the parts of a query, which together are the query with `redacted` for each secret value. A name begins behind
// `&`, `;`, `?` or `#`, as servers differ about them; a secret value reaches to the next `&`.
template <typename Piece>
void each_redacted_piece(std::string_view query, const SecretNames& secrets, Piece&& piece) {
  constexpr std::string_view kBefore = "&;?#";
  size_t written = 0;
  for (size_t at = 0; !secrets.empty() && at < query.size();) {
    const size_t stop = query.find_first_of("=&;?#", at);
    if (stop == std::string_view::npos) break;
    if (query[stop] != '=') {
      at = stop + 1;
      continue;
    }
    const bool is_secret = is_secret_parameter(query.substr(at, stop - at), secrets);
    const size_t next = std::min(is_secret ? query.find('&', stop) : query.find_first_of(kBefore, stop), query.size());
    if (is_secret) {
      piece(query.substr(written, stop + 1 - written));
      piece(kRedacted);
      written = next;
    }
    at = next + 1;
  }
  if (written < query.size()) piece(query.substr(written));
}

}  // namespace weir
