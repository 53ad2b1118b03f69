// What the rows of the board are called, as log lines write it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Content of a JSON string, escaped once when it is set.
struct RowName {
  std::string whole;
  size_t slash = std::string::npos;  // the first one, in a server's name

  [[nodiscard]] std::string_view upstream() const { return std::string_view(whole).substr(0, slash); }
  [[nodiscard]] std::string_view server() const {
    return slash == std::string::npos ? std::string_view() : std::string_view(whole).substr(slash + 1);
  }
};
// Longer names are cut: a line has an end.
constexpr unsigned kMostNameBytes = 512;

class RowNames {
 public:
  enum class Kind { listener, route, server, count };

  // How many rows of a kind the board has.
  [[nodiscard]] static unsigned rows(Kind kind);
  // `row` is one of them.
  void set(Kind kind, unsigned row, std::string_view name);
  // The empty name for a row that has none, or is none.
  [[nodiscard]] const RowName& of(Kind kind, unsigned row) const {
    static const RowName nobody;
    const std::vector<RowName>& all = names_[unsigned(kind)];
    return row < all.size() ? all[row] : nobody;
  }

 private:
  std::vector<RowName> names_[unsigned(Kind::count)];
};

}  // namespace weir
