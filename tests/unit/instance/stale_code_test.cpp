// Changed code: which instances it makes stale, when they go, and who gets what was started since.
#include <catch2/catch.hpp>

#include "unit/instance/running.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE("changed code: what is at work finishes and goes, what is idle goes, new requests get new code") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  Running r(o, 2);
  r.w.release(2);
  const FunctionId other = r.w.define("/page", Pool::app_page);
  r.w.request(3, other);
  r.w.ready(3);
  r.w.handler(3);
  r.w.release(3);
  r.w.said();
  r.w.changed({.functions = {r.f}});
  CHECK(r.w.said() == "kill i2 stale\n");
  CHECK(r.w.state(1) == "retired");
  CHECK(r.w.state(3) == "idle");  // another function's
  r.w.request(4, r.f);
  CHECK(r.w.said() == "spawn i4\n");
  r.w.release(1);
  CHECK(r.w.said() == "kill i1 stale\n");  // not for 4, although it waits and this one is free
  r.w.ready(4);
  CHECK(r.w.said() == "place 4 i4 cold\n");
}

TEST_CASE("an instance tells the generation of its code, loaded by binding or by its first invocation") {
  SchedulerOptions o = Sim::plain(Isolation::invocation);
  o.spares = 1;
  o.bound_functions = 1;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.changed({.all_code = true});
  w.request(1, f);
  CHECK(w.scheduler.instance(ins(1))->generation == 1);
  w.changed({.all_code = true});
  CHECK(w.scheduler.instance(ins(1))->generation == 1);
  w.release(1);
  w.exited(1);
  w.advance(2s);
  w.ready(2);
  CHECK(w.state(2) == "binding");
  CHECK(w.scheduler.instance(ins(2))->generation == 2);
}

TEST_CASE("what a change touches: functions, groups, files, all code, the environment") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  o.spares = 1;
  const auto after_change = [&](const std::function<CodeChange(Sim&, FunctionId)>& change, bool tell_files) {
    Sim w(o);
    w.start();
    w.ready(1);
    const FunctionId f = w.define("/a");
    w.request(1, f);
    w.handler(1);
    w.release(1);
    w.advance(1s);
    w.ready(2);
    if (tell_files)
      w.call([&] { w.scheduler.loaded(ins(1), {"app/a/route.ts", "lib/db.ts"}, w.now, w.out); });
    w.call([&] { w.scheduler.invalidate(change(w, f), w.now, w.out); });
    const auto stale = [&](int i) { return w.state(i) == "dying"; };
    return std::pair(stale(1), stale(2));
  };
  using P = std::pair<bool, bool>;  // the idle instance, the unbound spare
  CHECK(after_change([](Sim&, FunctionId f) { return CodeChange{1, false, false, {}, {f}, {}}; }, false) ==
        P(true, false));
  CHECK(after_change([](Sim& w, FunctionId) { return CodeChange{1, false, false, {}, {w.define("/b")}, {}}; },
                     false) == P(false, false));
  CHECK(after_change(
            [](Sim& w, FunctionId f) {
              return CodeChange{1, false, false, {w.scheduler.groups().group_of(f)}, {}, {}};
            },
            false) == P(true, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, true, {}, {}, {}}; }, false) ==
        P(true, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, true, false, {}, {}, {}}; }, false) ==
        P(true, true));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, false, {}, {}, {"lib/db.ts"}}; },
                     true) == P(true, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, false, {}, {}, {"lib/no.ts"}}; },
                     true) == P(false, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, false, {}, {}, {"lib/no.ts"}}; },
                     false) == P(true, false));
}

TEST_CASE("a spare whose binding an edit overtakes is never handed out") {
  SchedulerOptions o = Sim::plain(Isolation::invocation);
  o.spares = 1;
  o.bound_functions = 1;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.request(1, f);
  w.release(1);
  w.exited(1);
  w.advance(50ms);
  w.ready(2);
  CHECK(w.said().ends_with("bind i2 f1\n"));
  w.changed({.functions = {f}});
  CHECK(w.said() == "kill i2 stale\n");
  w.bound(2);  // late news
  w.request(2, f);
  CHECK(w.said() == "spawn i3\n");
}

TEST_CASE("a function that moves to another group by an edit of its config leaves its old instances alone") {
  Running r(Sim::plain(Isolation::instance), 1);
  r.w.release(1);
  r.w.said();
  FunctionConfig longer;
  longer.max_duration = 60s;
  CHECK(r.w.define("/a", Pool::app_route, longer) == r.f);
  r.w.request(2, r.f);
  CHECK(r.w.said() == "spawn i2\n");
}
