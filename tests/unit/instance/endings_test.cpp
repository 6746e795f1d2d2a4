// Deadlines, deaths, changed code, freezing, leases: and what other emulators got wrong.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

// Requests 1..n placed on instances as the policy has it, handlers called, the log empty.
struct Running {
  Sim w;
  FunctionId f;
  Running(SchedulerOptions o, int n) : w(o), f(w.define("/a")) {
    for (int k = 1; k <= n; ++k) w.request(k, f);
    for (bool again = true; again;) {
      again = false;
      for (auto& [id, p] : w.processes)
        if (!p.ready) {
          again = true;
          w.ready(num(id));
          break;
        }
    }
    for (int k = 1; k <= n; ++k) w.handler(k);
    w.said();
  }
};
SchedulerOptions plain(Isolation isolation) { return Sim::plain(isolation); }

}  // namespace

TEST_CASE("deadline, serverless: the instance is killed at once and the next request gets another") {
  for (const auto isolation : {Isolation::invocation, Isolation::instance}) {
    Running r(plain(isolation), 1);
    r.w.timed_out(1);
    CHECK(r.w.said() == "kill i1 deadline\n");
    r.w.request(2, r.f);
    CHECK(r.w.said() == "spawn i2\n");
    r.w.exited(1);
    r.w.ready(2);
    CHECK(r.w.said() == "place 2 i2 cold\n");
  }
}

TEST_CASE("deadline, fluid: neighbours live on if the event loop answers, then the instance goes") {
  Running r(plain(Isolation::fluid), 3);
  r.w.timed_out(2);
  CHECK(r.w.said() == "ping i1\n");
  CHECK(r.w.state(1) == "retired");
  r.w.request(4, r.f);
  CHECK(r.w.said() == "spawn i2\n");  // no new work for it
  r.w.pong(1);
  r.w.advance(20s);
  r.w.ready(2);
  CHECK(r.w.said() == "place 4 i2 cold waited 20s\n");
  r.w.handler(4);
  r.w.release(1);
  CHECK(r.w.said() == "");
  r.w.release(3);
  CHECK(r.w.said() == "kill i1 deadline\n");
}

TEST_CASE("deadline, fluid: an event loop that does not answer takes its neighbours with it") {
  Running r(plain(Isolation::fluid), 3);
  r.w.timed_out(2);
  r.w.said();
  r.w.advance(r.w.options.ping_limit - 1ns);
  CHECK(r.w.said() == "");
  r.w.advance(1ns);
  CHECK(r.w.said() ==
        "kill i1 unresponsive\n"
        "lost 1 i1 FUNCTION_INVOCATION_FAILED unresponsive\n"
        "lost 3 i1 FUNCTION_INVOCATION_FAILED unresponsive\n");
  r.w.release(1);  // what is lost is still to be given back, and changes nothing
  r.w.timed_out(3);
  CHECK(r.w.said() == "");
  CHECK(r.w.scheduler.totals().returned == 3);
}

TEST_CASE(
    "deadline, fluid: one alone on its instance is killed with it; a second one while asked, asks no more") {
  Running alone(plain(Isolation::fluid), 1);
  alone.w.timed_out(1);
  CHECK(alone.w.said() == "kill i1 deadline\n");
  Running three(plain(Isolation::fluid), 3);
  three.w.timed_out(1);
  three.w.timed_out(2);
  CHECK(three.w.said() == "ping i1\n");
  three.w.timed_out(3);
  CHECK(three.w.said() == "kill i1 deadline\n");
}

TEST_CASE(
    "an event loop that begins nothing, with nothing running on it, is asked whether it lives, and ended") {
  for (const auto isolation : {Isolation::instance, Isolation::fluid}) {
    Running r(plain(isolation), 1);
    r.w.release(1);
    r.w.said();
    r.w.request(2, r.f);
    r.w.advance(r.w.options.turn_limit - 1ns);
    CHECK(r.w.said().find("ping") == std::string::npos);
    r.w.advance(1ns);
    CHECK(r.w.said() == "ping i1\n");
    r.w.advance(r.w.options.ping_limit);
    CHECK(r.w.said() == "kill i1 unresponsive\nlost 2 i1 FUNCTION_INVOCATION_FAILED unresponsive\n");
  }
}

