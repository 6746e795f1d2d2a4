#include "limits/response_body.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim::limits;
using vsim::profile::Mode;

TEST_CASE("response body: only what is not streamed has a limit, to the byte") {
  auto p = vsim::test::make_profile();
  CHECK(response_body::admits(p, true, 4'500'000));
  CHECK_FALSE(response_body::admits(p, true, 4'500'001));
  CHECK(response_body::admits(p, false, 4'500'001));
  p.response_body_mode.value = Mode::off;
  CHECK(response_body::admits(p, true, 4'500'001));
}

TEST_CASE("response body: what has already reached the client fails there all the same, and it says so") {
  auto p = vsim::test::make_profile();
  CHECK(response_body::verdict(p, 5'000'000, true).enforced);
  CHECK(response_body::verdict(p, 5'000'000, true).measured == "5 MB");
  CHECK(response_body::verdict(p, 5'000'000, false).enforced);
  CHECK(response_body::verdict(p, 5'000'000, false).measured ==
        "5 MB, sent whole here: its length was not declared");
  p.response_body_mode.value = Mode::observe;
  CHECK_FALSE(response_body::verdict(p, 5'000'000, true).enforced);
  CHECK_FALSE(response_body::verdict(p, 5'000'000, false).enforced);
  CHECK(response_body::verdict(p, 5'000'000, true).provenance == &p.response_body_max.from);
}
