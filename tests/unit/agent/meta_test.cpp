#include "agent/meta.hpp"

#include <catch2/catch.hpp>

using vsim::agent::Meta;
using vsim::agent::parse_meta;

namespace {

constexpr const char* kName = "x-vsim-meta";

bool refused(std::string_view value, std::string_view name = kName, std::string_view token = "abc") {
  return !parse_meta(name, value, token);
}

}  // namespace

TEST_CASE("Meta: a function's identity, its page decoded") {
  const auto meta =
      parse_meta("X-Vsim-Meta",
                 "abc page=%2Fapi%2F%5Bid%5D%2Froute;kind=APP_ROUTE;runtime=edge;static=0;compile=12", "abc");
  REQUIRE(meta);
  CHECK(meta->page == "/api/[id]/route");
  CHECK(meta->kind == "APP_ROUTE");
  CHECK(meta->runtime == "edge");
  CHECK_FALSE(meta->is_static);
  CHECK(parse_meta(kName, "abc static=1", "abc")->is_static);
  CHECK_FALSE(parse_meta(kName, "abc static=1", "abc")->unseen);
  CHECK(parse_meta(kName, "abc static=0;unseen=1", "abc")->unseen);
}

TEST_CASE("Meta: only with the token of this run, and never without one") {
  CHECK(refused("abd page=%2F"));
  CHECK(refused("ab page=%2F"));
  CHECK(refused("abcd page=%2F"));
  CHECK(refused("abc"));
  CHECK(refused("abc;page=%2F"));
  CHECK(refused(""));
  CHECK(refused("abc page=%2F", "x-vsim-id"));
  CHECK(refused(" page=%2F", kName, ""));
}

TEST_CASE("Meta: broken pairs and escapes are taken as they are") {
  const auto meta = parse_meta(kName, "abc ;=;page=%zz%2;kind;unknown=1;static=yes", "abc");
  REQUIRE(meta);
  CHECK(meta->page == "%zz%2");
  CHECK(meta->kind.empty());
  CHECK_FALSE(meta->is_static);
}

TEST_CASE("meta: what was put on the server object") {
  const auto meta = parse_meta(kName, "abc page=%2Fa;kept=io,my%2Cname,,x", "abc");
  REQUIRE(meta);
  CHECK(meta->kept == std::vector<std::string>{"io", "my,name", "x"});
  CHECK(parse_meta(kName, "abc page=%2Fa;kept=", "abc")->kept.empty());
}
