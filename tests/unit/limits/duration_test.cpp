#include "limits/duration.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::test;
using namespace vsim::limits;
using duration::Ask;
using duration::limit_for;
using duration::LimitOrigin;
using duration::scaled;

TEST_CASE("duration: the default of each profile") {
  const struct {
    Plan plan;
    Compute compute;
    Duration expected;
  } rows[] = {{Plan::hobby, Compute::serverless, 10s},
              {Plan::pro, Compute::serverless, 60s},
              {Plan::enterprise, Compute::serverless, 15s},
              {Plan::hobby, Compute::fluid, 300s},
              {Plan::pro, Compute::fluid, 300s},
              {Plan::enterprise, Compute::fluid, 300s}};
  for (const auto& row : rows) {
    const auto limit = limit_for(make_profile(row.plan, row.compute), {});
    CHECK(limit.total == row.expected);
    CHECK(limit.first_byte == kForever);
    CHECK(limit.from == LimitOrigin::profile_default);
  }
}

TEST_CASE("duration: maxDuration goes up and down from the default, as far as the plan's maximum") {
  const auto p = make_profile();
  CHECK(limit_for(p, {Duration(5s)}).total == 5s);
  CHECK(limit_for(p, {Duration(5s)}).from == LimitOrigin::function);
  CHECK(limit_for(p, {Duration(60s)}).total == 60s);
  CHECK(limit_for(p, {Duration(60s)}).from == LimitOrigin::function);
  const auto over = limit_for(p, {Duration(61s)});
  CHECK(over.total == 60s);
  CHECK(over.from == LimitOrigin::capped);
  CHECK(over.asked == 61s);
}

TEST_CASE("duration: \"max\" is the plan's maximum, without the beta's extension") {
  CHECK(limit_for(make_profile(), {std::nullopt, true}).total == 60s);
  CHECK(limit_for(make_profile(Plan::pro, Compute::fluid), {std::nullopt, true}).total == 800s);
}

TEST_CASE("duration: a function may ask for the extended maximum, and no further") {
  const auto p = make_profile(Plan::pro, Compute::fluid);
  CHECK(limit_for(p, {Duration(1800s)}).total == 1800s);
  CHECK(limit_for(p, {Duration(1800s)}).from == LimitOrigin::function);
  CHECK(limit_for(p, {Duration(3600s)}).total == 1800s);
  CHECK(limit_for(p, {Duration(3600s)}).from == LimitOrigin::capped);
}

TEST_CASE("duration: an edge function has 25 s to begin and 300 s in all, whatever maxDuration says") {
  const auto limit = limit_for(make_profile(), {Duration(60s), false, true});
  CHECK(limit.first_byte == 25s);
  CHECK(limit.total == 300s);
  CHECK(limit.from == LimitOrigin::edge);
}

TEST_CASE("duration: scaling stops at one second of real time, and leaves shorter limits alone") {
  CHECK(scaled(300s, 60) == 5s);
  CHECK(scaled(60s, 60) == 1s);
  CHECK(scaled(10s, 60) == 1s);
  CHECK(scaled(1s, 60) == 1s);
  CHECK(scaled(250ms, 60) == 250ms);
  CHECK(scaled(10s, 1) == 10s);
  CHECK(scaled(10s, 0.5) == 20s);
  CHECK(scaled(10s, 0) == 10s);
  CHECK(scaled(kForever, 60) == kForever);
  CHECK(scaled(Duration::max() - 1ns, 0.001) == kForever);
}

TEST_CASE("duration: the verdict of a default says how to raise it, in the syntax of the file") {
  const auto p = make_profile();
  duration::Strike s;
  s.limit = limit_for(p, {});
  s.charged = 10s + 3ms;
  s.route = "/api/slow";
  s.file = "app/api/slow/route.ts";
  s.kind = "app_route";
  Verdict v = duration::verdict(p, s);
  CHECK(v.code == Code::function_invocation_timeout);
  CHECK(v.enforced);
  CHECK(v.limit_key == "duration.default");
  CHECK(v.limit == "10s");
  CHECK(v.measured == "10.0s");
  CHECK(v.provenance == &p.duration_default.from);
  CHECK(v.route == "/api/slow");
  CHECK(v.file == "app/api/slow/route.ts");
  CHECK(v.fix.starts_with(
      "Write `export const maxDuration = 60` in app/api/slow/route.ts (hobby allows up to 60s)."));
  s.kind = "pages_api";
  s.file = "pages/api/slow.ts";
  v = duration::verdict(p, s);
  CHECK(v.fix.starts_with(
      "Write `export const config = { maxDuration: 60 }` in pages/api/slow.ts (hobby allows up to 60s)."));
}

