// What the fleet's real processes show one order of: which invocation has which instance, and what is said of
// one that has none any more. Instances stand on paper, time moves when a test says so, and each command is
// obeyed as the shell does; each invocation is told of one ending at most, and no lease is left over.
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/placements.hpp"

using namespace vsim;
using namespace vsim::core;
using namespace std::chrono_literals;
using instance::InstanceId;
using limits::Code;
using profile::Isolation;

namespace {

using Strings = std::vector<std::string>;

struct PlacementWorld {
  explicit PlacementWorld(Isolation isolation = Isolation::invocation)
      : placements(options(isolation), nullptr) {
    a = placements.define({"/a/route", instance::Pool::app_route, {}}, "/a");
    b = placements.define({"/b/route", instance::Pool::app_route, {}}, "/b");
    tell([&](auto& p, auto& out) { p.start(now, out); });
  }
  static instance::SchedulerOptions options(Isolation isolation) {
    instance::SchedulerOptions o;
    o.isolation = isolation;
    o.freeze_idle = false;
    o.spares = o.bound_functions = 0;
    o.early_patience = 1s;
    o.spread = 1;
    return o;
  }

  static InvocationId inv(int n) { return static_cast<InvocationId>(n); }
  static InstanceId ins(int n) { return static_cast<InstanceId>(n); }
  void ask(int n, std::uint64_t generation = 0) {
    tell([&](auto& p, auto& out) { p.request(inv(n), a, InvocationId::none, generation, now, out); });
  }
  void give_back(int n) {
    tell([&](auto& p, auto& out) { p.give_back(inv(n), false, now, out); });
  }
  void change(std::uint64_t generation) {
    instance::CodeChange c;
    c.generation = generation;
    c.all_code = true;
    tell([&](auto& p, auto& out) { p.changed(c, now, out); });
  }
  void exit(int i, std::string cause) {
    tell([&](auto& p, auto& out) {
      p.exited(ins(i), {instance::Death::Kind::exited, 1}, std::move(cause), now, out);
    });
  }
  void advance(Duration d) {
    const TimePoint until = now + d;
    for (auto next = placements.next_wakeup(); next && *next <= until; next = placements.next_wakeup()) {
      now = std::max(now, *next);
      tell([&](auto& p, auto& out) { p.wake(now, out); });
    }
    now = until;
  }
  // Commands in their order; what carrying one out tells the core is obeyed behind the rest.
  template <class F>
  void tell(F f) {
    f(placements, commands.asked());
    commands.carry_out([&](PlacementCommand& c) { std::visit([&](auto& x) { obey(x); }, c); });
  }
  void obey(instance::Spawn& c) {
    if (spawns)
      tell([&](auto& p, auto& out) {
        p.tell(now, out, [&](auto& s, TimePoint t, auto& more) { s.ready(c.id, t, more); });
      });
  }
  void obey(instance::Kill& c) {
    said.push_back("kill i" + std::to_string(static_cast<int>(c.id)));
    if (dies) exit(static_cast<int>(c.id), "killed");
  }
  void obey(InstanceGiven& c) {
    REQUIRE(ending.count(c.id) == 0);
    said.push_back("given " + text(c.id) + " i" + std::to_string(static_cast<int>(c.instance)));
    waited[c.id] = c.waited;
    if (not_there) tell([&](auto& p, auto& out) { p.unreachable(c.id, now, out); });
  }
  void obey(InstanceRefused& c) {
    REQUIRE(ending.insert(c.id).second);
    said.push_back("refused " + text(c.id) + " " + std::string(limits::info(c.code).name));
  }
  void obey(InstanceTaken& c) {
    REQUIRE(ending.insert(c.id).second);
    said.push_back("taken " + text(c.id) + " " + std::string(limits::info(c.loss.code).name));
    causes[c.id] = c.loss.cause;
  }
  void obey(ClockStops& c) { said.push_back("clock stops " + text(c.id)); }
  void obey(Remark& c) { remarks.push_back(c.what); }
  template <class Other>
  void obey(Other&) {}