TEST_CASE(
    "an event loop that answers, or whose handlers have limits of their own, is not ended for silence") {
  Running answers(plain(Isolation::fluid), 1);
  answers.w.release(1);
  answers.w.request(2, answers.f);
  answers.w.advance(answers.w.options.turn_limit);
  CHECK(answers.w.said() == "place 2 i1 warm\nping i1\n");
  answers.w.pong(1);
  answers.w.advance(answers.w.options.ping_limit);
  CHECK(answers.w.said() == "");
  answers.w.handler(2);
  answers.w.advance(60s);
  CHECK(answers.w.said() == "");

  Running beside(plain(Isolation::fluid), 1);  // 1 runs
  beside.w.request(2, beside.f);
  beside.w.said();
  beside.w.advance(60s);
  CHECK(beside.w.said() == "");

  Running compiles(plain(Isolation::fluid), 1);
  compiles.w.release(1);
  compiles.w.request(2, compiles.f);
  compiles.w.said();
  compiles.w.dev_call(1, true);
  compiles.w.advance(60s);
  CHECK(compiles.w.said() == "");
}

TEST_CASE("an error that nobody caught: the instance takes no more, the others on it finish, then it ends") {
  Running r(plain(Isolation::fluid), 3);
  r.w.failing(1);
  CHECK(r.w.state(1) == "retired");
  CHECK(r.w.said() == "");
  r.w.request(4, r.f);
  CHECK(r.w.said() == "spawn i2\n");
  r.w.release(1);
  r.w.release(3);
  CHECK(r.w.said() == "");
  r.w.exited(1, {Death::Kind::exited, 129});  // it does not wait for the one whose error it was
  CHECK(r.w.said() == "lost 2 i1 FUNCTION_INVOCATION_FAILED none\n");
  r.w.failing(1);
  CHECK(r.w.said() == "");

  Running done(plain(Isolation::fluid), 1);
  done.w.failing(1);
  done.w.release(1);  // it has answered nevertheless
  CHECK(done.w.said() == "kill i1 failed\n");

  Running idle(plain(Isolation::fluid), 1);
  idle.w.release(1);
  idle.w.failing(1);
  CHECK(idle.w.said() == "kill i1 failed\n");
}

TEST_CASE("modules that are not evaluated in time end the invocation; those that are, do not") {
  Sim w(plain(Isolation::instance));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.said();
  w.advance(w.options.init_limit - 1ns);
  CHECK(w.said() == "");
  w.advance(1ns);
  CHECK(w.said() == "lost 1 i1 FUNCTION_INVOCATION_TIMEOUT init_timeout\nkill i1 init_timeout\n");
  w.release(1);
  w.request(2, f);
  w.ready(2);
  w.advance(w.options.init_limit - 1ns);
  w.handler(2);
  w.said();
  w.advance(1h);
  CHECK(w.said() == "");
  w.release(2);
  w.request(3, f);  // evaluated already: no limit any more, while its event loop turns
  for (int k = 0; k < 3; ++k) {
    w.advance(w.options.init_limit);
    w.pong(2);
  }
  CHECK(w.lost.size() == 1);
}

TEST_CASE("a compile under module evaluation is not charged to it") {
  Sim w(plain(Isolation::instance));
  w.request(1, w.define("/a"));
  w.ready(1);
  w.advance(4s);
  w.dev_call(1, true);
  w.dev_call(1, true);
  w.advance(60s);
  w.dev_call(1, false);
  w.advance(60s);
  w.dev_call(1, false);
  CHECK(w.lost.empty());
  w.said();
  w.advance(6s - 1ns);
  CHECK(w.said() == "");
  w.advance(1ns);
  CHECK(w.lost.at(inv(1)) == Code::function_invocation_timeout);
}

