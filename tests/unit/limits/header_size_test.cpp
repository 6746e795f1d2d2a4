#include "limits/header_size.hpp"

#include <catch2/catch.hpp>

#include "limits/header_utf8.hpp"
#include "unit/limits/profiles.hpp"

using namespace vsim::limits;

TEST_CASE("header size: one header and their sum have limits of their own, to the byte") {
  const auto p = vsim::test::make_profile();
  CHECK(header_size::admits(p, 16'384, 32'768));
  CHECK_FALSE(header_size::admits(p, 16'385, 32'768));
  CHECK_FALSE(header_size::admits(p, 16'384, 32'769));
}

TEST_CASE("header size: the verdict names the single header first") {
  const auto p = vsim::test::make_profile();
  const Verdict one = header_size::verdict(p, 20'000, 40'000);
  CHECK(one.code == Code::request_header_too_large);
  CHECK(one.limit_key == "request.header_max");
  CHECK(one.measured == "20 KB");
  CHECK(one.provenance == &p.header_max.from);
  const Verdict sum = header_size::verdict(p, 100, 40'000);
  CHECK(sum.limit_key == "request.headers_max");
  CHECK(sum.measured == "40 KB");
  CHECK(sum.provenance == &p.headers_max.from);
}

TEST_CASE("header values that are not UTF-8 are malformed") {
  CHECK(header_utf8::verdict().code == Code::malformed_request_header);
  CHECK(header_utf8::verdict().enforced);
}
