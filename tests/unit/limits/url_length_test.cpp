#include "limits/url_length.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim::limits;

TEST_CASE("URL length: the limit itself is admitted, one byte more is not") {
  const auto p = vsim::test::make_profile();
  CHECK(url_length::admits(p, 13'999));
  CHECK(url_length::admits(p, 14'000));
  CHECK_FALSE(url_length::admits(p, 14'001));
}

TEST_CASE("URL length: the verdict tells limit, measured value and where the number is from") {
  const auto p = vsim::test::make_profile();
  const Verdict v = url_length::verdict(p, 20'000);
  CHECK(v.code == Code::url_too_long);
  CHECK(v.enforced);
  CHECK(v.limit_key == "request.url_max");
  CHECK(v.limit == "14 KB");
  CHECK(v.measured == "20 KB");
  CHECK(v.provenance == &p.url_max.from);
}

TEST_CASE("URL length: limit and measured value never read the same") {
  const auto p = vsim::test::make_profile();
  const Verdict v = url_length::verdict(p, 14'001);
  CHECK(v.limit == "14000 B");
  CHECK(v.measured == "14001 B");
}
