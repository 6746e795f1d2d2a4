// Templates of functions: an instance that has evaluated a function's modules and is copied for each that the
// function needs from then on.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

// `f` has been asked for once, and i2 is bound to it.
void bind_one(Sim& w, FunctionId f) {
  w.start();
  w.ready(1);
  w.request(1, f);
  w.release(1);
  w.exited(1);
  w.advance(50ms);
  w.ready(2);
}

// i2 is the template of `f`, i3 a spare, i4 a copy that waits.
void stand_one(Sim& w, FunctionId f) {
  bind_one(w, f);
  w.said();
  w.standing(2);
  REQUIRE(w.state(2) == "template");
  REQUIRE(w.said() == "spawn i3 background\nspawn i4 background from i2\n");
  w.ready(3);
  w.ready(4);
  REQUIRE(w.said() == "freeze i4\n");
  REQUIRE(w.state(4) == "bound");
}

}  // namespace

TEST_CASE("the last functions get a template each, and one copy of it waits ahead, frozen") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.request(1, f);
  w.release(1);
  w.exited(1);
  w.said();
  w.advance(50ms);
  CHECK(w.said() == "spawn i2 background\n");
  w.ready(2);
  CHECK(w.said() == "bind i2 f1 as template\n");
  w.standing(2);
  CHECK(w.said() == "spawn i3 background\nspawn i4 background from i2\n");
  w.ready(4);
  CHECK(w.said() == "freeze i4\n");
}

TEST_CASE("a copy that is taken is replaced at once, and a template is never given a request") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  stand_one(w, f);
  w.request(2, f);
  CHECK(w.said() == "thaw i4\nplace 2 i4 bound\nspawn i5 background from i2\n");
  w.request(3, f);
  CHECK(w.said() == "");  // i5 comes: sooner than the spare has evaluated the modules
  w.ready(5);
  CHECK(w.said() == "place 3 i5 cold\nspawn i6 background from i2\n");
  w.release(2);
  w.release(3);
  CHECK(w.said() == "kill i4 spent\nkill i5 spent\n");
  CHECK(w.state(2) == "template");
}

TEST_CASE("many at once are copies of the template, as many side by side as may be") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  stand_one(w, f);
  for (int n = 2; n <= 8; ++n) w.request(n, f);
  CHECK(w.said() ==
        "thaw i4\nplace 2 i4 bound\nspawn i5 background from i2\nspawn i6 from i2\nspawn i7 from i2\n"
        "spawn i8 from i2\n");
  for (int i = 5; i <= 12; ++i)
    if (w.processes.contains(ins(i))) w.ready(i);
  for (int n = 2; n <= 8; ++n) CHECK(w.placed.contains(inv(n)));
}

TEST_CASE("of the function used last several copies wait, each begun when the one before is there") {
  SchedulerOptions o = Sim::with_templates();
  o.copies_ahead = 3;
  Sim w(o);
  const FunctionId f = w.define("/a");
  bind_one(w, f);
  w.standing(2);
  CHECK(w.said().ends_with("spawn i4 background from i2\n"));
  w.ready(3);
  w.ready(4);
  CHECK(w.said() == "spawn i5 background from i2\nfreeze i4\n");
  w.ready(5);
  CHECK(w.said() == "spawn i6 background from i2\nfreeze i5\n");
  w.ready(6);
  CHECK(w.said() == "freeze i6\n");
  // A burst finds them, and has the machine to itself until there is none left.
  for (int n = 2; n <= 4; ++n) w.request(n, f);
  CHECK(w.said() ==
        "thaw i4\nplace 2 i4 bound\nthaw i5\nplace 3 i5 bound\n"
        "thaw i6\nplace 4 i6 bound\nspawn i7 background from i2\n");
}

TEST_CASE("of the others one waits, and several only while there is room") {
  SchedulerOptions o = Sim::with_templates();
  o.copies_ahead = 3;
  o.memory_budget = 500'000'000;  // at 80 MB each, with a tenth to spare: five
  Sim w(o);
  const FunctionId a = w.define("/a");
  bind_one(w, a);
  w.standing(2);
  for (int i = 3; i <= 8; ++i)
    if (w.processes.contains(ins(i))) w.ready(i);
  CHECK(w.processes.size() == 5);  // the template, a spare, three copies
  w.said();
  const FunctionId b = w.define("/b");
  w.request(2, b);
  w.said();
  w.request(3, a);
  w.release(3);
  w.bury();
  w.advance(10s);
  CHECK(w.processes.size() <= 6);
}

TEST_CASE("a copy that comes for one function is not taken for another's") {
  Sim w(Sim::with_templates());
  const FunctionId a = w.define("/a"), b = w.define("/b");
  stand_one(w, a);
  w.request(2, a);  // i5 comes
  w.request(3, b);  // the spare
  w.said();
  w.request(4, b);
  CHECK(w.said() == "spawn i6\n");
}

