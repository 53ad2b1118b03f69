// Ids that only grow, and plans that come and go.
#include "check.h"
#include "engine/plan_table.h"

using namespace weir;

TEST("a table of plans finds what is in it, and nothing else") {
  PlanTable<int> table;
  CHECK(!table.find(0) && !table.take(0) && !table.take_first());
  table.set(5, std::make_unique<int>(50));
  table.set(8, std::make_unique<int>(80));
  table.set(3, std::make_unique<int>(30));
  CHECK_EQ(*table.find(3), 30);
  CHECK_EQ(*table.find(5), 50);
  CHECK_EQ(*table.find(8), 80);
  for (uint32_t id : {0u, 2u, 4u, 6u, 9u, UINT32_MAX}) CHECK(!table.find(id));
  table.set(5, std::make_unique<int>(51));
  CHECK_EQ(*table.find(5), 51);
  CHECK_EQ(*table.take(5), 51);
  CHECK(!table.find(5) && !table.take(5));
  CHECK_EQ(*table.take_first(), 30);
  CHECK_EQ(*table.take_first(), 80);
  CHECK(!table.take_first());
}

TEST("a table of plans is as large as what is in use, however many there were") {
  PlanTable<int> table;
  for (uint32_t id = 0; id < 10'000; ++id) {
    table.set(id, std::make_unique<int>(int(id)));
    if (id >= 20) CHECK_EQ(*table.take(id - 20), int(id - 20));
    CHECK(table.places() <= 21);
  }
  CHECK_EQ(*table.find(9'999), 9'999);
}
