// The cap of instances: who waits, in which order, whom the cap gives way to and who gives way at it.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

SchedulerOptions capped(std::uint32_t most, Isolation isolation = Isolation::invocation) {
  SchedulerOptions o = Sim::plain(isolation);
  o.max_instances = most;
  return o;
}

}  // namespace

TEST_CASE("at the cap excess waits in order, and each waits as long as is shown") {
  SchedulerOptions o = capped(2);
  Sim w(o);
  const FunctionId f = w.define("/a");
  for (int n = 1; n <= 5; ++n) w.request(n, f);
  CHECK(w.said() == "spawn i1\nspawn i2\n");
  w.ready(2);
  w.ready(1);
  CHECK(w.said() == "place 1 i2 cold\nplace 2 i1 cold\n");
  w.handler(1);
  w.handler(2);
  for (int n = 3, i = 3; n <= 5; ++n, ++i) {
    w.advance(1s);
    w.release(n - 2);
    w.bury();
    w.ready(i);
    CHECK(w.placements == n);
    CHECK(w.placed.at(inv(n)).waited == 1s * (n - 2));
  }
}

TEST_CASE("a queue that is full refuses the one that comes, or one whose client has left") {
  SchedulerOptions o = capped(1);
  o.queue_max = 2;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.request(2, f);
  w.request(3, f);
  w.said();
  w.request(4, f);
  CHECK(w.said() == "refuse 4 FUNCTION_THROTTLED\n");
  w.left(2);
  w.request(5, f);
  CHECK(w.said() == "refuse 2 FUNCTION_THROTTLED\n");
}

TEST_CASE("a page that fetches its own API at the cap does not deadlock: the cap gives way") {
  for (const auto isolation : {Isolation::invocation, Isolation::instance}) {
    Sim w(capped(1, isolation));
    const FunctionId page = w.define("/page", Pool::app_page), api = w.define("/api");
    w.request(1, page);
    w.ready(1);
    w.said();
    w.request(9, page);  // a client's, waits
    CHECK(w.said() == "");
    w.request(2, api, 1);  // the page's own
    CHECK(w.said() == "spawn i2\n");
    w.ready(2);
    CHECK(w.said() == "place 2 i2 cold\n");
    w.request(3, api, 1);  // one more is not needed: 2 goes on
    CHECK(w.said() == "");
    w.release(2);
    w.bury();
    for (auto& [id, p] : w.processes)
      if (!p.ready) w.ready(num(id));
    CHECK(w.placed.contains(inv(3)));
    w.release(3);
    w.bury();
    CHECK_FALSE(w.placed.contains(inv(9)));  // the cap is back
    w.release(1);
    w.bury();
    for (auto& [id, p] : w.processes)
      if (!p.ready) w.ready(num(id));
    CHECK(w.placed.contains(inv(9)));
    CHECK(w.processes.size() == 1);
  }
}

TEST_CASE("what was started above the cap stays when there is room for it in the end") {
  Sim w(capped(1, Isolation::instance));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.request(2, f, 1);
  w.ready(2);
  w.exited(1);
  w.said();
  w.release(2);
  CHECK(w.said() == "freeze i2\n");
}

TEST_CASE("fluid: a page that fetches itself when all slots are taken is served, too") {
  SchedulerOptions o = capped(1, Isolation::fluid);
  o.slots = 2;
  Sim w(o);
  const FunctionId page = w.define("/page");
  w.request(1, page);
  w.ready(1);
  w.request(2, page);
  w.said();
  w.request(3, page, 1);
  CHECK(w.said() == "");  // 2 does not wait
  w.request(4, page, 2);
  CHECK(w.said() == "spawn i2\n");
}

TEST_CASE("an invocation may be marked as waiting where its requests cannot be told from others") {
  Sim w(capped(1));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.request(2, f);
  w.said();
  w.call([&] { w.scheduler.waits(inv(1), true, w.now, w.out); });
  CHECK(w.said() == "spawn i2\n");
  w.ready(2);
  CHECK(w.said() == "place 2 i2 cold\n");
}

TEST_CASE("a function that fetches itself without end is stopped") {
  SchedulerOptions o = capped(1);
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  int n = 1;
  while (w.refused.empty()) {
    REQUIRE(n < 100);
    w.request(n + 1, f, n);
    ++n;
    if (w.refused.empty()) w.ready(n);
  }
  CHECK(w.refused.at(inv(n)) == Code::infinite_loop_detected);
  CHECK(n == static_cast<int>(o.nesting_max) + 2);
}

TEST_CASE("under pressure an abandoned invocation gives up its instance, the one left longest first") {
  Sim w(capped(2));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.request(2, f);
  w.ready(1);
  w.ready(2);
  w.said();
  w.left(2);
  w.advance(1s);
  w.left(1);
  CHECK(w.said() == "");  // nobody needs the room: they go on
  w.request(3, f);
  CHECK(w.said() == "kill i2 abandoned\nlost 2 i2 NONE abandoned\n");
  w.exited(2);
  CHECK(w.said() == "spawn i3\n");
}

TEST_CASE("fluid: an instance with one abandoned and one live invocation is not given up") {
  SchedulerOptions o = capped(1, Isolation::fluid);
  o.slots = 2;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.request(2, f);
  w.left(1);
  w.said();
  w.request(3, f);
  CHECK(w.said() == "");
  w.left(2);
  CHECK(w.said().starts_with("kill i1 abandoned\n"));
}

TEST_CASE("those who wait and whose clients have left are served after the others") {
  Sim w(capped(1));
  const FunctionId f = w.define("/a");
  for (int n = 1; n <= 3; ++n) w.request(n, f);
  w.ready(1);
  w.left(2);
  w.request(4, f);
  w.said();
  for (const int next : {3, 4, 2}) {
    w.release(w.leases.begin()->first == inv(next) ? 0 : num(w.leases.begin()->first));
    w.bury();
    for (auto& [id, p] : w.processes)
      if (!p.ready) w.ready(num(id));
    CHECK(w.leases.begin()->first == inv(next));
  }
}
