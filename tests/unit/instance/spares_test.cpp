// Spares: when they are started, bound to a function and given out, and what becomes of those that do not
// come up.
#include <catch2/catch.hpp>

#include "unit/instance/running.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

// Lets everything that was started, bound or killed come to its end.
void settle_stock(Sim& w) {
  for (int round = 0; round < 50; ++round) {
    w.advance(100ms);
    w.bury();
    for (auto& [id, p] : w.processes) {
      if (p.killed) continue;
      if (!p.ready) w.ready(num(id));
      if (p.busy_binding) w.bound(num(id));
    }
  }
  w.said();
}

}  // namespace

TEST_CASE("spares are started one at a time, at low priority, once the app is ready") {
  Sim w(stocked(2));
  CHECK_FALSE(w.scheduler.next_wakeup());
  w.start();
  CHECK(w.said() == "spawn i1 background\n");
  w.advance(10s);
  CHECK(w.said() == "");
  w.ready(1);
  CHECK(w.said() == "spawn i2 background\n");
  w.ready(2);
  CHECK(w.said() == "");
  CHECK_FALSE(w.scheduler.next_wakeup());
}

TEST_CASE("a request takes a spare at once; the refill waits until it is done, and a moment more") {
  Sim w(stocked(1, 0));
  w.start();
  w.ready(1);
  w.said();
  const FunctionId f = w.define("/a");
  w.request(1, f);
  CHECK(w.said() == "place 1 i1 spare\n");
  w.advance(400ms);
  CHECK(w.said() == "");
  w.release(1);
  CHECK(w.said() == "kill i1 spent\n");
  w.exited(1);
  w.advance(49ms);
  CHECK(w.said() == "");
  w.advance(1ms);
  CHECK(w.said() == "spawn i2 background\n");
}

TEST_CASE("a request that does not end holds the refill up for its patience only") {
  Sim w(stocked(1, 0));
  w.start();
  w.ready(1);
  w.request(1, w.define("/a"));
  w.handler(1);
  w.said();
  w.advance(w.options.refill_patience - 1ns);
  CHECK(w.said() == "");
  w.advance(1ns);
  CHECK(w.said() == "spawn i2 background\n");
}

TEST_CASE("a function that was used gets a bound spare: evaluated, warmed, frozen until the next one comes") {
  Sim w(stocked(1));
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
  CHECK(w.said() == "bind i2 f1\n");
  w.bound(2);
  CHECK(w.said() == "spawn i3 background\nfreeze i2\n");
  w.ready(3);
  CHECK(w.said() == "");
  w.request(2, f);
  CHECK(w.said() == "thaw i2\nplace 2 i2 bound\n");
  w.request(3, f);
  CHECK(w.said() == "place 3 i3 spare\n");
  w.request(4, f);
  CHECK(w.said() == "spawn i4\n");  // somebody waits for this one: no low priority
}

TEST_CASE("a bound spare serves its function only") {
  Sim w(stocked(1));
  const FunctionId a = w.define("/a"), b = w.define("/b");
  w.start();
  w.ready(1);
  w.request(1, a);
  w.release(1);
  settle_stock(w);
  w.request(2, b);
  REQUIRE(w.placed.contains(inv(2)));
  CHECK(w.placed.at(inv(2)).start == Start::spare);
}

TEST_CASE("only the most recently used functions keep a bound spare") {
  Sim w(stocked(1, 2));
  std::vector<FunctionId> f;
  for (const char* name : {"/a", "/b", "/c"}) f.push_back(w.define(name));
  w.start();
  for (int n = 0; n < 3; ++n) {
    w.request(n + 1, f[static_cast<std::size_t>(n)]);
    settle_stock(w);
    if (w.leases.contains(inv(n + 1))) w.release(n + 1);
    settle_stock(w);
  }
  std::set<FunctionId> bound;
  for (const InstanceView& s : w.scheduler.instances())
    if (const auto* b = std::get_if<Bound>(&s.state)) bound.insert(b->function);
  CHECK(bound == std::set{f[1], f[2]});
}

TEST_CASE("a burst of saved files kills a bound spare once and binds again when it is over") {
  Sim w(stocked(2));
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.request(1, f);
  w.release(1);
  settle_stock(w);
  int kills = 0, binds = 0;
  for (int save = 0; save < 10; ++save) {
    w.changed({.all_code = true});
    w.advance(200ms);
    const std::string said = w.said();
    kills += said.find("kill") != said.npos;
    binds += said.find("bind") != said.npos || said.find("spawn") != said.npos;
  }
  CHECK(kills == 1);
  CHECK(binds == 0);
  w.bury();
  w.advance(799ms);
  CHECK(w.said() == "");
  w.advance(1ms);
  CHECK(w.said().starts_with("bind i"));
}

TEST_CASE("a function whose modules cannot be evaluated is not bound again before its code changes") {
  Sim w(stocked(1));
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.request(1, f);
  w.release(1);
  w.exited(1);
  w.advance(50ms);
  w.ready(2);
  CHECK(w.said().ends_with("bind i2 f1\n"));
  w.exited(2, {Death::Kind::exited, 1});
  w.advance(100ms);
  CHECK(w.said() == "spawn i3 background\n");
  w.ready(3);
  w.advance(10min);
  CHECK(w.said() == "");
  w.changed({.functions = {f}});
  w.advance(2s);
  CHECK(w.said() == "bind i3 f1\n");
}

TEST_CASE("spares that die before they are ready are started again ever more slowly") {
  Sim w(stocked(1));
  w.start();
  Duration last{};
  for (int n = 1; n <= 5; ++n) {
    w.said();
    w.exited(n, {Death::Kind::exited, 1});
    CHECK(w.said() == "");
    const TimePoint from = w.now;
    REQUIRE(w.scheduler.next_wakeup());
    const Duration wait = *w.scheduler.next_wakeup() - from;
    CHECK(wait > last);
    last = wait;
    w.advance(wait);
    CHECK(w.said() == fmt::format("spawn i{} background\n", n + 1));
  }
}

TEST_CASE(
    "who waits for instances that never become ready is refused after some tries, and the next one too") {
  Sim w(Sim::plain(Isolation::instance));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.exited(1, {Death::Kind::exited, 1});
  w.exited(2, {Death::Kind::exited, 1});
  CHECK(w.said() == "spawn i1\nspawn i2\nspawn i3\n");
  w.exited(3, {Death::Kind::exited, 1});
  CHECK(w.said() == "refuse 1 FUNCTION_INVOCATION_FAILED\n");
  w.request(2, f);
  w.exited(4, {Death::Kind::exited, 1});
  CHECK(w.said() == "spawn i4\nrefuse 2 FUNCTION_INVOCATION_FAILED\n");
  w.request(3, f);
  w.ready(5);
  CHECK(w.said() == "spawn i5\nplace 3 i5 cold\n");
  w.request(4, f);
  w.exited(6, {Death::Kind::exited, 1});  // one that became ready wipes the slate
  CHECK(w.said() == "spawn i6\nspawn i7\n");
}
