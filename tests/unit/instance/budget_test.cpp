// The budget of memory: what goes when it is used up, and that what is left comes to rest within it.
#include <catch2/catch.hpp>

#include "unit/instance/running.hpp"

using namespace vsim;
using namespace vsim::test;

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
