// The core whole: requests, instances and code that changes, with a seed for what they do and when each of
// them tells of it. Instances answer, hang, crash, pass on, break off and leave work behind; their connection
// and their channel are heard in any order; clients leave; next dev compiles, changes and goes. Whatever
// comes, each request ends once, no exchange is left open, no lease is left over, and nobody waits for ever.
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <queue>
#include <set>

#include "core/core.hpp"
#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::core;
using namespace vsim::test;
using instance::InstanceId;

namespace {

struct House : core::Senses {
  struct Exchange {
    InstanceId on = InstanceId::none;
    bool connected = false, head_sent = false, passed_on = false;
    std::uint64_t turn = 0;  // of being sent somewhere: what an earlier one had planned is void
  };
  struct Process {
    bool busy = false;  // its event loop
    std::set<InvocationId> has;
  };

  House(std::uint64_t seed, profile::Isolation isolation, Compute compute)
      : rng(seed),
        profile(make_profile(Plan::hobby, compute)),
        core(profile, SimWorld::isolated(isolation), recorder, *this),
        engine(core.engine()) {
    core.isolate(options(isolation));
    tell([&](auto& m, auto& out) { core.start(m, out); });
  }
  ExchangeTotals totals(InvocationId) const override { return {}; }
  bool busy(InstanceId) const override { return false; }
  void on_state(InstanceId, const instance::InstanceState&, const instance::InstanceState&, instance::GroupId,
                TimePoint) override {}
  static instance::SchedulerOptions options(profile::Isolation isolation) {
    instance::SchedulerOptions o;
    o.isolation = isolation;
    o.freeze_idle = isolation == profile::Isolation::instance;
    o.spares = 1;
    o.bound_functions = 1;
    return o;
  }

  std::uint64_t pick(std::uint64_t n) { return rng.next() % n; }
  bool chance(std::uint64_t percent) { return pick(100) < percent; }
  Duration soon() { return chance(30) ? Duration{} : Duration(pick(120) * 1'000'000); }
  void later(Duration d, std::function<void()> f) { plans.push({now + d, ++planned, std::move(f)}); }

  // --- Clients and next dev
  void request() {
    engine::RequestInfo r;
    r.method = "GET";
    r.target = r.path = "/a";
    const auto a = engine.admit(r, now, wall());
    REQUIRE(a.id != InvocationId::none);
    const InvocationId id = a.id;
    exchanges[id] = {};
    ++admitted;
    if (chance(20) && !running.empty()) core.called_by(id, *running.begin());
    later(soon(), [this, id] { route(id); });
    if (chance(15)) later(soon() + soon(), [this, id] { leave(id); });
    if (chance(3))
      later(soon(), [this, id] {
        tell([&](auto& m, auto& out) {
          if (exchanges.contains(id) && core.request_body_over(id, m, out) != Code::none) over(id);
        });
      });
  }
  void route(InvocationId id) {
    if (!exchanges.contains(id) || gone) return close(id, UpstreamFailure::refused);
    if (chance(40)) {
      core.compile_started(id, now);
      return later(soon() + 300ms, [this, id] {
        core.compile_ended(id, now);
        dispatch(id);
      });
    }
    dispatch(id);
  }
  void dispatch(InvocationId id) {
    if (!exchanges.contains(id)) return;
    if (gone) return close(id, UpstreamFailure::refused);
    const std::string_view page = pick(2) == 0 ? "/a/route" : "/b/route";
    engine.dispatched(id, {page, routes::Kind::app_route}, now);
    // It may count a change that is told later, or never.
    const std::uint64_t generation = told + (chance(10) ? 1 : 0);
    tell([&](auto& m, auto& out) {
      core.request(id, {page, "APP_ROUTE", "nodejs", {}}, generation, m, out);
    });
  }
  void leave(InvocationId id) {
    if (!exchanges.contains(id)) return;
    bool goes_on = false;
    tell([&](auto& m, auto& out) { goes_on = core.client_left(id, m, out); });
    if (!goes_on && exchanges.contains(id)) end(id);
  }
  void change() {
    instance::CodeChange c;
    c.generation = ++told;
    c.all_code = true;
    tell([&](auto& m, auto& out) { core.changed(c, m, out); });
  }

  // --- A connection
  void end(InvocationId id) {
    if (exchanges.erase(id) > 0) tell([&](auto& m, auto& out) { core.ended(id, {}, m, out); });
  }
  void close(InvocationId id, UpstreamFailure failure) {
    const auto it = exchanges.find(id);
    if (it == exchanges.end()) return;
    it->second.connected = false;
    tell([&](auto& m, auto& out) {
      const auto answer = core.connection_failed(id, failure, {}, m, out);
      if (!answer.waits) over(id);
    });
  }
  void over(InvocationId id) { REQUIRE(exchanges.erase(id) == 1); }

