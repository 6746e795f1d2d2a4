// When a function is cut: exact instants, what counts and what does not.
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using routes::Kind;

namespace {

std::vector<routes::Function> app() {
  return {SimWorld::function("/api/slow", Kind::app_route, "app/api/slow/route.ts", "/api/slow/route"),
          SimWorld::limited(SimWorld::function("/api/limited", Kind::app_route, "app/api/limited/route.ts",
                                               "/api/limited/route"),
                            5s, 3),
          SimWorld::limited(SimWorld::function("/api/greedy", Kind::app_route, "app/api/greedy/route.ts",
                                               "/api/greedy/route"),
                            900s),
          SimWorld::function("/api/old", Kind::pages_api, "pages/api/old.ts", "/api/old")};
}

}  // namespace

TEST_CASE(
    "without an agent the time counts from the request: one nanosecond before the limit nothing happens, at "
    "it the 504") {
  SimWorld w;
  const Admission a = w.admit("/api/slow?ms=20000");
  CHECK(a.action == Action::forward);
  CHECK(w.recorder.started.contains(a.id));
  CHECK(w.next() == 10s);
  CHECK(w.advance(10s - 1ns).empty());
  CHECK(w.poke().empty());
  w.exchanged[a.id] = {3, 0};
  const auto commands = w.advance(1ns);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::answer_error);
  CHECK(commands[0].id == a.id);
  CHECK(commands[0].code == Code::function_invocation_timeout);
  const Ended& e = w.last();
  CHECK(e.status == 504);
  CHECK(e.outcome.ended_by == EndedBy::platform);
  CHECK(e.outcome.phase == Phase::running);
  CHECK(e.outcome.code == Code::function_invocation_timeout);
  CHECK(e.charged == 10s);
  CHECK(e.total == 10s);
  CHECK(e.bytes_in == 3);
  CHECK(e.target == "/api/slow?ms=20000");
  CHECK(e.request_id.starts_with("dev1::"));
  CHECK(e.request_id.ends_with(a.tag.view()));
  REQUIRE(e.verdicts.size() == 1);
  CHECK(e.verdicts[0].limit_key == "duration.default");
  CHECK(e.verdicts[0].provenance == &w.profile.duration_default.from);
}

TEST_CASE("a timer that fires late still cuts, and says what was charged") {
  SimWorld w;
  w.admit("/api/slow");
  w.now += 10s + 7ms;
  CHECK(w.poke().size() == 1);
  CHECK(w.last().charged == 10s + 7ms);
}

TEST_CASE("a function that answered in time is cut in the middle of its stream, with the status it sent") {
  SimWorld w;
  const Admission a = w.admit("/api/sse");
  w.advance(9s);
  CHECK(w.head(a.id, 200) == Code::none);
  CHECK(w.advance(1s - 1ns).empty());
  w.exchanged[a.id] = {0, 900};
  const auto commands = w.advance(1ns);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::cut);
  CHECK(w.last().status == 200);
  CHECK(w.last().bytes_out == 900);
  CHECK(w.last().outcome.phase == Phase::responding);
}

TEST_CASE("a function that ends one nanosecond before its limit is never cut") {
  SimWorld w;
  const Admission a = w.admit("/api/slow");
  w.head(a.id);
  w.advance(10s - 1ns);
  w.ended(a.id, {0, 5});
  CHECK(w.advance(1h).empty());
  CHECK(w.last().verdicts.empty());
  CHECK(w.last().outcome.ended_by == EndedBy::function);
  CHECK_FALSE(w.next().has_value());
}

TEST_CASE("the default of every profile, without an agent and with one") {
  for (const auto plan : {Plan::hobby, Plan::pro, Plan::enterprise}) {
    for (const auto compute : {Compute::serverless, Compute::fluid}) {
      const auto p = make_profile(plan, compute);
      INFO(p.name);
      SimWorld plain(p);
      plain.admit("/x");
      CHECK(plain.advance(p.duration_default.value - 1ns).empty());
      CHECK(plain.advance(1ns).size() == 1);
      SimWorld agent(p, SimWorld::with_agent());
      const Admission a = agent.admit("/x");
      agent.advance(3s);
      agent.handler_started(a.id);
      CHECK(agent.next() == p.duration_default.value);
    }
  }
}

TEST_CASE("maxDuration of the function decides, capped by the plan, and the verdict points at its line") {
  SimWorld w;
  w.routes(app());
  w.admit("/api/limited");
  CHECK(w.advance(5s - 1ns).empty());
  CHECK(w.advance(1ns).size() == 1);
  CHECK(w.last().route == "/api/limited");
  CHECK(w.last().file == "app/api/limited/route.ts");
  CHECK(w.last().kind == "app_route");
  CHECK(w.last().runtime == "nodejs");
  CHECK(w.last().verdicts.at(0).limit_key == "maxDuration");
  CHECK(w.last().verdicts.at(0).file == "app/api/limited/route.ts:3");
  w.admit("/api/greedy");
  CHECK(w.advance(60s - 1ns).empty());
  CHECK(w.advance(1ns).size() == 1);
  CHECK(w.last().verdicts.at(0).limit_key == "duration.max");
  CHECK(w.last().verdicts.at(0).limit == "60s (maxDuration 900s is above it)");
}

