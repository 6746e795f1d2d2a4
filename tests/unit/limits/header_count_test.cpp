#include <catch2/catch.hpp>
#include <vector>

#include "limits/head.hpp"
#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;

namespace {

std::optional<Verdict> judged(std::uint32_t most, std::size_t headers) {
  static profile::Profile p;
  p = test::make_profile();
  p.headers_most.value.most = most;
  const std::vector<http::Header> list(headers);
  return judge(p, {.method = "GET", .target = "/", .headers = list});
}

}  // namespace

TEST_CASE("number of headers: one more than the limit is 431, and none is no limit") {
  CHECK_FALSE(judged(100, 99));
  CHECK_FALSE(judged(100, 100));
  const auto over = judged(100, 101);
  REQUIRE(over);
  CHECK(over->code == Code::request_header_too_large);
  CHECK(over->enforced);
  CHECK(over->limit_key == "request.headers_most");
  CHECK(over->limit == "100 headers");
  CHECK(over->measured == "101 headers");
  REQUIRE(over->provenance != nullptr);
  CHECK_FALSE(judged(profile::Count::kNone, 200));
}
