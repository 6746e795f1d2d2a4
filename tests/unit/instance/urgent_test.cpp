// Templates that are begun beside the requests that evaluate, without a pause.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

SchedulerOptions with_templates(std::uint32_t spares = 2) {
  return Sim::with_templates(Isolation::invocation, spares);
}

// The app is ready, and as many spares as there shall be.
void stock(Sim& w) {
  w.start();
  for (std::uint32_t k = 1; k <= w.options.spares; ++k) w.ready(static_cast<int>(k));
  w.said();
}

// Request 1 has evaluated `f` on i1 and is done.
void evaluate_once(Sim& w, FunctionId f) {
  stock(w);
  w.request(1, f);
  w.handler(1);
  w.release(1);
  w.exited(1);
  w.said();
}

}  // namespace

TEST_CASE("a function's first request has the machine for itself") {
  Sim w(with_templates());
  const FunctionId f = w.define("/a");
  stock(w);
  w.request(1, f);
  CHECK(w.said() == "place 1 i1 spare\n");
  w.advance(1s);
  w.request(2, f);  // nor is it the template's turn while nobody has evaluated it yet
  CHECK(w.said() == "place 2 i2 spare\n");
  w.request(3, f);
  CHECK(w.said() == "spawn i3\n");
}

TEST_CASE("the second one that evaluates has its template begun beside it, on no spare, at normal priority") {
  Sim w(with_templates());
  const FunctionId f = w.define("/a");
  evaluate_once(w, f);
  w.request(2, f);
  CHECK(w.said() == "place 2 i2 spare\nspawn i3\n");
  w.ready(3);
  CHECK(w.said() == "bind i3 f1 as template at once\n");
  w.handler(2);
  w.release(2);
  w.exited(2);
  w.said();
  w.request(3, f);  // as it would be without: started for
  CHECK(w.said() == "spawn i4\n");
  w.ready(4);
  CHECK(w.said() == "place 3 i4 cold\n");
  w.standing(3);
  CHECK(w.said() == "spawn i5 background from i3\n");
  w.ready(5);
  w.said();
  w.request(4, f);
  CHECK(w.said() == "thaw i5\nplace 4 i5 bound\nspawn i6 background from i3\n");
}

TEST_CASE("requests without a pause get to copies in the time of two evaluations") {
  Sim w(with_templates());
  const FunctionId f = w.define("/a");
  stock(w);
  std::map<int, TimePoint> ready_at, stands_at;
  int copies = 0, evaluations = 0;
  TimePoint begun_at{}, first_copy{};
  const TimePoint from = w.now;
  // A world in which a process takes 100 ms to be there, an evaluation a second, and each request follows the
  // one before.
  for (int n = 1; n <= 12; ++n) {
    w.request(n, f);
    bool begun = false;
    for (int tick = 0; !begun; ++tick) {
      REQUIRE(tick < 500);
      w.bury();
      std::vector<InstanceId> ids;
      for (const auto& [id, p] : w.processes) ids.push_back(id);
      for (const InstanceId id : ids) {
        const int i = num(id);
        const Sim::Process& p = w.processes.at(id);
        if (!p.ready && w.now >= ready_at.try_emplace(i, w.now + 100ms).first->second) w.ready(i);
        if (p.busy_binding && w.now >= stands_at.try_emplace(i, w.now + 1s).first->second) w.standing(i);
      }
      if (const auto p = w.placed.find(inv(n)); p != w.placed.end()) {
        if (begun_at < from + Duration(1)) begun_at = w.now;
        const bool is_copy = w.processes.at(p->second.instance).from != InstanceId::none;
        if (stands_at.try_emplace(-n, w.now + (is_copy ? 10ms : 1000ms)).first->second <= w.now) {
          begun = true;
          if (is_copy && copies++ == 0) first_copy = w.now;
          evaluations += !is_copy;
          w.handler(n);
          w.release(n);
          break;
        }
      }
      w.advance(10ms);
    }
  }
  CHECK(evaluations <= 3);
  CHECK(copies >= 9);
  CHECK(first_copy - from < 4s);
}

TEST_CASE("one that binds in the background is raised as soon as its function's next request evaluates") {
  Sim w(with_templates());
  const FunctionId f = w.define("/a");
  evaluate_once(w, f);
  w.advance(50ms);
  CHECK(w.said() == "bind i2 f1 as template\n");
  const FunctionId other = w.define("/b");
  w.request(2, other);  // that one has nothing of it
  CHECK(w.said() == "spawn i3\n");
  w.request(3, f);
  CHECK(w.said() == "spawn i4\nraise i2\n");
  w.request(4, f);
  CHECK(w.said().find("raise") == std::string::npos);  // once
}