TEST_CASE("running invocations keep the limits they started with when the sources change") {
  SimWorld w;
  w.routes(app());
  w.admit("/api/limited");
  w.routes({SimWorld::limited(SimWorld::function("/api/limited", Kind::app_route, "app/api/limited/route.ts"),
                              50s)});
  const Admission second = w.admit("/api/limited");
  CHECK(w.next() == 5s);
  CHECK(w.advance(5s).size() == 1);
  CHECK(w.last().route == "/api/limited");
  CHECK(w.next() == 45s);
  w.head(second.id);
  w.ended(second.id);
}

TEST_CASE("with an agent nothing counts until the handler starts") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  w.routes(app());
  const Admission a = w.admit("/api/slow");
  CHECK_FALSE(w.next().has_value());
  w.advance(100s);
  w.compile_started(a.id);
  w.advance(22s);
  w.compile_ended(a.id);
  w.dispatched(a.id, "/api/slow/route", Kind::app_route);
  w.advance(5s);
  CHECK_FALSE(w.next().has_value());
  w.handler_started(a.id);
  CHECK(w.advance(10s - 1ns).empty());
  const auto commands = w.advance(1ns);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::answer_error);
  CHECK(w.last().charged == 10s);
  CHECK(w.last().compile == 22s);
  CHECK(w.last().total == 137s);
  CHECK(w.last().route == "/api/slow");
  REQUIRE(w.recorder.compiled.size() == 1);
  CHECK(w.recorder.compiled[0] == std::pair<std::string, Duration>("/api/slow", 22s));
}

TEST_CASE("a compile in the middle of a run stops the clock, however long it takes") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  const Admission a = w.admit("/api/slow");
  w.handler_started(a.id);
  w.advance(9s);
  w.compile_started(a.id);
  CHECK_FALSE(w.next().has_value());
  CHECK(w.advance(1h).empty());
  w.compile_ended(a.id);
  CHECK(w.next() == 1s);
  CHECK(w.advance(1s - 1ns).empty());
  CHECK(w.advance(1ns).size() == 1);
  CHECK(w.last().charged == 10s);
  CHECK(w.last().compile == 1h);
}

TEST_CASE("nested compiles stop the clock until the last has ended") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  const Admission a = w.admit("/");
  w.handler_started(a.id);
  w.compile_started(a.id);
  w.compile_started(a.id);
  w.advance(5s);
  w.compile_ended(a.id);
  CHECK(w.advance(20s).empty());
  w.compile_ended(a.id);
  CHECK(w.next() == 10s);
  w.compile_ended(a.id);  // one too many changes nothing
  CHECK(w.next() == 10s);
}

TEST_CASE("a compile that had nothing to do is no news") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  const Admission a = w.admit("/");
  w.compile_started(a.id);
  w.advance(3ms);
  w.compile_ended(a.id);
  CHECK(w.recorder.compiled.empty());
}

TEST_CASE("a page that Next marks static has no limit and is reported as prerender") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  w.routes({SimWorld::function("/about", Kind::app_page, "app/about/page.tsx", "/about/page")});
  const Admission a = w.admit("/about");
  w.dispatched(a.id, "/about/page", Kind::app_page, true);
  w.handler_started(a.id);
  CHECK_FALSE(w.next().has_value());
  CHECK(w.advance(1h).empty());
  w.head(a.id);
  w.ended(a.id);
  CHECK(w.last().traffic == Traffic::prerender);
  CHECK(w.last().charged == 0s);
  CHECK(w.last().file == "app/about/page.tsx");
}

TEST_CASE("a page whose source says force-dynamic has its limit, whatever Next takes it for") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  auto about = SimWorld::function("/about", Kind::app_page, "app/about/page.tsx", "/about/page");
  about.forced_dynamic = true;
  w.routes({about});
  const Admission a = w.admit("/about");
  w.dispatched(a.id, "/about/page", Kind::app_page, true);
  w.handler_started(a.id);
  CHECK(w.next() == 10s);
  w.head(a.id);
  w.ended(a.id);
  CHECK(w.last().traffic == Traffic::invocation);
}

TEST_CASE("what next dev answered itself is direct and has no limit") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  const Admission a = w.admit("/icon.svg");
  w.head(a.id, 200, true);
  CHECK(w.advance(1h).empty());
  w.ended(a.id);
  CHECK(w.last().traffic == Traffic::direct);
  const Admission b = w.admit("/old-path");  // never dispatched, and the head does not say so
  w.head(b.id, 308, false);
  w.ended(b.id);
  CHECK(w.last().traffic == Traffic::direct);
  CHECK(w.last().charged == 0s);
}