TEST_CASE("deadline, fluid: an event loop that gets no processor is given the time it waits for one") {
  Running r(plain(Isolation::fluid), 3);
  r.w.waited = 5s;
  r.w.timed_out(2);
  r.w.said();
  r.w.waited += 900ms;
  r.w.advance(r.w.options.ping_limit + 900ms - 1ns);
  CHECK(r.w.said() == "");
  r.w.advance(1ns);
  CHECK(r.w.said().starts_with("kill i1 unresponsive\n"));
}

TEST_CASE("modules are not evaluated while there is no processor: that time is not counted") {
  Sim w(plain(Isolation::instance));
  w.request(1, w.define("/a"));
  w.ready(1);
  w.said();
  w.waited = 7s;
  w.advance(10s);
  w.waited = 9s;
  w.advance(7s);
  CHECK(w.lost.empty());
  w.advance(2s - 1ns);
  CHECK(w.lost.empty());
  w.advance(1ns);
  CHECK(w.said() == "lost 1 i1 FUNCTION_INVOCATION_TIMEOUT init_timeout\nkill i1 init_timeout\n");
}

TEST_CASE(
    "fluid: modules that hang end their invocation, and the neighbours finish elsewhere than new ones") {
  Running r(plain(Isolation::fluid), 1);
  const FunctionId g = r.w.define("/b");
  r.w.request(2, g);
  CHECK(r.w.said() == "place 2 i1 warm\n");
  r.w.advance(10s);
  CHECK(r.w.said() == "ping i1\n");
  r.w.pong(1);
  CHECK(r.w.said() == "lost 2 i1 FUNCTION_INVOCATION_TIMEOUT init_timeout\nping i1\n");
  r.w.pong(1);
  r.w.release(2);
  r.w.release(1);
  CHECK(r.w.said() == "kill i1 init_timeout\n");
}

TEST_CASE("fluid: a neighbour that holds up the event loop is no fault of modules that had no turn") {
  Running r(plain(Isolation::fluid), 1);
  r.w.request(2, r.w.define("/b"));
  r.w.said();
  r.w.advance(10s);
  CHECK(r.w.said() == "ping i1\n");
  r.w.advance(25s);  // 1 computes, within its own limit
  CHECK(r.w.said() == "");
  r.w.pong(1);
  CHECK(r.w.said() == "");
  r.w.advance(9s);
  CHECK(r.w.said() == "");
  r.w.handler(2);
  r.w.advance(60s);
  CHECK(r.w.said() == "");
  r.w.release(1);
  r.w.release(2);
  CHECK(r.w.lost.empty());
}

TEST_CASE("an instance that is not ready in time is replaced while its invocation waits on") {
  Sim w(plain(Isolation::invocation));
  w.request(1, w.define("/a"));
  w.said();
  w.advance(w.options.spawn_limit);
  CHECK(w.said() == "kill i1 spawn_timeout\nspawn i2\n");
  w.exited(1);
  CHECK(w.said() == "");
  w.ready(2);
  CHECK(w.said() == "place 1 i2 cold waited 90s\n");
}

TEST_CASE("instances that a busy machine does not get ready are no failure of the function") {
  Sim w(plain(Isolation::invocation));
  w.request(1, w.define("/a"));
  for (int i = 1; i <= 3; ++i) {
    w.advance(w.options.spawn_limit);
    w.exited(i);
  }
  CHECK(w.said().find("refuse 1 SIM_NOT_READY") != std::string::npos);
}

TEST_CASE("instances that the system does not make are no failure of the function") {
  Sim w(plain(Isolation::invocation));
  w.request(1, w.define("/a"));
  for (int i = 1; i <= 3; ++i) w.exited(i, {Death::Kind::lost, 0});
  CHECK(w.said().find("refuse 1 SIM_NOT_READY") != std::string::npos);
}