  // --- A function on an instance
  void serve(InvocationId id, InstanceId on) {
    Exchange& e = exchanges[id];
    e.on = on;
    e.connected = true;
    e.head_sent = false;
    const std::uint64_t turn = ++e.turn;
    processes[on].has.insert(id);
    running.insert(id);
    // Each line keeps its order; how they are heard beside each other is the seed's.
    const auto still = [this, id, turn] {
      const auto it = exchanges.find(id);
      return it != exchanges.end() && it->second.turn == turn && it->second.connected;
    };
    const auto lives = [this, id, on] { return processes.contains(on) && processes[on].has.contains(id); };
    later(soon(), [this, id, on, lives] {
      if (lives()) tell([&](auto& m, auto& out) { core.handler_started(on, id, m, out); });
    });
    const std::uint64_t what = pick(12);
    const Duration first = soon(), second = first + soon(), done = soon() + 20ms;
    if (what == 0) return;                                                               // hangs
    if (what == 1) return later(second, [this, on] { die(on, "exited with code 1"); });  // takes all along
    if (what == 2) {                                                                     // only itself
      return later(second, [this, id, on, lives] {
        if (!lives() || !core.holds(on, id)) return;
        const auto it = exchanges.find(id);
        const bool goes_on = it != exchanges.end() && it->second.passed_on;  // elsewhere
        if (goes_on) return;
        processes[on].has.erase(id);
        tell([&](auto& m, auto& out) { core.crashed(on, id, "i exited with code 7", m, out); });
        REQUIRE_FALSE(exchanges.contains(id));  // its connection would not end by itself
      });
    }
    if (what == 3) return later(first, [this, on] { processes[on].busy = true; });  // and answers nobody
    if (what == 4) {
      later(first, [this, id, still] {
        if (!still()) return;
        core.passed_on(id);
        later(soon(), [this, id, still] {
          if (!still()) return;
          core.again(id, now);
          exchanges[id].passed_on = true;
          ++exchanges[id].turn;
          if (gone) return close(id, UpstreamFailure::refused);
          later(soon(), [this, id] { dispatch(id); });
        });
      });
      if (chance(20)) return static_cast<void>(silent.insert(on));  // and never says that it is done with it
      return later(done, [this, id, on] { give_back(id, on, 0); });
    }
    if (what == 5) {
      later(first, [this, id, on, lives] {
        if (lives())
          tell([&](auto& m, auto& out) { core.broken_off(on, id, {"aborted", "a.ts:1:1"}, m, out); });
      });
      later(second, [this, id, still] {
        if (still()) close(id, UpstreamFailure::reset);
      });
      return later(done, [this, id, on] { give_back(id, on, 0); });
    }
    later(first, [this, id, still] {
      if (!still()) return;
      engine::ResponseInfo info;
      info.status = 200;
      tell([&](auto& m, auto& out) {
        if (core.response_head(id, info, m, out) != Code::none) over(id);
      });
      if (const auto it = exchanges.find(id); it != exchanges.end()) it->second.head_sent = true;
    });
    if (what != 6)
      later(second, [this, id, still, what] {
        if (!still()) return;
        what == 7 ? close(id, UpstreamFailure::truncated) : end(id);
      });
    if (what != 8) later(what == 9 ? done + 12s : done, [this, id, on, what] { give_back(id, on, what); });
  }
  void give_back(InvocationId id, InstanceId on, std::uint64_t what) {
    if (!processes.contains(on)) return;
    if (processes[on].busy) silent.insert(on);
    if (processes[on].busy || processes[on].has.erase(id) == 0) return;
    const std::vector<Hanging> left(what == 10 ? 1 : 0, Hanging{"timeout", "a.ts:1:2", 5s});
    tell([&](auto& m, auto& out) { core.done(on, id, left, false, m, out); });
  }
  // Its connections end now or a moment later, and its death is told at some time.
  void die(InstanceId id, std::string cause) {
    const auto it = processes.find(id);
    if (it == processes.end()) return;
    processes.erase(it);
    for (const auto& [of, e] : exchanges)
      if (e.on == id && e.connected)
        later(soon(), [this, invocation = of, turn = e.turn] {
          const auto x = exchanges.find(invocation);
          if (x != exchanges.end() && x->second.turn == turn && x->second.connected)
            close(invocation, x->second.head_sent ? UpstreamFailure::truncated : UpstreamFailure::reset);
        });
    later(soon(), [this, id, cause = std::move(cause)] {
      tell([&](auto& m, auto& out) { core.exited(id, {instance::Death::Kind::exited, 1}, cause, m, out); });
    });
  }

