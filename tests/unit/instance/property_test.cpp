// A seeded driver does everything that clients, functions, processes and editors may do, in any order the
// contract allows. Sim checks each command as it comes (nothing placed on what is stale, frozen, full or
// dead; nothing leased evicted; no wake-up in the past); here, what holds over a whole run.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

struct Driver {
  Rng rng;
  Sim w;
  std::vector<FunctionId> functions;
  std::map<InvocationId, int> parent_of;
  int asked = 0, withdrawn = 0;
  std::map<InvocationId, int> asked_as;  // position in the order of asking
  std::string log;

  Driver(std::uint64_t seed, SchedulerOptions o) : rng(seed), w(o) {
    functions = {w.define("/a"), w.define("/b"), w.define("/page", Pool::app_page)};
    FunctionConfig own;
    own.max_concurrency = 2;
    functions.push_back(w.define("/own", Pool::app_route, own));
    FunctionConfig prerender;
    prerender.prerender = true;
    functions.push_back(w.define("/made", Pool::app_page, prerender));
    functions.push_back(w.define("/made-too", Pool::app_page, prerender));
    functions.push_back(w.define("/proxy", Pool::middleware));
  }

  std::uint64_t pick(std::uint64_t n) { return rng.next() % n; }
  bool chance(std::uint64_t percent) { return pick(100) < percent; }
  template <class Map>
  auto any(Map& m) {
    auto it = m.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(pick(m.size())));
    return it;
  }
  void keep_log() { log += w.said(); }

  void ask() {
    ++asked;
    asked_as[inv(asked)] = asked;
    int parent = 0;
    if (!w.leases.empty() && chance(20)) parent = num(any(w.leases)->first);
    parent_of[inv(asked)] = parent;
    w.request(asked, functions[pick(functions.size())], parent);
  }

  // One of those on instances ends in some way.
  void end_one() {
    const int n = num(any(w.leases)->first);
    if (chance(15))
      w.timed_out(n);
    else if (chance(10))
      w.drop(n);
    else
      w.release(n, chance(70));
  }

  void process(InstanceId id) {
    const int i = num(id);
    Sim::Process& p = w.processes.at(id);
    if (p.killed || chance(2))
      return w.exited(i, {static_cast<Death::Kind>(pick(4)), static_cast<int>(pick(2))});
    if (!p.ready) return w.ready(i);
    if (p.busy_binding) return p.as_template && chance(80) ? w.standing(i) : w.bound(i);
    if (p.standing) return w.memory(i, pick(200) * 1'000'000);
    if (chance(30)) return w.memory(i, pick(200) * 1'000'000);
    if (chance(40)) return w.pong(i);
    if (p.dev_calls > 0) return w.dev_call(i, false);
    if (!p.frozen) return w.dev_call(i, true);
  }

  void step() {
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
        return ask();
      case 3:
      case 4:
        if (!w.leases.empty()) end_one();
        return;
      case 5:
      case 6:
      case 7:
        if (!w.processes.empty()) process(any(w.processes)->first);
        return;
      case 8:
        if (!w.leases.empty()) w.handler(num(any(w.leases)->first));
        return;
      case 9:
        if (chance(50) && !w.leases.empty()) return w.left(num(any(w.leases)->first));
        if (w.waiting.empty()) return;
        if (chance(50)) return w.left(num(w.waiting[pick(w.waiting.size())]));
        ++withdrawn;
        return w.withdraw(num(w.waiting[pick(w.waiting.size())]));
      case 10:
        if (chance(70)) return;
        if (chance(60)) return w.changed({.functions = {functions[pick(functions.size())]}});
        if (chance(50)) return w.changed({.all_code = true});
        return w.changed({.environment = true});
      default:
        return w.advance(Duration(static_cast<Duration::rep>(pick(1'500'000'000))));
    }
  }

  // Everybody does as he should from now on: whoever waits is served.
  void wind_down() {
    w.advance(10ms);  // a lease that was let go in the last step
    for (int round = 0; !w.waiting.empty() || !w.leases.empty(); ++round) {
      REQUIRE(round < 10'000);
      w.bury();
      std::vector<InstanceId> ids;
      for (const auto& [id, p] : w.processes) ids.push_back(id);
      for (const InstanceId id : ids) {
        const auto p = w.processes.find(id);
        if (p == w.processes.end() || p->second.killed) continue;
        while (p->second.dev_calls > 0) w.dev_call(num(id), false);
        if (!p->second.ready) w.ready(num(id));
        if (p->second.killed || !p->second.busy_binding) continue;
        p->second.as_template ? w.standing(num(id)) : w.bound(num(id));
      }
      // Whoever made a request ends after it.
      std::vector<int> holding;
      for (const auto& [id, lease] : w.leases) holding.push_back(num(id));
      for (const int n : holding) {
        const auto waits = [&](InvocationId id) { return parent_of.at(id) == n; };
        const bool has_child =
            std::any_of(w.waiting.begin(), w.waiting.end(), waits) ||
            std::any_of(w.leases.begin(), w.leases.end(), [&](const auto& e) { return waits(e.first); });
        if (!has_child) w.release(n);
      }
      w.advance(10ms);
    }
  }

  void run(int steps) {
    w.start();
    std::size_t most = 0;
    for (int k = 0; k < steps; ++k) {
      step();
      most = std::max(most, w.processes.size());
      keep_log();
    }
    wind_down();
    const SchedulerTotals t = w.scheduler.totals();
    REQUIRE(t.granted == t.returned);
    REQUIRE(t.holding == 0);
    REQUIRE(t.waiting == 0);
    REQUIRE(w.placed.size() + w.refused.size() + static_cast<std::size_t>(withdrawn) ==
            static_cast<std::size_t>(asked));
    REQUIRE(t.granted == w.placed.size());
    // Above the cap only for requests of those who hold it, one for each at most.
    if (w.options.isolation != Isolation::none)
      REQUIRE(most <= w.options.max_instances + w.options.nesting_max);
    w.stop();
    w.bury();
    REQUIRE(w.processes.empty());
    REQUIRE_FALSE(w.scheduler.next_wakeup());
    keep_log();
  }
};

SchedulerOptions options(Isolation isolation, std::uint64_t seed) {
  SchedulerOptions o = Sim::plain(isolation);
  o.seed = seed;
  o.spread = static_cast<std::uint32_t>(seed % 3);
  o.spares = static_cast<std::uint32_t>(seed % 4);
  o.bound_functions = seed % 2 == 0 ? 2 : 0;
  o.slots = 1 + static_cast<std::uint32_t>(seed % 5);
  o.max_instances = 1 + static_cast<std::uint32_t>(seed % 7);
  o.groups_shared = seed % 5 != 0;
  o.queue_max = seed % 6 == 0 ? 4 : 1000;
  if (seed % 4 == 1) o.memory_budget = 400'000'000;  // what they weigh is up to 200 MB each
  return o;
}
constexpr Isolation kAll[] = {Isolation::invocation, Isolation::instance, Isolation::fluid, Isolation::none};

}  // namespace

TEST_CASE(
    "whatever happens in whatever order, every request is placed or refused and every lease ends once") {
  for (const Isolation isolation : kAll)
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      CAPTURE(profile::to_string(isolation), seed);
      Driver(seed, options(isolation, seed)).run(400);
    }
}

TEST_CASE("whatever happens in whatever order, with templates too") {
  for (const Isolation isolation : {Isolation::invocation, Isolation::instance, Isolation::fluid})
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
      CAPTURE(profile::to_string(isolation), seed);
      SchedulerOptions o = options(isolation, seed);
      o.templates = true;
      o.bound_functions = 1 + static_cast<std::uint32_t>(seed % 3);
      o.copies_ahead = 1 + static_cast<std::uint32_t>(seed % 2);
      o.copies_most = static_cast<std::uint32_t>(seed % 9);
      Driver(seed, o).run(400);
    }
}