TEST_CASE("a request whose handler never starts is never cut") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  const Admission a = w.admit("/x");
  w.dispatched(a.id, "/x/page", Kind::app_page);
  CHECK(w.advance(24h).empty());
  w.ended(a.id);
  CHECK(w.last().outcome.ended_by == EndedBy::emulator);
  CHECK(w.last().outcome.phase == Phase::routing);
}

TEST_CASE("an edge function must begin within 25 s and end within 300 s, with the code seen in 2026") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  const auto start = [&] {
    const Admission a = w.admit("/api/edge");
    w.dispatched(a.id, "/api/edge/route", Kind::app_route, false, routes::Runtime::edge);
    w.handler_started(a.id);
    return a.id;
  };
  start();
  CHECK(w.advance(25s - 1ns).empty());
  CHECK(w.advance(1ns).at(0).code == Code::function_invocation_timeout);
  CHECK(w.last().verdicts.at(0).limit_key == "edge.first_byte");
  CHECK(w.last().runtime == "edge");

  const InvocationId second = start();
  w.advance(24s);
  w.head(second);
  CHECK(w.next() == 276s);
  const auto commands = w.advance(276s);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::cut);
  CHECK(w.last().verdicts.at(0).limit_key == "edge.duration_max");
}

TEST_CASE("a time scale divides limits, but never below one real second") {
  engine::EngineOptions o;
  o.time_scale = 60;
  SimWorld w(make_profile(), o);
  w.routes({SimWorld::limited(SimWorld::function("/a", Kind::app_route, "a.ts"), 60s),
            SimWorld::limited(SimWorld::function("/b", Kind::app_route, "b.ts"), 500ms)});
  w.admit("/x");
  CHECK(w.next() == 1s);  // 10 s / 60 would be 167 ms
  CHECK(w.advance(1s - 1ns).empty());
  CHECK(w.advance(1ns).size() == 1);
  CHECK(w.last().verdicts.at(0).limit == "10s (1s at 60x)");
  w.admit("/a");
  CHECK(w.next() == 1s);
  w.advance(1s);
  w.admit("/b");
  CHECK(w.next() == 500ms);
  w.advance(1s);
  SimWorld fluid(make_profile(Plan::pro, Compute::fluid), o);
  fluid.admit("/x");
  CHECK(fluid.next() == 5s);
}

TEST_CASE(
    "the compile grace is for the requests of a route that has not answered yet, and only without an agent") {
  engine::EngineOptions o;
  o.compile_grace = 30s;
  SimWorld w(make_profile(), o);
  w.routes(app());
  const Admission first = w.admit("/api/slow?a=1");
  CHECK(w.next() == 40s);
  const Admission waiting = w.admit("/api/slow?a=2");  // for the same compile
  w.advance(35s);
  w.head(first.id);
  w.ended(first.id);
  const Admission warm = w.admit("/api/slow?a=3");
  w.advance(5s);
  CHECK(w.last().id == waiting.id);
  CHECK(w.last().verdicts.at(0).limit == "10s (30s compile grace added)");
  CHECK(w.advance(5s).at(0).id == warm.id);
  CHECK(w.last().verdicts.at(0).limit == "10s");
  w.admit("/api/limited");
  CHECK(w.next() == 35s);
  w.advance(35s);
  w.admit("/api/limited");  // its first request was cut: it has had its chance to compile
  CHECK(w.next() == 5s);
  w.advance(5s);
  w.admit("/no/route");
  CHECK(w.next() == 40s);
  w.advance(40s);
  w.admit("/no/route?again");
  CHECK(w.next() == 10s);
  o.agent = true;
  SimWorld agent(make_profile(), o);
  const Admission a = agent.admit("/api/slow");
  agent.handler_started(a.id);
  CHECK(agent.next() == 10s);
}

TEST_CASE("deadlines of many invocations strike in order, equal ones as they came") {
  SimWorld w;
  std::vector<InvocationId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(w.admit("/x").id);
  w.advance(1s);
  for (int i = 0; i < 5; ++i) ids.push_back(w.admit("/y").id);
  std::vector<InvocationId> cut;
  for (const ExchangeCommand& c : w.advance(1h)) cut.push_back(c.id);
  CHECK(cut == ids);
}

TEST_CASE("time told backwards is taken as standing still") {
  SimWorld w;
  const Admission a = w.admit("/x");
  w.advance(5s);
  w.head(a.id);
  w.now -= 3s;
  w.ended(a.id);
  CHECK(w.last().total == 5s);
}

TEST_CASE("events that end without a wall time follow the wall clock all the same") {
  SimWorld w;
  const Admission a = w.admit("/x", "POST");
  const std::int64_t before = w.wall().unix_ms;
  w.advance(1500ms);
  w.body_over(a.id);
  CHECK(w.last().wall_ms == before + 1500);
}
