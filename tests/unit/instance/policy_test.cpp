// Who gets which instance, policy by policy, as whole command sequences.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE("invocation: each on a fresh instance, which is killed after it") {
  Sim w(Sim::plain(Isolation::invocation));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  CHECK(w.said() == "spawn i1\n");
  w.advance(600ms);
  w.ready(1);
  CHECK(w.said() == "place 1 i1 cold waited 600ms\n");
  w.release(1);
  CHECK(w.said() == "kill i1 spent\n");
  w.request(2, f);
  CHECK(w.said() == "spawn i2\n");
  w.ready(2);
  CHECK(w.said() == "place 2 i2 cold\n");
}

TEST_CASE("instance: warm when one after the other, apart when at the same time; frozen between") {
  Sim w(Sim::plain(Isolation::instance));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.said();
  w.release(1);
  CHECK(w.said() == "freeze i1\n");
  w.request(2, f);
  CHECK(w.said() == "thaw i1\nplace 2 i1 warm\n");
  w.request(3, f);
  CHECK(w.said() == "spawn i2\n");
  w.ready(2);
  CHECK(w.said() == "place 3 i2 cold\n");
  w.release(2);
  w.release(3);
  CHECK(w.said() == "freeze i1\nfreeze i2\n");
  w.request(4, f);
  CHECK(w.said() == "thaw i1\nplace 4 i1 warm\n");
}

TEST_CASE("instance: one that waits takes the first that is free, started for it or not") {
  Sim w(Sim::plain(Isolation::instance));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.request(2, f);
  w.said();
  w.advance(10ms);
  w.release(1);
  CHECK(w.said() == "place 2 i1 warm waited 10ms\n");
  w.ready(2);
  CHECK(w.said() == "");
}

TEST_CASE("fluid: many share an instance up to its slots, and the next one starts another") {
  SchedulerOptions o = Sim::plain(Isolation::fluid);
  o.slots = 3;
  Sim w(o);
  const FunctionId f = w.define("/a");
  for (int n = 1; n <= 4; ++n) w.request(n, f);
  CHECK(w.said() == "spawn i1\nspawn i2\n");  // four need two
  w.ready(1);
  CHECK(w.said() == "place 1 i1 cold\nplace 2 i1 warm\nplace 3 i1 warm\n");
  w.ready(2);
  CHECK(w.said() == "place 4 i2 cold\n");
  w.release(2);
  w.request(5, f);
  CHECK(w.said() == "place 5 i1 warm\n");  // idle capacity first
  w.release(1);
  w.release(3);
  w.release(5);
  CHECK(w.said() == "");  // not frozen
}

TEST_CASE("fluid: a function with maxConcurrency has an instance, and slots, of its own") {
  Sim w(Sim::plain(Isolation::fluid));
  FunctionConfig two;
  two.max_concurrency = 2;
  const FunctionId a = w.define("/a"), b = w.define("/b", Pool::app_route, two);
  w.request(1, a);
  w.ready(1);
  w.said();
  w.request(2, b);
  w.request(3, b);
  w.request(4, b);
  CHECK(w.said() == "spawn i2\nspawn i3\n");
  w.ready(2);
  w.ready(3);
  CHECK(w.said() == "place 2 i2 cold\nplace 3 i2 warm\nplace 4 i3 cold\n");
}

TEST_CASE("none: everything is placed at once, on no instance, and no process is started") {
  SchedulerOptions o = Sim::plain(Isolation::none);
  o.spares = 2;
  Sim w(o);
  w.start();
  w.request(1, w.define("/a"));
  w.request(2, w.define("/a"));
  CHECK(w.said() == "place 1 i0 warm\nplace 2 i0 warm\n");
  w.release(1);
  w.timed_out(2);
  CHECK(w.said() == "");
  CHECK(w.scheduler.totals().holding == 0);
  CHECK_FALSE(w.scheduler.next_wakeup());
}

TEST_CASE("groups: pools never share, functions of one group do, and each alone where the bundler says so") {
  for (const bool shared : {true, false}) {
    SchedulerOptions o = Sim::plain(Isolation::instance);
    o.groups_shared = shared;
    Sim w(o);
    w.request(1, w.define("/api/a"));
    w.ready(1);
    w.release(1);
    w.said();
    w.request(2, w.define("/api/b"));
    CHECK(w.said() == (shared ? "thaw i1\nplace 2 i1 warm\n" : "spawn i2\n"));
    w.request(3, w.define("/page", Pool::app_page));
    CHECK(w.said() == (shared ? "spawn i2\n" : "spawn i3\n"));
  }
}

