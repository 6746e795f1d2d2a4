// What the agent finds out about the app's own code: when it is told, and of which route.
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::engine;
using namespace vsim::test;
using limits::Code;
using routes::Kind;

namespace {

struct World : SimWorld {
  World() : SimWorld(make_profile(), with_agent()) {
    routes({function("/api/file", Kind::pages_api, "pages/api/file.js", "/api/file"),
            function("/t", Kind::app_route, "app/t/route.js", "/t/route")});
  }
};

}  // namespace

TEST_CASE("a large answer of pages/api is told at the line that sends it, if that is known") {
  World w;
  Admission a = w.admit("/api/file");
  w.dispatched(a.id, "/api/file", Kind::pages_api);
  w.handler_started(a.id);
  w.head(a.id);
  w.engine().answer_made_at(a.id, "pages/api/file.js:6:5");
  w.ended(a.id, {0, 9'000'000});
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].file == "pages/api/file.js:6:5");
  CHECK(w.last().verdicts[0].enforced);

  a = w.admit("/api/file");
  w.dispatched(a.id, "/api/file", Kind::pages_api);
  w.handler_started(a.id);
  w.head(a.id);
  w.ended(a.id, {0, 9'000'000});
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].file == "pages/api/file.js");
}

TEST_CASE("an API route of the edge runtime streams: its answer has no limit") {
  World w;
  const Admission a = w.admit("/api/file");
  w.engine().dispatched(a.id, {"/api/file", Kind::pages_api, routes::Runtime::edge, false}, w.now);
  w.handler_started(a.id);
  CHECK(w.head(a.id, 200, false, 9'000'000) == Code::none);
  w.ended(a.id, {0, 9'000'000});
  CHECK(w.last().verdicts.empty());
}

TEST_CASE("code from strings is told with the request, and by itself when the request is over") {
  World w;
  const Admission a = w.admit("/t");
  w.dispatched(a.id, "/t/route", Kind::app_route);
  w.handler_started(a.id);
  w.engine().code_refused(a.id, {"eval()", "app/t/route.js:3:9", true, false}, w.now, {});
  w.head(a.id, 500);
  w.ended(a.id);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].code == Code::sim_code_from_strings);
  CHECK(w.last().verdicts[0].route == "/t");
}

TEST_CASE("what middleware left is told with its request while that lasts, and by itself after it") {
  World w;
  const std::vector<Hanging> hanging = {{"fetch", "proxy.js:3:9", {}}};
  const Admission a = w.admit("/t");
  w.engine().middleware_left(a.id, hanging, true, w.now, {});
  w.dispatched(a.id, "/t/route", Kind::app_route);
  w.handler_started(a.id);
  w.head(a.id);
  w.ended(a.id);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].route == "middleware");
  CHECK(w.last().verdicts[0].enforced);

  const std::size_t before = w.recorder.background.size();
  w.engine().middleware_left(a.id, hanging, false, w.now, {});
  REQUIRE(w.recorder.background.size() == before + 1);
  CHECK(w.recorder.background.back().route == "middleware");
  CHECK_FALSE(w.recorder.background.back().verdict.enforced);
  w.engine().middleware_left(a.id, {}, true, w.now, {});
  CHECK(w.recorder.background.size() == before + 1);
}

TEST_CASE(
    "what the machine of a deployment lacks: refused each time, let through once a route, a stand-in once a "
    "run") {
  using limits::MachineFact;
  World w;
  const auto run = [&](const MachineFact& fact, int times = 1) {
    const Admission a = w.admit("/t");
    w.dispatched(a.id, "/t/route", Kind::app_route);
    w.handler_started(a.id);
    for (int i = 0; i < times; ++i) w.engine().machine(a.id, fact, w.now, {});
    w.head(a.id);
    w.ended(a.id);
    return w.last().verdicts;
  };
  MachineFact fact{
      MachineFact::Kind::self_fetch, "fetch", "http://localhost:3000/x", "app/t/route.js:3:9", "",
      MachineFact::Doubt::none,      true};
  for (int i = 0; i < 2; ++i) {
    const auto verdicts = run(fact, 3);
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].code == Code::sim_localhost_self_fetch);
    CHECK(verdicts[0].enforced);
    CHECK(verdicts[0].route == "/t");
  }
  fact.refused = false;
  fact.doubt = MachineFact::Doubt::derived;
  CHECK(run(fact).size() == 1);
  CHECK(run(fact).empty());
  fact.variable = "API_URL";
  const auto before = w.recorder.notices.size();
  CHECK(run(fact).empty());
  CHECK(run(fact).empty());
  CHECK(w.recorder.notices.size() <= before + 1);
  w.engine().machine(static_cast<InvocationId>(999), fact, w.now, {});  // over, or never there
}

TEST_CASE("a page that is made at build and changes is told once, a dynamic one never") {
  World w;
  const auto answer = [&](std::string_view digest, bool is_static) {
    const Admission a = w.admit("/t");
    w.engine().dispatched(a.id, {"/t/route", Kind::app_route, routes::Runtime::nodejs, is_static}, w.now);
    w.handler_started(a.id);
    w.head(a.id);
    limits::made_at_build::Made made;
    made.key = "/t";
    made.digest = digest;
    made.by = "dynamic = 'force-static'";
    made.kind = "handler";
    w.engine().made_at_build(a.id, made, w.now, {});
    w.ended(a.id);
    return w.last().verdicts.size();
  };
  CHECK(answer("x", false) == 0);
  CHECK(answer("a", true) == 0);
  CHECK(answer("b", false) == 0);
  CHECK(answer("b", true) == 1);
  CHECK(answer("c", true) == 0);
}

TEST_CASE("a file that is not traced is told once a function, also when its request is over") {
  World w;
  const Admission a = w.admit("/t");
  w.dispatched(a.id, "/t/route", Kind::app_route);
  w.handler_started(a.id);
  w.head(a.id);
  w.ended(a.id);
  const std::size_t before = w.recorder.background.size();
  const limits::not_traced::Read read{"readFile", "data/a.json", "app/t/route.js:3:9", "/t"};
  w.engine().not_traced(a.id, {"/t/route", Kind::app_route}, read, w.now, {});
  w.engine().not_traced(a.id, {"/t/route", Kind::app_route}, read, w.now, {});
  REQUIRE(w.recorder.background.size() == before + 1);
  CHECK(w.recorder.background.back().verdict.code == Code::sim_file_not_traced);
  CHECK(w.recorder.background.back().verdict.route == "/t");
}
