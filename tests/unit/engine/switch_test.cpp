// The plan or the time scale is switched while requests are under way: each goes by what it came under.
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
                            200s, 3)};
}
const profile::Profile kPro = make_profile(Plan::pro), kFluid = make_profile(Plan::hobby, Compute::fluid);

}  // namespace

TEST_CASE("Switch: a request that began before keeps its deadline, one after has the new one") {
  SimWorld w;  // hobby: 10 s
  w.routes(app());
  const Admission before = w.admit("/api/slow");
  w.advance(4s);
  w.set_profile(kPro);  // 60 s
  const Admission after = w.admit("/api/slow");
  CHECK(w.advance(6s - 1ns).empty());
  const auto first = w.advance(1ns);
  REQUIRE(first.size() == 1);
  CHECK(first[0].id == before.id);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].limit == "10s");
  CHECK(w.last().verdicts[0].provenance == &w.profile.duration_default.from);
  CHECK(w.advance(54s - 1ns).empty());
  const auto second = w.advance(1ns);
  REQUIRE(second.size() == 1);
  CHECK(second[0].id == after.id);
  CHECK(w.last().charged == 60s);
  CHECK(w.last().verdicts[0].limit == "60s");
  CHECK(w.last().verdicts[0].provenance == &kPro.duration_default.from);
}

TEST_CASE("Switch: one that waits in the queue has the plan it came under when its function begins") {
  SimWorld w(make_profile(), SimWorld::isolated());
  w.routes(app());
  const Admission waits = w.admit("/api/slow");
  w.dispatched(waits.id, "/api/slow/route", Kind::app_route);
  w.set_profile(kPro);
  const Admission later = w.admit("/api/slow");
  w.dispatched(later.id, "/api/slow/route", Kind::app_route);
  for (const auto& a : {waits, later}) {
    w.placed(a.id, a.id == waits.id ? "i1" : "i2", "cold", 1s);
    w.handler_started(a.id);
  }
  REQUIRE(w.recorder.running.size() == 2);
  CHECK(w.recorder.running[0].limit == 10s);
  CHECK(w.recorder.running[1].limit == 60s);
}

TEST_CASE("Switch: dispatched only after it, a request still goes by what it came under") {
  SimWorld w(make_profile(), SimWorld::isolated());
  w.routes(app());
  const Admission a = w.admit("/api/limited");  // asks for 200 s; hobby gives 60 s, pro 300 s
  w.set_profile(kPro);
  w.dispatched(a.id, "/api/limited/route", Kind::app_route);
  w.placed(a.id);
  w.handler_started(a.id);
  CHECK(w.next() == 60s);
  w.advance(60s);
  CHECK(w.last().verdicts[0].limit_key == "duration.max");
}

TEST_CASE("Switch: a socket stays open under the plan that carries it, and the next upgrade is refused") {
  SimWorld w(kFluid);
  w.routes(app());
  const Admission socket = w.upgrade("/api/slow");
  CHECK(socket.action == Action::tunnel);
  w.head(socket.id, 101);
  const profile::Profile hobby = make_profile();
  w.set_profile(hobby);
  CHECK(w.upgrade("/api/slow").action == Action::refuse);
  CHECK(w.advance(300s - 1ns).empty());
  const auto cut = w.advance(1ns);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].kind == ExchangeCommand::Kind::cut_tunnel);
  CHECK(cut[0].id == socket.id);
  CHECK(w.last().verdicts[0].limit == "300s");
}

TEST_CASE("Switch: sizes, too: a body is measured against the plan its request came under") {
  profile::Profile small = make_profile();
  small.request_body_max.value = 100;
  SimWorld w;
  RequestInfo r;
  r.target = "/api/slow";
  r.method = "POST";
  r.content_length = 101;
  CHECK(w.admit(r).action == Action::forward);
  w.set_profile(small);
  CHECK(w.admit(r).action == Action::refuse);
}

TEST_CASE("Switch: isolation is another one only where there is some") {
  SimWorld plain;
  const Admission a = plain.admit("/api/slow");
  plain.set_profile(kFluid);
  plain.head(a.id);
  plain.ended(a.id);
  CHECK(plain.last().instance.empty());
  CHECK(plain.last().outcome.ended_by == EndedBy::function);
}

TEST_CASE("Switch: the time scale holds for what comes after it, and a verdict names the limit as it is") {
  SimWorld w;
  w.routes(app());
  const Admission before = w.admit("/api/slow");
  w.set_time_scale(5);
  const Admission after = w.admit("/api/slow");
  CHECK(w.advance(2s - 1ns).empty());
  const auto first = w.advance(1ns);
  REQUIRE(first.size() == 1);
  CHECK(first[0].id == after.id);
  CHECK(w.last().verdicts[0].limit == "10s (2s at 5x)");
  CHECK(w.last().limit == 2s);
  w.set_time_scale(1);
  CHECK(w.advance(8s - 1ns).empty());
  const auto second = w.advance(1ns);
  REQUIRE(second.size() == 1);
  CHECK(second[0].id == before.id);
  CHECK(w.last().verdicts[0].limit == "10s");
}

TEST_CASE("Switch: the words of one verdict are not those of the last one under another plan") {
  SimWorld w;
  w.routes(app());
  w.admit("/api/slow");
  const profile::Profile twin = [] {
    profile::Profile p = make_profile();
    p.duration_max.value = p.duration_extended_max.value = 30s;  // the same limit, another advice
    return p;
  }();
  w.set_profile(twin);
  w.admit("/api/slow");
  w.advance(10s);
  REQUIRE(w.recorder.ended.size() == 2);
  CHECK_THAT(w.recorder.ended[0].verdicts[0].fix, Catch::Contains("maxDuration = 60"));
  CHECK_THAT(w.recorder.ended[1].verdicts[0].fix, Catch::Contains("maxDuration = 30"));
}