TEST_CASE("spread:2: two instances take turns, and every round of two meets both") {
  for (const auto isolation : {Isolation::instance, Isolation::fluid}) {
    SchedulerOptions o = Sim::plain(isolation);
    o.spread = 2;
    Sim w(o);
    const FunctionId f = w.define("/a");
    for (int n = 1; n <= 20; ++n) {
      w.request(n, f);
      for (auto& [id, p] : w.processes)
        if (!p.ready) w.ready(num(id));
      w.release(n);
    }
    CHECK(w.processes.size() == 2);
    for (int n = 1; n < 20; n += 2) {
      INFO(n);
      CHECK(w.placed.at(inv(n)).instance != w.placed.at(inv(n + 1)).instance);
    }
  }
}

TEST_CASE("spread: a full instance passes its turn on; only when all are full another is started") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  o.spread = 2;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.request(2, f);
  w.ready(1);
  w.ready(2);
  w.release(2);
  w.said();
  w.request(3, f);
  w.request(4, f);
  // Whoever's turn it is: one is free, then none.
  CHECK(w.placed.at(inv(3)).instance == w.placed.at(inv(2)).instance);
  CHECK(w.waiting == std::vector{inv(4)});
  CHECK(w.said() ==
        fmt::format("thaw i{0}\nplace 3 i{0} warm\nspawn i3\n", num(w.placed.at(inv(2)).instance)));
}

TEST_CASE("spread: at the cap a turn gives way to the instance there is, which is not evicted for it") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  o.spread = 2;
  o.max_instances = 1;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.release(1);
  w.said();
  w.request(2, f);
  CHECK(w.said() == "thaw i1\nplace 2 i1 warm\n");
}

TEST_CASE("spread: the place of an instance that was killed is filled anew, not left to the others") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  o.spread = 2;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.request(2, f);
  w.ready(1);
  w.ready(2);
  w.timed_out(1);
  w.release(2);
  w.said();
  for (const int n : {3, 4}) {  // a round: one for each place, before the killed process has ended
    w.request(n, f);
    if (w.leases.contains(inv(n))) w.release(n);
  }
  CHECK(w.said().find("spawn i3\n") != std::string::npos);
  CHECK(w.waiting.size() == 1);
}

TEST_CASE("placement depends on the order of arrival and the seed, not on how long things take") {
  const auto run = [](std::uint64_t seed, Duration boot, Duration run_time) {
    SchedulerOptions o = Sim::plain(Isolation::fluid);
    o.spread = 3;
    o.seed = seed;
    Sim w(o);
    const FunctionId a = w.define("/a"), b = w.define("/b", Pool::pages_api);
    std::map<InstanceId, int> order;  // instances by the order of their first invocation
    std::string text;
    for (int n = 1; n <= 30; ++n) {
      w.request(n, n % 3 == 0 ? b : a);
      w.advance(boot);
      for (auto& [id, p] : w.processes)
        if (!p.ready) w.ready(num(id));
      w.handler(n);
      w.advance(run_time);
      if (run_time > 1s) w.release(n);  // or all at once, never
      order.try_emplace(w.placed.at(inv(n)).instance, static_cast<int>(order.size()));
      text += static_cast<char>('a' + order.at(w.placed.at(inv(n)).instance));
    }
    return text;
  };
  const std::string first = run(7, 1ms, 2s);
  CHECK(run(7, 1ms, 2s) == first);
  CHECK(run(7, 3s, 5s) == first);
  CHECK(run(7, 3s, 1ms) == first);
  std::set<std::string> others;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) others.insert(run(seed, 1ms, 2s));
  CHECK(others.size() > 5);
}

TEST_CASE("the memory budget is the profile's, or what the machine bears") {
  profile::Profile p;
  CHECK(memory_budget_for(p, 4'000'000'000) == 1'000'000'000);
  CHECK(memory_budget_for(p, 64'000'000'000) == 1'500'000'000);
  CHECK(memory_budget_for(p, 0) == 1'500'000'000);  // not known
  p.memory_budget.value = 350'000'000;
  CHECK(memory_budget_for(p, 1'000'000'000) == 350'000'000);
  p.memory_budget.value = 8'000'000'000;
  CHECK(memory_budget_for(p, 4'000'000'000) == 8'000'000'000);  // the user's word
}

TEST_CASE("options follow from the profile") {
  profile::Profile p;
  p.isolation.value = Isolation::fluid;
  p.placement.value = "spread:12";
  CHECK(options_for(p, 3).spread == 12);
  CHECK(options_for(p, 3).seed == 3);
  CHECK_FALSE(options_for(p, 3).freeze_idle);
  p.isolation.value = Isolation::instance;
  p.placement.value = "pack";
  CHECK(options_for(p, 3).spread == 0);
  CHECK(options_for(p, 3).freeze_idle);
  p.isolation.value = Isolation::invocation;
  CHECK(options_for(p, 3).bound_functions > 0);
}