  static std::string text(InvocationId id) { return std::to_string(static_cast<std::uint64_t>(id)); }
  Strings take() { return std::exchange(said, {}); }

  TimePoint now{Duration(1h)};
  Placements placements;
  instance::FunctionId a{}, b{};
  InOrder<PlacementCommand> commands;
  bool spawns = true, dies = true, not_there = false;
  Strings said, remarks;
  std::map<InvocationId, std::string> causes;
  std::map<InvocationId, Duration> waited;
  std::set<InvocationId> ending;
};

}  // namespace

TEST_CASE(
    "placements: nothing is placed before the changes that it has met are known, and the wait is shown") {
  PlacementWorld w;
  w.ask(1, 1);
  w.ask(2, 0);
  CHECK(w.take() == Strings{"given 2 i1"});
  w.advance(300ms);
  w.change(1);
  CHECK(w.take() == Strings{"given 1 i2"});
  CHECK(w.waited[w.inv(1)] == 300ms);
  w.give_back(1);
  w.give_back(2);
  CHECK(w.placements.scheduler().totals().granted == w.placements.scheduler().totals().returned);
}

TEST_CASE(
    "placements: a change that is not told of in time ends the wait honestly: by instances that start anew") {
  PlacementWorld w;
  w.ask(1, 7);
  w.advance(1s);
  CHECK(w.take() == Strings{"given 1 i1"});
  REQUIRE(w.remarks.size() == 1);
  CHECK(w.remarks[0].find("counts a change of the code that it has not told of") != std::string::npos);
}

TEST_CASE(
    "placements: a next dev that is started anew counts its changes from the first; one with a new "
    "environment goes on") {
  for (const bool anew : {false, true}) {
    PlacementWorld w;
    w.change(5);
    w.tell([&](auto& p, auto& out) { anew ? p.gone(w.now, out) : p.environment_changed(w.now, out); });
    const std::uint64_t next = anew ? 1 : 6;
    w.ask(1, next);
    CHECK(w.take().empty());
    w.change(next);
    CHECK(w.take() == Strings{"given 1 i1"});
  }
}

TEST_CASE(
    "placements: passed on, it is placed again when its first instance is done with it, and not before") {
  for (const bool dies : {false, true}) {
    PlacementWorld w;
    w.ask(1);
    CHECK(w.take() == Strings{"given 1 i1"});
    w.placements.passed_on(w.inv(1));
    CHECK_FALSE(w.placements.is_told_of(w.inv(1), w.ins(1)));
    w.ask(1);
    CHECK(w.take().empty());
    if (dies)
      w.exit(1, "i1 exited with code 1");  // no news of a request that goes on elsewhere
    else
      w.give_back(1);
    const Strings said = w.take();
    CHECK(said.back() == "given 1 i2");
    CHECK(w.ending.empty());
    CHECK(w.placements.is_told_of(w.inv(1), w.ins(2)));
  }
}

TEST_CASE(
    "placements: an instance that does not say that it is done with what it passed on is not waited for") {
  PlacementWorld w;
  w.ask(1);
  w.placements.passed_on(w.inv(1));
  w.ask(1);
  w.take();
  w.advance(1s);
  CHECK(w.take() == Strings{"kill i1", "given 1 i2"});
  CHECK(w.remarks.size() == 1);
}

TEST_CASE("placements: one at a breakpoint is waited for, and whoever comes to it has no clock") {
  PlacementWorld w(Isolation::fluid);
  w.ask(1);
  w.tell([&](auto& p, auto& out) { p.debugger(w.ins(1), w.now, out); });
  w.tell([&](auto& p, auto& out) { p.debugger(w.ins(1), w.now, out); });
  w.ask(2);
  CHECK(w.take() == Strings{"given 1 i1", "clock stops 1", "given 2 i1", "clock stops 2"});
  w.placements.passed_on(w.inv(1));
  w.ask(1);
  w.advance(1h);
  CHECK(w.take().empty());
  CHECK(w.remarks.empty());
}