  // --- The shell
  template <class F>
  void tell(F f) {
    const Moment moment{now, wall()};
    f(moment, commands.asked());
    commands.carry_out([&](CoreCommand& c) { std::visit([&](auto& x) { obey(x); }, c); });
  }
  template <class F>
  void scheduler(F f) {
    tell([&](auto& m, auto& out) { core.schedule(m, out, f); });
  }
  void obey(EndExchange& c) {
    if (c.how == EndExchange::How::answer) REQUIRE_FALSE(exchanges.at(c.id).head_sent);
    over(c.id);
  }
  void obey(Expire& c) {
    REQUIRE(core.holds(c.instance, c.id));
    if (chance(50)) later(soon(), [this, id = c.id, on = c.instance] { give_back(id, on, 0); });
  }
  void obey(SendTo& c) {
    const auto it = exchanges.find(c.id);
    REQUIRE(it != exchanges.end());  // who is over before it is placed is withdrawn
    it->second.passed_on = false;
    if (!processes.contains(c.instance))  // it is dead, and nobody has said so yet
      return later(soon(), [this, id = c.id] { close(id, UpstreamFailure::refused); });
    serve(c.id, c.instance);
  }
  void obey(instance::Spawn& c) {
    processes[c.id];
    if (chance(5)) return later(soon(), [this, id = c.id] { die(id, "could not start"); });
    later(soon() + 50ms, [this, id = c.id] {
      if (processes.contains(id)) scheduler([&](auto& s, TimePoint t, auto& out) { s.ready(id, t, out); });
    });
  }
  void obey(instance::Bind& c) {
    later(soon(), [this, id = c.id] {
      if (processes.contains(id)) scheduler([&](auto& s, TimePoint t, auto& out) { s.bound(id, t, out); });
    });
  }
  void obey(instance::Ping& c) {
    later(soon(), [this, id = c.id] {
      if (processes.contains(id) && !processes[id].busy)
        tell([&](auto& m, auto& out) { core.pong(id, m, out); });
    });
  }
  void obey(instance::Kill& c) {
    later(soon(), [this, id = c.id] { die(id, "killed"); });
  }
  void obey(Remark& c) {
    if (c.what.find("left a request to the next route") == std::string::npos) return;
    REQUIRE(std::any_of(silent.begin(), silent.end(), [&](InstanceId id) {
      return c.what.starts_with("i" + std::to_string(static_cast<std::uint64_t>(id)) + " ");
    }));
  }
  template <class Other>
  void obey(Other&) {}

  // --- Time
  void run(Duration d) {
    const TimePoint until = now + d;
    for (;;) {
      TimePoint next = plans.empty() ? TimePoint::max() : plans.top().at;
      if (const auto due = core.next_wakeup()) next = std::min(next, std::max(*due, now));
      if (next > until) break;
      now = next;
      if (!plans.empty() && plans.top().at <= now) {
        auto act = plans.top().act;
        plans.pop();
        act();
      }
      if (const auto due = core.next_wakeup(); due && *due <= now)
        tell([&](auto& m, auto& out) { core.wake(m, out); });
    }
    now = until;
  }
  WallTime wall() const { return wall_of(now); }

  struct Planned {
    TimePoint at;
    std::uint64_t order;
    std::function<void()> act;
    bool operator<(const Planned& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  Rng rng;
  const profile::Profile profile;
  Recorder recorder;
  Core core;
  engine::Engine& engine;
  TimePoint now{Duration(1h)};
  std::map<InvocationId, Exchange> exchanges;
  std::map<InstanceId, Process> processes;
  std::set<InvocationId> running;
  std::set<InstanceId> silent;
  InOrder<CoreCommand> commands;
  bool gone = false;
  std::uint64_t told = 0, planned = 0;
  std::size_t admitted = 0;
  std::priority_queue<Planned> plans;
};

void play(std::uint64_t seed, profile::Isolation isolation, Compute compute) {
  House h(seed, isolation, compute);
  for (int i = 0; i < 60; ++i) {
    h.request();
    if (h.chance(8)) h.change();
    if (h.chance(2)) {
      h.gone = true;
      h.tell([&](auto& m, auto& out) { h.core.gone(m, out); });
      h.told = 0;
      h.later(400ms, [&h] { h.gone = false; });
    }
    h.run(Duration(h.pick(200) * 1'000'000));
  }
  h.run(1h);
  h.tell([&](auto& m, auto& out) { h.core.stop(m, out); });
  h.run(1h);
  const std::set<InvocationId> open = [&] {
    std::set<InvocationId> out;
    for (const auto& [id, e] : h.exchanges) out.insert(id);
    return out;
  }();
  for (const InvocationId id : open) h.end(id);  // clients whose function never answers, and has no limit
  h.run(1h);
  CAPTURE(open.size());
  REQUIRE(h.recorder.ended_ids.size() == h.admitted);
  REQUIRE(h.core.passages() == 0);
  REQUIRE(h.engine.active() == 0);
  REQUIRE(h.engine.lingering() == 0);
  const auto totals = h.core.scheduler_totals();
  REQUIRE(totals.granted == totals.returned);
  REQUIRE(totals.waiting == 0);
  REQUIRE(totals.holding == 0);
  REQUIRE(open.empty());
}

}  // namespace

TEST_CASE(
    "house: whatever instances, clients and code do, in whatever order they tell of it, each request ends "
    "once") {
  for (const auto& [isolation, compute] : {std::pair(profile::Isolation::invocation, Compute::serverless),
                                           std::pair(profile::Isolation::instance, Compute::serverless),
                                           std::pair(profile::Isolation::fluid, Compute::fluid)})
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
      CAPTURE(profile::to_string(isolation), seed);
      play(seed, isolation, compute);
    }
}