TEST_CASE("a change of the code retires the template and its copies, also those that come, and no request") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  stand_one(w, f);
  w.request(2, f);
  w.said();
  w.changed({.functions = {f}});
  CHECK(w.said() == "kill i2 stale\nkill i5 stale\n");
  CHECK(w.state(4) == "retired");
  w.request(3, f);
  CHECK(w.said() == "place 3 i3 spare\n");  // fork+evaluate
  w.release(2);
  w.release(3);
  w.bury();
  w.advance(2s);
  w.said();
  w.ready(6);
  CHECK(w.said() == "bind i6 f1 as template\n");
}

TEST_CASE("a function of which there must be no template keeps a bound spare, until its code changes") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  bind_one(w, f);
  w.said();
  w.bound(2);
  CHECK(w.said() == "spawn i3 background\nfreeze i2\n");
  w.ready(3);
  w.request(2, f);
  CHECK(w.said() == "thaw i2\nplace 2 i2 bound\n");
  w.release(2);
  w.bury();
  w.advance(50ms);
  CHECK(w.said() == "kill i2 spent\nbind i3 f1\n");  // not asked again
  w.changed({.functions = {f}});
  w.bury();
  w.advance(2s);
  w.said();
  w.ready(4);
  CHECK(w.said() == "bind i4 f1 as template\n");
}

TEST_CASE("where one must not be the template and another may, that is tried once more") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  bind_one(w, f);
  w.bound(2, true);
  w.said();
  w.ready(3);
  CHECK(w.said() == "bind i3 f1 as template\n");
  w.bound(3);  // nor may that one
  w.ready(4);
  w.advance(2s);
  CHECK(w.said().find("template") == std::string::npos);
}

TEST_CASE("one that ends while it is to become a template is bound the other way the next time") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  bind_one(w, f);
  w.said();
  w.exited(2, {Death::Kind::exited, 78});
  w.advance(2s);
  CHECK(w.said() == "spawn i3 background\n");
  w.ready(3);
  CHECK(w.said() == "bind i3 f1\n");
}

TEST_CASE("a template that dies takes no copy along and is replaced; one that dies twice is not") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  stand_one(w, f);
  w.exited(2);
  CHECK(w.said() == "bind i3 f1 as template\n");
  w.request(2, f);
  CHECK(w.said() == "thaw i4\nplace 2 i4 bound\n");
  w.release(2);
  w.standing(3);
  w.exited(3);  // before a copy of it was there
  w.said();
  w.bury();
  for (int i = 4; i < 12; ++i) {
    w.advance(2s);
    if (w.processes.contains(ins(i)) && !w.processes.at(ins(i)).ready) w.ready(i);
  }
  CHECK(w.said().find("as template") == std::string::npos);
}

TEST_CASE("a copy that fails ends its template, and who waits for it is served by another one") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  stand_one(w, f);
  w.request(2, f);
  w.request(3, f);
  w.said();
  w.exited(5, {Death::Kind::lost, 0});
  CHECK(w.said() == "kill i2 failed\nplace 3 i3 cold\n");
  CHECK(w.refused.empty());
}

TEST_CASE("a copy that is not ready in time is killed with its template") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  stand_one(w, f);
  w.request(2, f);
  w.handler(2);
  w.request(3, f);
  w.said();
  w.advance(w.options.copy_limit);
  CHECK(w.said() == "kill i5 spawn_timeout\nkill i2 failed\nplace 3 i3 cold waited 15s\n");
}

TEST_CASE("templates give way when room is needed, and the room is found without them") {
  SchedulerOptions o = Sim::with_templates();
  o.max_instances = 3;
  Sim w(o);
  const FunctionId a = w.define("/a"), b = w.define("/b");
  bind_one(w, a);
  w.standing(2);
  w.bury();
  for (int i = 3; i <= 4; ++i)
    if (w.processes.contains(ins(i))) w.ready(i);
  for (int n = 2; n <= 4; ++n) w.request(n, b);
  for (int round = 0; round < 20; ++round) {
    w.bury();
    for (auto& [id, p] : w.processes)
      if (!p.killed && !p.ready) {
        w.ready(num(id));
        break;
      }
    w.advance(10ms);
  }
  for (int n = 2; n <= 4; ++n) CHECK(w.placed.contains(inv(n)));
}

TEST_CASE("on fluid a template serves its group as a bound spare does: by a copy") {
  Sim w(Sim::with_templates(Isolation::fluid));
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.request(1, f);
  w.advance(3s);
  w.ready(2);
  w.standing(2);
  w.said();
  w.request(2, f);
  CHECK(w.said() == "place 2 i1 warm\n");
}

TEST_CASE("a function that has moved to another group keeps its template and the copy that waits") {
  Sim w(Sim::with_templates());
  const FunctionId f = w.define("/a");
  stand_one(w, f);
  FunctionConfig other;
  other.prerender = true;
  w.define("/a", Pool::app_route, other);
  w.request(2, f);
  CHECK(w.said() == "thaw i4\nplace 2 i4 bound\nspawn i5 background from i2\n");
  w.request(3, f);
  w.ready(5);
  CHECK(w.said() == "place 3 i5 cold\nspawn i6 background from i2\n");
}
