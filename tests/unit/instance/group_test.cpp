#include "instance/group.hpp"

#include <catch2/catch.hpp>
#include <functional>

using namespace vsim;
using namespace vsim::instance;
using namespace std::chrono_literals;

namespace {
GroupedFunction route(std::string name, FunctionConfig config = {}) {
  return {std::move(name), Pool::app_route, std::move(config)};
}
}  // namespace

TEST_CASE("functions of one pool share a group if their configs are equal; pools never share") {
  Groups g(true);
  const auto group = [&](const GroupedFunction& f) { return g.group_of(g.define(f)); };
  const GroupId a = group(route("/api/a"));
  CHECK(group(route("/api/b")) == a);
  CHECK(group({"/api/c", Pool::pages_api, {}}) != a);
  CHECK(group({"/page", Pool::app_page, {}}) != group({"/page", Pool::pages, {}}));
  CHECK(g.groups() == 4);
}

TEST_CASE("each part of a function's config keeps it apart from the others") {
  const std::pair<const char*, std::function<void(FunctionConfig&)>> parts[] = {
      {"max_duration", [](auto& c) { c.max_duration = 60s; }},
      {"edge", [](auto& c) { c.edge = true; }},
      {"memory", [](auto& c) { c.memory = 1 << 30; }},
      {"max_concurrency", [](auto& c) { c.max_concurrency = 4; }},
      {"regions", [](auto& c) { c.regions = {"fra1"}; }},
      {"failover_regions", [](auto& c) { c.failover_regions = {"fra1"}; }},
      {"triggers", [](auto& c) { c.triggers = {"queue"}; }},
      {"prerender", [](auto& c) { c.prerender = true; }},
      {"partial_prerender", [](auto& c) { c.partial_prerender = true; }},
      {"supports_cancellation", [](auto& c) { c.supports_cancellation = true; }},
  };
  Groups g(true);
  const GroupId plain = g.group_of(g.define(route("/plain")));
  for (const auto& [part, change] : parts) {
    FunctionConfig config;
    change(config);
    INFO(part);
    const GroupId mine = g.group_of(g.define(route(std::string("/") + part, config)));
    CHECK(mine != plain);
    // Two with the same change share, but for maxConcurrency: such a function always stands alone.
    const GroupId other = g.group_of(g.define(route(std::string("/other-") + part, config)));
    CHECK((other == mine) == (std::string_view(part) != "max_concurrency"));
  }
  CHECK(g.groups() == std::size(parts) + 2);
}

TEST_CASE("where the bundler cannot keep several functions in one process, each has its own group") {
  Groups g(false);
  CHECK(g.group_of(g.define(route("/api/a"))) != g.group_of(g.define(route("/api/b"))));
}

TEST_CASE("a function whose config is edited moves to another group and keeps its id; back again, too") {
  Groups g(true);
  const FunctionId a = g.define(route("/api/a")), b = g.define(route("/api/b"));
  FunctionConfig longer;
  longer.max_duration = 60s;
  CHECK(g.define(route("/api/a", longer)) == a);
  CHECK(g.group_of(a) != g.group_of(b));
  CHECK(g.define(route("/api/a")) == a);
  CHECK(g.group_of(a) == g.group_of(b));
  CHECK(g.find(Pool::app_route, "/api/b") == b);
  CHECK(g.find(Pool::pages, "/api/b") == FunctionId::none);
}
