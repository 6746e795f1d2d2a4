// Spares, memory, the cap and what gives way at it.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

SchedulerOptions stocked(std::uint32_t spares, std::uint32_t bound = 4) {
  SchedulerOptions o = Sim::plain(Isolation::invocation);
  o.spares = spares;
  o.bound_functions = bound;
  return o;
}
SchedulerOptions capped(std::uint32_t most, Isolation isolation = Isolation::invocation) {
  SchedulerOptions o = Sim::plain(isolation);
  o.max_instances = most;
  return o;
}

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

TEST_CASE("50 at once complete with few processes") {
  SchedulerOptions o = stocked(2);
  o.memory_budget = 400'000'000;  // five of the estimated size
  Sim w(o);
  w.start();
  const FunctionId f = w.define("/a");
  for (int n = 1; n <= 50; ++n) w.request(n, f);
  std::size_t most = 0;
  for (int n = 1; n <= 50; ++n) {
    most = std::max(most, w.scheduler.totals().instances);
    std::vector<int> boot;
    for (auto& [id, p] : w.processes)
      if (!p.ready) boot.push_back(num(id));
    for (const int i : boot) w.ready(i);
    REQUIRE(w.placed.at(inv(n)).order == n);
    w.release(n);
    w.bury();
  }
  CHECK(most == 5);
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

TEST_CASE("when memory runs out the least recently used free instance goes, and never a leased one") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  o.memory_budget = 400'000'000;
  Sim w(o);
  std::vector<FunctionId> f;
  for (const char* name : {"/a", "/b", "/c", "/d"}) {
    FunctionConfig config;
    config.max_concurrency = 1;  // groups of their own
    f.push_back(w.define(name, Pool::app_route, config));
  }
  for (int n = 1; n <= 3; ++n) {
    w.request(n, f[static_cast<std::size_t>(n - 1)]);
    w.ready(n);
    w.memory(n, 100'000'000);
    w.advance(1s);
  }
  for (const int n : {2, 1}) {
    w.release(n);
    w.advance(1s);
  }
  w.said();
  w.memory(3, 150'000'000);
  CHECK(w.said() == "");
  w.memory(3, 250'000'000);
  CHECK(w.said() == "kill i2 memory\n");
  w.memory(3, 900'000'000);
  CHECK(w.said() == "kill i1 memory\n");
  w.bury();
  w.request(4, f[3]);
  CHECK(w.said() == "");  // waits: i3 is at work
  w.release(3);
  CHECK(w.said() == "kill i3 memory\n");
  w.bury();
  CHECK(w.said() == "spawn i4\n");
}

TEST_CASE("a single instance may be larger than the whole budget") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  o.memory_budget = 10;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.memory(1, 1000);
  w.release(1);
  w.advance(1s);
  w.said();
  w.request(2, f);
  CHECK(w.said() == "thaw i1\nplace 2 i1 warm\n");
}

namespace {

// Functions with an instance each, which have served once and weigh 80 MB; the budget is 350 MB.
struct Served {
  explicit Served(int count, Isolation isolation = Isolation::instance) : w(options(isolation)) {
    for (int n = 1; n <= count; ++n) {
      FunctionConfig config;
      config.max_concurrency = isolation == Isolation::fluid ? 4 : 1;
      f.push_back(w.define(fmt::format("/{}", n), Pool::app_route, config));
      w.request(n, f.back());
      w.ready(n);
      w.advance(1s);
      w.release(n);
      w.memory(n, 80'000'000);
    }
    w.said();
  }
  static SchedulerOptions options(Isolation isolation) {
    SchedulerOptions o = Sim::plain(isolation);
    o.groups_shared = false;
    o.memory_budget = 350'000'000;
    return o;
  }
  std::vector<FunctionId> f;
  Sim w;
};

}  // namespace

TEST_CASE("one that has grown much goes before those that were unused for longer") {
  Served s(4);
  s.w.memory(4, 110'000'000);
  CHECK(s.w.said() == "");  // in the budget
  s.w.memory(4, 130'000'000);
  CHECK(s.w.said() == "kill i1 memory\n");  // by 50 MB: not a quarter of the budget
  s.w.memory(4, 250'000'000);
  CHECK(s.w.said() == "kill i4 grown\n");
  s.w.bury();
  CHECK(s.w.state(2) == "idle");
  CHECK(s.w.state(3) == "idle");
}

TEST_CASE("one that has always been large is not taken for one that has grown") {
  Served s(2);
  const FunctionId large = s.w.define("/large");
  s.w.request(3, large);
  s.w.ready(3);
  s.w.memory(3, 60'000'000);  // a spare
  s.w.release(3);
  s.w.memory(3, 170'000'000);
  CHECK(s.w.said() == "spawn i3\nplace 3 i3 cold\nfreeze i3\n");
  s.w.memory(3, 200'000'000);
  CHECK(s.w.said() == "kill i1 memory\n");
}