TEST_CASE("a crash fails all who are on the instance, with the platform's code, and the next request works") {
  const std::pair<Death, std::string> rows[] = {
      {{Death::Kind::exited, 0}, "NO_RESPONSE_FROM_FUNCTION"},
      {{Death::Kind::exited, 7}, "FUNCTION_INVOCATION_FAILED"},
      {{Death::Kind::signaled, 11}, "FUNCTION_INVOCATION_FAILED"},
      {{Death::Kind::out_of_memory, 0}, "FUNCTION_INVOCATION_FAILED"},
      {{Death::Kind::lost, 0}, "FUNCTION_INVOCATION_FAILED"},
  };
  for (const auto& [death, code] : rows) {
    Running r(plain(Isolation::fluid), 2);
    r.w.exited(1, death);
    CHECK(r.w.said() == "lost 1 i1 " + code + " none\nlost 2 i1 " + code + " none\n");
    r.w.request(3, r.f);
    r.w.ready(2);
    CHECK(r.w.said() == "spawn i2\nplace 3 i2 cold\n");
  }
}

TEST_CASE("an instance that uses too much memory may be condemned, whoever is on it") {
  Running r(plain(Isolation::instance), 1);
  r.w.call([&] { r.w.scheduler.condemn(ins(1), Why::memory_limit, r.w.now, r.w.out); });
  CHECK(r.w.said() == "kill i1 memory_limit\nlost 1 i1 FUNCTION_INVOCATION_FAILED memory_limit\n");
}

TEST_CASE("changed code: what is at work finishes and goes, what is idle goes, new requests get new code") {
  SchedulerOptions o = plain(Isolation::instance);
  Running r(o, 2);
  r.w.release(2);
  const FunctionId other = r.w.define("/page", Pool::app_page);
  r.w.request(3, other);
  r.w.ready(3);
  r.w.handler(3);
  r.w.release(3);
  r.w.said();
  r.w.changed({.functions = {r.f}});
  CHECK(r.w.said() == "kill i2 stale\n");
  CHECK(r.w.state(1) == "retired");
  CHECK(r.w.state(3) == "idle");  // another function's
  r.w.request(4, r.f);
  CHECK(r.w.said() == "spawn i4\n");
  r.w.release(1);
  CHECK(r.w.said() == "kill i1 stale\n");  // not for 4, although it waits and this one is free
  r.w.ready(4);
  CHECK(r.w.said() == "place 4 i4 cold\n");
}

TEST_CASE("an instance tells the generation of its code, loaded by binding or by its first invocation") {
  SchedulerOptions o = plain(Isolation::invocation);
  o.spares = 1;
  o.bound_functions = 1;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.changed({.all_code = true});
  w.request(1, f);
  CHECK(w.scheduler.instance(ins(1))->generation == 1);
  w.changed({.all_code = true});
  CHECK(w.scheduler.instance(ins(1))->generation == 1);
  w.release(1);
  w.exited(1);
  w.advance(2s);
  w.ready(2);
  CHECK(w.state(2) == "binding");
  CHECK(w.scheduler.instance(ins(2))->generation == 2);
}

TEST_CASE("what a change touches: functions, groups, files, all code, the environment") {
  SchedulerOptions o = plain(Isolation::instance);
  o.spares = 1;
  const auto after_change = [&](const std::function<CodeChange(Sim&, FunctionId)>& change, bool tell_files) {
    Sim w(o);
    w.start();
    w.ready(1);
    const FunctionId f = w.define("/a");
    w.request(1, f);
    w.handler(1);
    w.release(1);
    w.advance(1s);
    w.ready(2);
    if (tell_files)
      w.call([&] { w.scheduler.loaded(ins(1), {"app/a/route.ts", "lib/db.ts"}, w.now, w.out); });
    w.call([&] { w.scheduler.invalidate(change(w, f), w.now, w.out); });
    const auto stale = [&](int i) { return w.state(i) == "dying"; };
    return std::pair(stale(1), stale(2));
  };
  using P = std::pair<bool, bool>;  // the idle instance, the unbound spare
  CHECK(after_change([](Sim&, FunctionId f) { return CodeChange{1, false, false, {}, {f}, {}}; }, false) ==
        P(true, false));
  CHECK(after_change([](Sim& w, FunctionId) { return CodeChange{1, false, false, {}, {w.define("/b")}, {}}; },
                     false) == P(false, false));
  CHECK(after_change(
            [](Sim& w, FunctionId f) {
              return CodeChange{1, false, false, {w.scheduler.groups().group_of(f)}, {}, {}};
            },
            false) == P(true, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, true, {}, {}, {}}; }, false) ==
        P(true, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, true, false, {}, {}, {}}; }, false) ==
        P(true, true));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, false, {}, {}, {"lib/db.ts"}}; },
                     true) == P(true, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, false, {}, {}, {"lib/no.ts"}}; },
                     true) == P(false, false));
  CHECK(after_change([](Sim&, FunctionId) { return CodeChange{1, false, false, {}, {}, {"lib/no.ts"}}; },
                     false) == P(true, false));
}