TEST_CASE("placements: a death is told with its cause to each who was there, and to nobody twice") {
  PlacementWorld w(Isolation::fluid);
  w.ask(1);
  w.ask(2);
  w.tell([&](auto& p, auto& out) { p.crashed(w.inv(1), "i1 exited with code 7", w.now, out); });
  w.exit(1, "i1 exited with code 1: uncaught exception: boom");
  w.give_back(1);  // late news
  CHECK(w.causes[w.inv(1)] == "i1 exited with code 7");
  CHECK(w.causes[w.inv(2)] == "i1 exited with code 1: uncaught exception: boom");
}

TEST_CASE(
    "placements: whoever keeps an event loop busy is named by the routes that were late, and no other is "
    "accused") {
  PlacementWorld w(Isolation::fluid);
  w.ask(1);
  w.tell([&](auto& p, auto& out) { p.request(w.inv(2), w.b, InvocationId::none, 0, w.now, out); });
  for (const int n : {1, 2}) w.tell([&](auto& p, auto& out) { p.begun(w.inv(n), w.now, out); });
  w.tell([&](auto& p, auto& out) { p.timed_out(w.inv(1), w.now, out); });
  w.advance(1min);
  REQUIRE(w.remarks.size() == 1);
  CHECK(w.remarks[0].find("after /a had reached its deadline; /b was running there too") !=
        std::string::npos);
  CHECK(w.causes[w.inv(2)].find("another invocation on it passed its deadline") != std::string::npos);
}

TEST_CASE("placements: one whose event loop says that it turns is not killed for what was cut") {
  PlacementWorld w(Isolation::fluid);
  w.ask(1);
  w.ask(2);
  for (const int n : {1, 2}) w.tell([&](auto& p, auto& out) { p.begun(w.inv(n), w.now, out); });
  w.tell([&](auto& p, auto& out) { p.timed_out(w.inv(1), w.now, out); });
  w.tell([&](auto& p, auto& out) { p.pong(w.ins(1), w.now, out); });
  w.advance(1min);
  CHECK(w.remarks.empty());
  CHECK(w.placements.holds(w.inv(2), w.ins(1)));
}

TEST_CASE(
    "placements: when next dev is gone, who waits is refused once, and who is served is served to the end") {
  PlacementWorld w;
  w.ask(1);
  w.spawns = false;
  w.ask(2);
  w.ask(3, 9);
  w.take();
  w.tell([&](auto& p, auto& out) { p.gone(w.now, out); });
  CHECK(w.take() ==
        Strings{"refused 2 NO_RESPONSE_FROM_FUNCTION", "refused 3 NO_RESPONSE_FROM_FUNCTION", "kill i2"});
  CHECK(w.placements.holds(w.inv(1)));
  w.give_back(1);
  CHECK(w.placements.scheduler().totals().holding == 0);
}

TEST_CASE(
    "placements: at the stop all who wait are refused, those who wait for a change too, and whoever comes") {
  PlacementWorld w;
  w.ask(1, 3);
  w.tell([&](auto& p, auto& out) { p.stop(w.now, out); });
  w.ask(2, 3);
  CHECK(w.take() == Strings{"refused 1 SIM_NOT_READY", "refused 2 SIM_NOT_READY"});
}

TEST_CASE(
    "placements: an instance that is not there when a request is sent to it costs that request, and nobody "
    "hangs") {
  PlacementWorld w;
  w.not_there = true;
  w.ask(1);
  CHECK(w.take() == Strings{"given 1 i1", "kill i1", "refused 1 NO_RESPONSE_FROM_FUNCTION"});
  CHECK_FALSE(w.placements.holds(w.inv(1)));
}

TEST_CASE("placements: one that is withdrawn while it waits, for a change or for an instance, gets none") {
  PlacementWorld w;
  w.spawns = false;
  w.ask(1);
  w.ask(2, 4);
  for (const int n : {1, 2}) w.tell([&](auto& p, auto& out) { p.withdraw(w.inv(n), w.now, out); });
  w.change(4);
  w.tell([&](auto& p, auto& out) {
    p.tell(w.now, out, [&](auto& s, TimePoint t, auto& more) { s.ready(w.ins(1), t, more); });
  });
  CHECK(w.take().empty());
}
