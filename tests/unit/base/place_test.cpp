#include "base/place.hpp"

#include <catch2/catch.hpp>

using vsim::is_in_project;
using vsim::parse_place;
using vsim::Place;

TEST_CASE("a place is read once, with its line and its column") {
  struct Row {
    const char* text;
    Place place;
  };
  const Row rows[] = {
      {"", {"", 0, 0}},
      {"app/api/x/route.ts", {"app/api/x/route.ts", 0, 0}},
      {"app/api/x/route.ts:3", {"app/api/x/route.ts", 3, 0}},
      {"app/api/x/route.ts:1:32", {"app/api/x/route.ts", 1, 32}},
      {"app/[[...all]]/route.ts:12:3", {"app/[[...all]]/route.ts", 12, 3}},
      {"app/(a:b)/x.ts:4:5", {"app/(a:b)/x.ts", 4, 5}},
      {"app/a:7/x.ts", {"app/a:7/x.ts", 0, 0}},
      {"x.ts:4:", {"x.ts:4:", 0, 0}},
      {"x.ts:0", {"x.ts:0", 0, 0}},
      {"x.ts:-3", {"x.ts:-3", 0, 0}},
      {"x.ts:99999999999", {"x.ts:99999999999", 0, 0}},
      {"webpack-internal:///(rsc)/./lib/x.ts:5:6", {"webpack-internal:///(rsc)/./lib/x.ts", 5, 6}},
      {":3", {":3", 0, 0}},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(parse_place(row.text) == row.place);
    CHECK(to_string(parse_place(row.text)) == row.text);
  }
}

TEST_CASE("what no file of the project is") {
  for (const char* file : {"app/page.tsx", "..page.tsx", "a/../b.ts", "[lang]/x.ts", "node_modules/x/y.js"})
    CHECK(is_in_project(file));
  for (const char* file : {"", "/etc/x.js", "../x.ts", "node:timers", "webpack-internal:///./x.ts",
                           "file:///x.ts", "[turbopack]/runtime.js"})
    CHECK_FALSE(is_in_project(file));
}