TEST_CASE("duration: the verdict of a maxDuration points at its line") {
  const auto p = make_profile();
  duration::Strike s;
  s.limit = limit_for(p, {Duration(5s)});
  s.charged = 5s;
  s.file = s.config_file = "app/api/limited/route.ts";
  s.config_line = 3;
  Verdict v = duration::verdict(p, s);
  CHECK(v.limit_key == "maxDuration");
  CHECK(v.limit == "5s");
  CHECK(v.file == "app/api/limited/route.ts:3");
  CHECK(v.provenance == nullptr);
  s.config_file = "vercel.json";
  s.config_line = 7;
  v = duration::verdict(p, s);
  CHECK(v.file == "app/api/limited/route.ts");
  CHECK(v.limit == "5s (set in vercel.json:7)");
}

TEST_CASE("duration: the fix of a maxDuration in vercel.json is there, not in the sources") {
  const auto p = make_profile();
  duration::Strike s;
  s.limit = limit_for(p, {Duration(5s)});
  s.charged = 5s;
  s.file = "app/api/limited/route.ts";
  s.config_file = "vercel.json";
  s.config_line = 7;
  CHECK(duration::verdict(p, s).fix.starts_with(
      "Write `\"maxDuration\": 60` in vercel.json:7 (hobby allows up to 60s). "));
  s.limit = limit_for(p, {Duration(300s)});
  CHECK(duration::verdict(p, s).fix.starts_with(
      "maxDuration asks for 300s, and hobby gives at most 60s: the deployment would fail. Lower it in "
      "vercel.json:7. "));
  s.limit = limit_for(p, {Duration(60s)});  // as far as the plan goes: nothing to write
  CHECK(duration::verdict(p, s).fix.find("maxDuration") == std::string::npos);
}

TEST_CASE("duration: a maxDuration over the plan is named as such, with the plan's provenance") {
  const auto p = make_profile();
  duration::Strike s;
  s.limit = limit_for(p, {Duration(300s)});
  s.charged = 60s;
  s.file = s.config_file = "app/api/a/route.ts";
  s.config_line = 1;
  const Verdict v = duration::verdict(p, s);
  CHECK(v.limit_key == "duration.max");
  CHECK(v.limit == "60s (maxDuration 300s is above it)");
  CHECK(v.provenance == &p.duration_max.from);
  CHECK(v.fix.starts_with(
      "maxDuration asks for 300s, and hobby gives at most 60s: the deployment would fail."));
}

TEST_CASE("duration: at the plan's maximum nobody is told to raise it") {
  const auto p = make_profile(Plan::hobby, Compute::fluid);
  duration::Strike s;
  s.limit = limit_for(p, {});
  s.charged = 300s;
  CHECK(duration::verdict(p, s).fix.find("Write `export") == std::string::npos);
}

TEST_CASE("duration: the bound of an edge function that struck is the one that is named") {
  const auto p = make_profile();
  duration::Strike s;
  s.limit = limit_for(p, {std::nullopt, false, true});
  s.before_head = true;
  s.charged = 25s;
  CHECK(duration::verdict(p, s).limit_key == "edge.first_byte");
  CHECK(duration::verdict(p, s).limit ==
        "25s (sent as FUNCTION_INVOCATION_TIMEOUT, as seen since August 2026)");
  s.before_head = false;
  s.charged = 300s;
  CHECK(duration::verdict(p, s).limit_key == "edge.duration_max");
  CHECK(duration::verdict(p, s).provenance == &p.edge_duration_max.from);
}

TEST_CASE("duration: a scaled limit and a compile grace are part of the limit's text") {
  const auto p = make_profile();
  duration::Strike s;
  s.limit = limit_for(p, {});
  s.scale = 60;
  s.grace = 4s;
  s.charged = 5s;
  CHECK(duration::verdict(p, s).limit == "10s (1s at 60x, 4s compile grace added)");
}

TEST_CASE("duration: a WebSocket has the code of its own and the general fix") {
  const auto p = make_profile(Plan::hobby, Compute::fluid);
  duration::Strike s;
  s.limit = limit_for(p, {});
  s.tunnel = true;
  s.charged = 300s;
  const Verdict v = duration::verdict(p, s);
  CHECK(v.code == Code::sim_websocket_closed_at_limit);
  CHECK(v.fix.empty());
  CHECK(v.measured == "5m");
}
