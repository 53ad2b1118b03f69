#include "http/plan.h"

#include "http/header_names.h"
#include "http/text.h"

namespace weir {

namespace {
uint64_t name_bit(std::string_view name) {
  const unsigned first = name.empty() ? 0 : unsigned(name.front() | 0x20);
  return uint64_t(1) << ((name.size() * 7 + first) & 63);
}
}  // namespace

void HeaderEdits::add(HeaderEdit e) {
  e.id = header_id_of(e.name);
  e.lower = lower_case(e.name);
  if (e.replaces || e.removes_only) {
    if (e.id == HeaderId::other) dropped_others_ |= name_bit(e.lower);
    else dropped_ids_ |= 1u << unsigned(e.id);
  }
  edits_.push_back(std::move(e));
}

bool HeaderEdits::drops(HeaderId id, std::string_view name) const {
  if (id != HeaderId::other) return dropped_ids_ >> unsigned(id) & 1;
  if (!(dropped_others_ & name_bit(name))) return false;
  for (const HeaderEdit& e : edits_)
    if ((e.replaces || e.removes_only) && equals_ignoring_case(name, e.lower)) return true;
  return false;
}

}  // namespace weir
