#include "project/deployed_node.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::project;

TEST_CASE("engines.node that leaves no version which can be deployed is told; any other is not") {
  for (const char* range : {"20.x", "20", ">=18 <21", "^18.18.0 || ^20.9.0", "23.x", "21.7.3", "<22"}) {
    INFO(range);
    REQUIRE(check_deployable(range).has_value());
  }
  for (const char* range :
       {"", ">=20", "20.x || 22.x", "22.x", "24", "^22.11.0", "26.x", "lts/*", "22.14.3", "*"}) {
    INFO(range);
    CHECK_FALSE(check_deployable(range).has_value());
  }
  CHECK(
      check_deployable("20.x")->message ==
      "engines.node \"20.x\" of package.json cannot be deployed: Vercel runs Node.js 22, 24 and 26 (Node.js "
      "20 ended there on 2026-10-01)");
}

TEST_CASE("the Node that runs here is compared with those that are deployed") {
  CHECK(check_same_node({20, 20, 2})->message ==
        "Node.js 20 runs here, and can no longer be deployed since 2026-10-01: functions run on 22, 24 and "
        "26 on "
        "Vercel");
  CHECK(check_same_node({25, 1, 0})->message ==
        "Node.js 25 runs here; functions run on 22, 24 and 26 on Vercel");
  for (const int major : {22, 24, 26}) CHECK_FALSE(check_same_node({major, 0, 0}).has_value());
}
