// Plans by id. Ids are never given twice and only a few are in use at a time, so what was dropped at the low end takes no room.
// Owns     the plans that are in it.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>

namespace weir {

template <typename T>
class PlanTable {
 public:
  [[nodiscard]] T* find(uint32_t id) const { return holds(id) ? plans_[id - first_].get() : nullptr; }

  // Takes the place of one that has this id.
  void set(uint32_t id, std::unique_ptr<T> plan) {
    if (plans_.empty()) first_ = id;
    for (; id < first_; --first_) plans_.emplace_front();
    if (!holds(id)) plans_.resize(id - first_ + 1);
    plans_[id - first_] = std::move(plan);
  }

  // Out of the table; nullptr when there is none.
  [[nodiscard]] std::unique_ptr<T> take(uint32_t id) {
    if (!holds(id)) return nullptr;
    std::unique_ptr<T> plan = std::move(plans_[id - first_]);
    while (!plans_.empty() && !plans_.front()) {
      plans_.pop_front();
      ++first_;
    }
    return plan;
  }

  // One of them; nullptr when it is empty.
  [[nodiscard]] std::unique_ptr<T> take_first() { return take(first_); }
  // Places, of plans and of gaps between them.
  [[nodiscard]] size_t places() const { return plans_.size(); }

 private:
  [[nodiscard]] bool holds(uint32_t id) const { return id - first_ < plans_.size(); }

  std::deque<std::unique_ptr<T>> plans_;
  uint32_t first_ = 0;
};

}  // namespace weir
