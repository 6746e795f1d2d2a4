#include <catch2/catch.hpp>

#include "profile/schema.hpp"
#include "profile/switch.hpp"

using namespace vsim::profile;

TEST_CASE("Switch: every plan comes in turn, the stricter one first, and any other goes to the first") {
  std::string_view name = "hobby";
  std::string all;
  for (int i = 0; i < 6; ++i) all += std::string(name = next_plan(name)) + " ";
  CHECK(all == "hobby-fluid pro pro-fluid enterprise enterprise-fluid hobby ");
  CHECK(next_plan("./mine.yaml") == "hobby");
  for (const auto plan : kBuiltinProfiles) CHECK(is_builtin(next_plan(plan)));
}

TEST_CASE("Switch: what differs is named with both values, and nothing else") {
  Profile a, b;
  CHECK(differences(a, b).empty());
  const auto set = [](Profile& p, std::string_view key, std::string_view text) {
    REQUIRE_FALSE(assign(p, *find_key(key), text, {}));
  };
  set(a, "duration.default", "10s");
  set(b, "duration.default", "300s");
  set(b, "isolation", "fluid");
  set(a, "isolation", "invocation");
  const auto found = differences(a, b);
  REQUIRE(found.size() == 2);
  CHECK(found[0].key == "duration.default");
  CHECK(found[0].from == "10s");
  CHECK(found[0].to == "300s");
  CHECK(found[1].key == "isolation");
  CHECK(found[1].from == "invocation");
  CHECK(found[1].to == "fluid");
}