TEST_CASE("who waits has what starts for him first, and has a copy if that is there sooner") {
  Sim w(with_templates(1));
  const FunctionId f = w.define("/a");
  evaluate_once(w, f);
  w.request(2, f);
  CHECK(w.said() == "spawn i2\nspawn i3\n");  // for him, and for the template
  w.ready(3);
  CHECK(w.said() == "bind i3 f1 as template at once\n");
  w.standing(3);
  CHECK(w.said() == "spawn i4 from i3\n");
  w.ready(4);
  CHECK(w.said().starts_with("place 2 i4 cold\n"));
}

TEST_CASE("where a function may have no template, or is calm after a change, none is urgent") {
  Sim w(with_templates());
  const FunctionId f = w.define("/a");
  evaluate_once(w, f);
  w.advance(50ms);
  w.bound(2);  // it must not be one
  w.bury();
  w.said();
  for (int n = 2; n <= 6; ++n) w.request(n, f);
  CHECK(w.said().find("template") == std::string::npos);
  w.changed({.functions = {f}});
  w.said();
  w.request(7, f);
  w.request(8, f);
  w.handler(2);
  CHECK(w.said().find("at once") == std::string::npos);  // what runs the old code has not evaluated the new
}

TEST_CASE("after a change the second evaluation of the new code is waited for, and the calm") {
  Sim w(with_templates());
  const FunctionId f = w.define("/a");
  stock(w);
  w.request(1, f);
  w.handler(1);
  w.changed({.functions = {f}});
  w.request(2, f);
  CHECK(w.said() == "place 1 i1 spare\nplace 2 i2 spare\n");
  w.request(3, f);
  w.ready(3);
  CHECK(w.said() == "spawn i3\nplace 3 i3 cold\n");  // nobody has evaluated the new code yet
  w.handler(2);
  w.request(4, f);
  CHECK(w.said() == "spawn i4\n");
  w.ready(4);
  w.said();
  w.advance(999ms);
  CHECK(w.said() == "");
  w.advance(1ms);
  CHECK(w.said() == "spawn i5\n");
  w.ready(5);
  CHECK(w.said().starts_with("bind i5 f1 as template at once\n"));
}

TEST_CASE("a template is urgent only where there is room for it, and gives way to who needs its room") {
  SchedulerOptions o = with_templates(1);
  o.max_instances = 3;
  Sim w(o);
  const FunctionId f = w.define("/a"), b = w.define("/b");
  evaluate_once(w, f);
  w.request(2, f);
  CHECK(w.said() == "spawn i2\nspawn i3\n");
  w.ready(2);
  w.ready(3);
  CHECK(w.said() == "place 2 i2 cold\nbind i3 f1 as template at once\n");
  w.request(3, b);
  CHECK(w.said() == "spawn i4\n");
  w.request(4, b);  // i4 is for one of them
  CHECK(w.said() == "kill i3 memory\n");
  w.ready(4);
  w.exited(3);
  CHECK(w.said() == "place 3 i4 cold\nspawn i5\n");
  w.ready(5);
  CHECK(w.said() == "place 4 i5 cold\n");
  w.release(4);
  w.exited(5);
  w.said();
  w.advance(1s);  // it is not begun again at once
  CHECK(w.said() == "");
  w.advance(1s);
  CHECK(w.said() == "spawn i6\n");
}

TEST_CASE("one that grows beyond the budget is given up, and not begun again where it has no room") {
  SchedulerOptions o = with_templates(1);
  o.memory_budget = 400'000'000;
  Sim w(o);
  const FunctionId f = w.define("/a");
  evaluate_once(w, f);
  w.request(2, f);
  w.ready(2);
  w.ready(3);
  CHECK(w.said() == "spawn i2\nspawn i3\nplace 2 i2 cold\nbind i3 f1 as template at once\n");
  w.memory(2, 100'000'000);
  CHECK(w.said() == "");
  w.memory(3, 310'000'000);
  CHECK(w.said() == "kill i3 memory\n");
  w.exited(3);
  w.request(3, f);
  w.said();
  w.advance(3s);
  CHECK(w.said().find("template") == std::string::npos);
  CHECK(w.processes.size() == 2);  // i2, and what is started for 3
}

TEST_CASE("several functions have theirs one after the other") {
  Sim w(with_templates());
  const FunctionId a = w.define("/a"), b = w.define("/b");
  stock(w);
  w.request(1, a);
  w.request(2, b);
  w.handler(1);
  w.handler(2);
  w.said();
  w.request(3, a);
  w.request(4, b);
  for (int i = 3; i <= 5; ++i) w.ready(i);
  const std::string said = w.said();
  CHECK(said.find("as template at once") != std::string::npos);
  CHECK(said.find("as template at once") == said.rfind("as template at once"));
}

TEST_CASE("one that was started for a template that is not wanted any more is a spare") {
  Sim w(with_templates(1));
  const FunctionId f = w.define("/a");
  evaluate_once(w, f);
  w.request(2, f);
  CHECK(w.said() == "spawn i2\nspawn i3\n");
  w.changed({.functions = {f}});
  w.ready(3);
  CHECK(w.said() == "place 2 i3 cold\n");
}
