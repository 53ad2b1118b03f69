// Slots, their generations, and when their memory may be used again.
#include <vector>

#include "base/slab.h"
#include "check.h"

using namespace weir;

namespace {

struct Item {
  static inline int alive = 0;
  Item() { ++alive; }
  ~Item() { --alive; }
  uint32_t slot_index = 0;
  uint32_t slot_generation = 0;
  int value = 0;
};

}  // namespace

TEST("a slab finds an object by index and generation, and only that one") {
  Slab<Item> slab;
  Item* a = slab.create();
  const uint32_t index = a->slot_index, generation = a->slot_generation;
  CHECK(slab.find(index, generation) == a);
  CHECK(slab.find(index, generation + 1) == nullptr);
  CHECK(slab.find(index + 1, generation) == nullptr);
  slab.retire(a);
  CHECK(slab.find(index, generation) == nullptr);
  slab.sweep();
  Item* b = slab.create();
  CHECK_EQ(b->slot_index, index);
  CHECK(slab.find(index, generation) == nullptr);
  CHECK(slab.find(index, b->slot_generation) == b);
}

TEST("a retired object keeps its memory until the sweep, and ends once") {
  Slab<Item> slab;
  Item* a = slab.create();
  a->value = 7;
  slab.retire(a);
  slab.retire(a);
  CHECK_EQ(slab.live(), 0u);
  CHECK_EQ(a->value, 7);
  Item* b = slab.create();
  CHECK(b != a);
  CHECK_EQ(Item::alive, 2);
  slab.sweep();
  CHECK_EQ(Item::alive, 1);
  CHECK(!slab.has_retired());
}

TEST("a slab says no at its limit, and yes again after an end") {
  Slab<Item> slab;
  Item* a = slab.create(1);
  CHECK(slab.create(1) == nullptr);
  slab.retire(a);
  CHECK(slab.create(1) != nullptr);
}

TEST("objects keep their addresses while a slab grows, and all end with it") {
  std::vector<Item*> items;
  {
    Slab<Item> slab;
    for (int i = 0; i < 1000; ++i) {
      items.push_back(slab.create());
      items.back()->value = i;
    }
    for (int i = 0; i < 1000; i += 3) slab.retire(items[size_t(i)]);
    int seen = 0, sum = 0;
    slab.each([&](Item* item) { ++seen, sum += item->value % 3 == 0; });
    CHECK_EQ(seen, 666);
    CHECK_EQ(sum, 0);
    for (int i = 1; i < 1000; i += 3) CHECK_EQ(items[size_t(i)]->value, i);
  }
  CHECK_EQ(Item::alive, 0);
}

TEST("an object may be retired while all are walked over") {
  Slab<Item> slab;
  for (int i = 0; i < 10; ++i) (void)slab.create();
  slab.each([&](Item* item) { slab.retire(item); });
  CHECK_EQ(slab.live(), 0u);
}

TEST("generations stay within the 28 bits of a token") {
  Slab<Item> slab;
  Item* a = slab.create();
  a->slot_generation = 0;
  for (int i = 0; i < 1000; ++i) {
    Item* item = slab.create();
    CHECK(item->slot_generation <= 0x0fffffffu && item->slot_generation > 0);
    slab.retire(item);
    slab.sweep();
  }
}
