#include "invocation/slab.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

using namespace vsim;
using namespace vsim::invocation;

TEST_CASE("ids are never used again, though slots are") {
  Slab slab;
  std::set<InvocationId> seen;
  std::uint32_t slot = 0;
  for (int i = 0; i < 1000; ++i) {
    Invocation* v = slab.acquire();
    REQUIRE(v != nullptr);
    CHECK(seen.insert(v->id).second);
    if (i == 0) slot = v->slot;
    CHECK(v->slot == slot);
    slab.release(*v);
  }
  CHECK(slab.active() == 0);
}

TEST_CASE("an id finds its record while it lives, and nothing after") {
  Slab slab;
  Invocation* a = slab.acquire();
  const InvocationId old = a->id;
  CHECK(slab.find(old) == a);
  slab.release(*a);
  CHECK(slab.find(old) == nullptr);
  Invocation* b = slab.acquire();
  CHECK(b == a);
  CHECK(slab.find(old) == nullptr);
  CHECK(slab.find(b->id) == b);
  CHECK(slab.find(InvocationId::none) == nullptr);
  CHECK(slab.find(static_cast<InvocationId>(77)) == nullptr);
  CHECK(slab.find(static_cast<InvocationId>(~0ull)) == nullptr);
}

TEST_CASE("records do not move when there are more of them, and come back cleared with their buffers") {
  Slab slab;
  Invocation* first = slab.acquire();
  first->target.assign(200, 'x');
  first->page = "/api/x/route";
  first->route = "/api/x";
  first->status = 504;
  first->total = Duration(1);
  first->verdicts.emplace_back();
  std::vector<Invocation*> many;
  for (int i = 0; i < 5000; ++i) many.push_back(slab.acquire());
  CHECK(slab.active() == 5001);
  CHECK(slab.find(first->id) == first);
  const char* buffer = first->target.data();
  slab.release(*first);
  Invocation* again = slab.acquire();
  REQUIRE(again == first);
  CHECK(again->target.data() == buffer);
  CHECK(again->page.empty());
  CHECK(again->route.empty());
  CHECK(again->status == 0);
  CHECK(again->total == kForever);
  CHECK(again->verdicts.empty());
  for (Invocation* v : many) slab.release(*v);
}

TEST_CASE("ids are exact in JavaScript") {
  Slab slab;
  Invocation* v = slab.acquire();
  CHECK(static_cast<std::uint64_t>(v->id) < (1ull << 53));
}