TEST_CASE("a spare whose binding an edit overtakes is never handed out") {
  SchedulerOptions o = plain(Isolation::invocation);
  o.spares = 1;
  o.bound_functions = 1;
  Sim w(o);
  const FunctionId f = w.define("/a");
  w.start();
  w.ready(1);
  w.request(1, f);
  w.release(1);
  w.exited(1);
  w.advance(50ms);
  w.ready(2);
  CHECK(w.said().ends_with("bind i2 f1\n"));
  w.changed({.functions = {f}});
  CHECK(w.said() == "kill i2 stale\n");
  w.bound(2);  // late news
  w.request(2, f);
  CHECK(w.said() == "spawn i3\n");
}

TEST_CASE("a function that moves to another group by an edit of its config leaves its old instances alone") {
  Running r(plain(Isolation::instance), 1);
  r.w.release(1);
  r.w.said();
  FunctionConfig longer;
  longer.max_duration = 60s;
  CHECK(r.w.define("/a", Pool::app_route, longer) == r.f);
  r.w.request(2, r.f);
  CHECK(r.w.said() == "spawn i2\n");
}

TEST_CASE("an instance with an open call to next dev is not frozen before it is closed") {
  Running r(plain(Isolation::instance), 1);
  r.w.dev_call(1, true);
  r.w.release(1);
  CHECK(r.w.said() == "");
  r.w.dev_call(1, false);
  CHECK(r.w.said() == "freeze i1\n");
  r.w.dev_call(1, true);  // it was on its way when the freeze came
  CHECK(r.w.said() == "thaw i1\n");
  r.w.dev_call(1, false);
  CHECK(r.w.said() == "freeze i1\n");
}

TEST_CASE("a frozen instance is not dead: it is kept until its expiry, and answers after a thaw") {
  Running r(plain(Isolation::instance), 1);
  r.w.release(1);
  r.w.said();
  r.w.advance(r.w.options.idle_expiry - 1ns);
  CHECK(r.w.said() == "");
  r.w.request(2, r.f);
  CHECK(r.w.said() == "thaw i1\nplace 2 i1 warm\n");
  r.w.release(2);
  r.w.said();
  r.w.advance(r.w.options.idle_expiry);
  CHECK(r.w.said() == "kill i1 idle\n");
}

TEST_CASE("the end of everything: all are killed, who waits is refused, who comes too") {
  SchedulerOptions o = plain(Isolation::instance);
  o.max_instances = 1;
  Running r(o, 1);
  r.w.request(2, r.f);
  r.w.stop();
  CHECK(r.w.said() == "refuse 2 SIM_NOT_READY\nkill i1 shutdown\nlost 1 i1 SIM_NOT_READY shutdown\n");
  r.w.request(3, r.f);
  CHECK(r.w.said() == "refuse 3 SIM_NOT_READY\n");
  r.w.exited(1);
  CHECK(r.w.said() == "");
  CHECK_FALSE(r.w.scheduler.next_wakeup());
}

TEST_CASE("one who ends while waiting is not placed, and its instance becomes a spare") {
  Sim w(plain(Isolation::invocation));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.withdraw(1);
  w.ready(1);
  w.said();
  w.request(2, f);
  CHECK(w.said() == "place 2 i1 spare\n");
}

