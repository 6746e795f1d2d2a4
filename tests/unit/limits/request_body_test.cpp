#include "limits/request_body.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using profile::Mode;

TEST_CASE("request body: the measured threshold of production, to the byte") {
  const auto p = test::make_profile();
  CHECK(request_body::admits(p, std::nullopt));
  CHECK(request_body::admits(p, 0));
  CHECK(request_body::admits(p, 4'493'823));
  CHECK_FALSE(request_body::admits(p, 4'493'824));
}

TEST_CASE("request body: a body of unknown length is metered, a declared one is not") {
  auto p = test::make_profile();
  CHECK(request_body::meter(p, true) == 4'493'823);
  CHECK(request_body::meter(p, false) == kUnlimited);
  p.request_body_mode.value = Mode::off;
  CHECK(request_body::meter(p, true) == kUnlimited);
}

TEST_CASE("request body: observe warns, off is silent") {
  auto p = test::make_profile();
  CHECK(request_body::verdict(p, 5'000'000).enforced);
  p.request_body_mode.value = Mode::observe;
  CHECK_FALSE(request_body::admits(p, 5'000'000));
  CHECK_FALSE(request_body::verdict(p, 5'000'000).enforced);
  p.request_body_mode.value = Mode::off;
  CHECK(request_body::admits(p, 5'000'000));
}

TEST_CASE("request body: what is not known exactly is said so") {
  const auto p = test::make_profile();
  const Verdict v = request_body::verdict(p, std::nullopt);
  CHECK(v.limit == "4.49 MB");
  CHECK(v.measured == "more than 4.49 MB");
  CHECK(request_body::verdict(p, 5'000'000).measured == "5 MB");
  CHECK(request_body::verdict(p, 4'493'824).measured == "4493824 B");
}