TEST_CASE("one that has grown and is at work takes nothing new, and the others neither go nor wait for it") {
  Served s(3, Isolation::fluid);
  s.w.request(11, s.f[0]);
  s.w.said();
  s.w.memory(1, 300'000'000);
  CHECK(s.w.said() == "");
  CHECK(s.w.state(1) == "retired");
  s.w.memory(1, 900'000'000);
  CHECK(s.w.said() == "");
  s.w.request(12, s.f[0]);  // a fresh one, beside it
  CHECK(s.w.said() == "spawn i4\n");
  s.w.ready(4);
  s.w.release(12);
  s.w.memory(4, 80'000'000);
  CHECK(s.w.said() == "place 12 i4 cold\n");
  // The fresh one too: it stays until the first one has gone, or there would be no end to them.
  s.w.request(13, s.f[0]);
  s.w.memory(4, 300'000'000);
  CHECK(s.w.state(4) == "leased");
  CHECK(s.w.said() == "place 13 i4 warm\nkill i2 memory\nkill i3 memory\n");
  s.w.release(11);
  s.w.bury();
  CHECK(s.w.said() == "kill i1 grown\n");
  s.w.memory(4, 400'000'000);
  CHECK(s.w.state(4) == "retired");
  s.w.release(13);
  CHECK(s.w.said() == "kill i4 grown\n");
}

TEST_CASE("what a heap does by itself is no growth, however small the budget") {
  for (const std::uint64_t after_some_time : {140U, 150U}) {
    SchedulerOptions o = Sim::plain(Isolation::instance);
    o.memory_budget = 70'000'000;
    Sim w(o);
    const FunctionId f = w.define("/a");
    w.request(1, f);
    w.ready(1);
    w.release(1);
    w.memory(1, 80'000'000);
    w.said();
    w.memory(1, after_some_time * 1'000'000);
    CHECK(w.said() == (after_some_time == 150 ? "kill i1 grown\n" : ""));
  }
}

TEST_CASE("for whoever waits for room, one that has grown goes first") {
  Served s(4);
  s.w.memory(4, 90'000'000);
  s.w.memory(1, 90'000'000);
  s.w.memory(3, 170'000'000);
  CHECK(s.w.said() == "kill i3 grown\n");
  s.w.bury();
  s.w.memory(2, 170'000'000);  // fits
  CHECK(s.w.said() == "");
  s.w.request(9, s.w.define("/9"));
  CHECK(s.w.said() == "kill i2 grown\n");
  s.w.bury();
  CHECK(s.w.said() == "spawn i5\n");
}

TEST_CASE("whatever bound spares weigh, the store comes to rest within the budget") {
  for (const std::uint64_t bound_weight : {70U, 100U, 118U, 130U, 160U, 180U, 240U, 340U}) {
    INFO(bound_weight);
    SchedulerOptions o = stocked(2, 4);
    o.groups_shared = false;
    o.memory_budget = 350'000'000;
    Sim w(o);
    w.start();
    int starts = 0;
    const auto live = [&](int seconds) {
      for (int step = 0; step < seconds * 10; ++step) {
        w.bury();
        std::vector<int> boot, bind;
        for (const auto& [id, p] : w.processes) {
          if (!p.ready && !p.killed) boot.push_back(num(id));
          if (p.busy_binding && !p.killed) bind.push_back(num(id));
        }
        for (const int i : boot) {
          ++starts;
          w.ready(i);
          w.memory(i, 60'000'000);
        }
        for (const int i : bind) {
          if (w.processes.at(ins(i)).killed) continue;
          w.bound(i);
          w.memory(i, (bound_weight + 7 * static_cast<std::uint64_t>(i % 3)) * 1'000'000);
        }
        w.advance(100ms);
      }
    };
    for (int n = 1; n <= 4; ++n) {
      w.request(n, w.define(fmt::format("/{}", n)));
      live(1);
      w.release(n);
      live(1);
    }
    live(10);
    starts = 0;
    live(60);
    CHECK(starts == 0);
    CHECK(w.scheduler.totals().memory <= o.memory_budget);
  }
}

TEST_CASE("what was given up for lack of room is not started again as a spare") {
  SchedulerOptions o = stocked(3, 0);
  o.memory_budget = 300'000'000;
  Sim w(o);
  w.start();
  w.ready(1);
  w.ready(2);
  w.ready(3);
  w.said();
  for (int i = 1; i <= 3; ++i) w.memory(i, 110'000'000);
  CHECK(w.said() == "kill i1 memory\n");
  w.bury();
  w.advance(1h);
  CHECK(w.said() == "");
}