TEST_CASE("a lease that is let go is noticed; one that was moved from does nothing; none ends twice") {
  Running r(plain(Isolation::instance), 1);
  r.w.drop(1);
  REQUIRE(r.w.scheduler.next_wakeup() == r.w.now);
  r.w.advance(0s);
  CHECK(r.w.said() == "freeze i1\n");
  CHECK(r.w.scheduler.totals().holding == 0);
  r.w.request(2, r.f);
  Lease a = std::move(r.w.leases.extract(inv(2)).mapped());
  r.w.processes.at(ins(1)).holders.clear();
  Lease b = std::move(a);
  CHECK_FALSE(a);
  CHECK(b);
  r.w.said();
  std::vector<SchedulerCommand> out;
  r.w.scheduler.release(std::move(a), r.w.now, out);
  CHECK(out.empty());
  r.w.scheduler.release(std::move(b), r.w.now, out);
  CHECK(out.size() == 1);
  CHECK(r.w.scheduler.totals().granted == 2);
  CHECK(r.w.scheduler.totals().returned == 2);
}

TEST_CASE("a process that ends with a lease let go on it is not killed after its end") {
  Running r(plain(Isolation::invocation), 1);
  r.w.drop(1);
  r.w.exited(1);
  CHECK(r.w.said() == "");
  CHECK(r.w.scheduler.totals().holding == 0);
}

TEST_CASE("a lease may outlive its scheduler") {
  std::vector<SchedulerCommand> out;
  Lease lease;
  {
    Scheduler s(Sim::plain(Isolation::none));
    s.request({inv(1), s.define({"/a"})}, TimePoint{}, out);
    lease = std::move(std::get<Placement>(out.front()).lease);
  }
  CHECK(lease);
}

// serverless-offline: get() twice before the first call had begun returned the same instance to both.
TEST_CASE("two requests at the same moment never get the same instance where it has one slot") {
  SchedulerOptions o = plain(Isolation::instance);
  o.spares = 2;
  Sim w(o);
  w.start();
  w.ready(1);
  w.ready(2);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.request(2, f);
  CHECK(w.placed.at(inv(1)).instance != w.placed.at(inv(2)).instance);
}

// serverless-offline: the timer of call 1 was still armed when call 2 ran on the same instance.
TEST_CASE("the deadline and the init limit of one invocation never hit the next one on the same instance") {
  Sim w(plain(Isolation::instance));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.advance(9s);
  w.release(1);  // its handler was never called, its init limit is 1 s away
  w.request(2, f);
  w.said();
  w.advance(5s);
  CHECK(w.said() == "");
  Lease late = std::move(w.leases.extract(inv(2)).mapped());
  w.processes.at(ins(1)).holders.clear();
  w.call([&] { w.scheduler.release(std::move(late), w.now, w.out); });
  w.request(3, f);
  w.said();
  w.call([&] { w.scheduler.timed_out(std::move(late), w.now, w.out); });
  CHECK(w.said() == "");
}

// RIE and serverless-offline: after a timeout or a crash the dead runtime was handed out again.
TEST_CASE(
    "an instance that is dead, dying or retired is never handed out, and late news of it change nothing") {
  Running r(plain(Isolation::instance), 1);
  r.w.timed_out(1);
  r.w.said();
  r.w.ready(1);
  r.w.bound(1);
  r.w.pong(1);
  r.w.dev_call(1, true);
  r.w.dev_call(1, false);
  r.w.handler(1);
  r.w.left(1);
  r.w.request(2, r.f);
  CHECK(r.w.said() == "spawn i2\n");
  r.w.exited(1);
  for (int i : {1, 99}) {
    r.w.call([&] { r.w.scheduler.ready(ins(i), r.w.now, r.w.out); });
    r.w.call([&] { r.w.scheduler.exited(ins(i), {}, r.w.now, r.w.out); });
    r.w.call([&] { r.w.scheduler.condemn(ins(i), Why::memory_limit, r.w.now, r.w.out); });
    r.w.call([&] { r.w.scheduler.memory(ins(i), 5, r.w.now, r.w.out); });
  }
  CHECK(r.w.said() == "");
}
