// Slots for objects of one type: stable addresses, LIFO reuse, and a generation that tells an old handle from the new occupant.
// Owns     the objects. `retire` ends an object's life at once for lookups; its memory is reused only after `sweep`, so that a
//          caller further up the stack may still read the fields of what it was working on (deferred close).
#pragma once
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace weir {

template <typename T>
class Slab {
 public:
  static constexpr uint32_t kChunk = 64;

  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    sweep();
    for (uint32_t i = 0; i < size_; ++i)
      if (slot(i)->live) object(slot(i))->~T();
  }

  // A new object, or nullptr when `limit` are alive.
  [[nodiscard]] T* create(uint32_t limit = UINT32_MAX) {
    if (live_ >= limit) return nullptr;
    uint32_t index;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else {
      index = size_;
      if (size_ % kChunk == 0) chunks_.push_back(std::make_unique<Slot[]>(kChunk));
      ++size_;
    }
    Slot* s = slot(index);
    s->live = true;
    T* made = new (s->bytes) T;  // not T(): that would clear every header slot of an exchange
    made->slot_index = index;
    made->slot_generation = s->generation;
    ++live_;
    return made;
  }

  // The object, if that very one is still alive.
  [[nodiscard]] T* find(uint32_t index, uint32_t generation) {
    if (index >= size_) return nullptr;
    Slot* s = slot(index);
    return s->live && s->generation == generation ? object(s) : nullptr;
  }

  void retire(T* t) {
    Slot* s = slot(t->slot_index);
    if (!s->live) return;
    s->live = false;
    s->generation = (s->generation + 1) & 0x0fffffffu;
    --live_;
    retired_.push_back(t->slot_index);
  }

  // End of a batch: nobody up the stack holds a pointer any more.
  void sweep() {
    for (uint32_t index : retired_) {
      object(slot(index))->~T();
      free_.push_back(index);
    }
    retired_.clear();
  }

  template <typename F>
  void each(F&& f) {
    for (uint32_t i = 0; i < size_; ++i)
      if (slot(i)->live) f(object(slot(i)));
  }

  [[nodiscard]] uint32_t live() const { return live_; }
  [[nodiscard]] bool has_retired() const { return !retired_.empty(); }

 private:
  struct Slot {
    alignas(T) unsigned char bytes[sizeof(T)];
    uint32_t generation = 1;
    bool live = false;
  };
  Slot* slot(uint32_t i) { return &chunks_[i / kChunk][i % kChunk]; }
  static T* object(Slot* s) { return std::launder(reinterpret_cast<T*>(s->bytes)); }

  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> retired_;
  uint32_t size_ = 0;
  uint32_t live_ = 0;
};

}  // namespace weir