TEST_CASE("the same seed and the same moments give the same commands") {
  for (const Isolation isolation : kAll) {
    const auto log = [&] {
      Driver d(99, options(isolation, 4));
      d.run(500);
      return d.log;
    };
    const std::string first = log();
    REQUIRE(first.size() > 1000);
    CHECK(log() == first);
  }
}

TEST_CASE("equals are served in order of arrival") {
  for (const Isolation isolation : {Isolation::invocation, Isolation::instance, Isolation::fluid})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SchedulerOptions o = options(isolation, seed);
      o.spread = 0;
      o.queue_max = 1000;
      Rng rng(seed);
      Sim w(o);
      w.start();
      const FunctionId f = w.define("/a");
      int asked = 0;
      for (int k = 0; k < 400; ++k) {
        const auto what = rng.next() % 4;
        if (what == 0) w.request(++asked, f);
        if (what == 1 && !w.leases.empty()) w.release(num(w.leases.begin()->first));
        if (what == 2) w.bury();
        if (what == 3)
          for (auto& [id, p] : w.processes)
            if (!p.killed && (!p.ready || p.busy_binding)) {
              p.ready ? w.bound(num(id)) : w.ready(num(id));
              break;
            }
        w.advance(5ms);
      }
      int last = 0;
      REQUIRE(w.placed.size() > 10);
      for (const auto& [id, p] : w.placed) {  // in order of arrival
        REQUIRE(p.order > last);
        last = p.order;
      }
    }
}
