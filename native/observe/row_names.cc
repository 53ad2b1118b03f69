#include "observe/row_names.h"

#include "base/abi.h"
#include "observe/text_escape.h"

namespace weir {

unsigned RowNames::rows(Kind kind) {
  switch (kind) {
    case Kind::listener: return abi::board::listeners;
    case Kind::route: return abi::board::routes;
    case Kind::server: return abi::board::servers;
    case Kind::count: break;
  }
  return 0;
}

void RowNames::set(Kind kind, unsigned row, std::string_view name) {
  std::vector<RowName>& all = names_[unsigned(kind)];
  if (row >= all.size()) all.resize(row + 1);
  all[row].whole = escaped_json(name, kMostNameBytes);
  all[row].whole.shrink_to_fit();
  all[row].slash = kind == Kind::server ? all[row].whole.find('/') : std::string::npos;
}

}  // namespace weir
