// What ends an instance other than the clock and changed code: errors, crashes, starts that fail, the end of
// everything; and what freezing is not.
#include <catch2/catch.hpp>

#include "unit/instance/running.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE("an error that nobody caught: the instance takes no more, the others on it finish, then it ends") {
  Running r(Sim::plain(Isolation::fluid), 3);
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

  Running done(Sim::plain(Isolation::fluid), 1);
  done.w.failing(1);
  done.w.release(1);  // it has answered nevertheless
  CHECK(done.w.said() == "kill i1 failed\n");

  Running idle(Sim::plain(Isolation::fluid), 1);
  idle.w.release(1);
  idle.w.failing(1);
  CHECK(idle.w.said() == "kill i1 failed\n");
}

TEST_CASE("an instance that is not ready in time is replaced while its invocation waits on") {
  Sim w(Sim::plain(Isolation::invocation));
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
  Sim w(Sim::plain(Isolation::invocation));
  w.request(1, w.define("/a"));
  for (int i = 1; i <= 3; ++i) {
    w.advance(w.options.spawn_limit);
    w.exited(i);
  }
  CHECK(w.said().find("refuse 1 SIM_NOT_READY") != std::string::npos);
}

TEST_CASE("instances that the system does not make are no failure of the function") {
  Sim w(Sim::plain(Isolation::invocation));
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
    Running r(Sim::plain(Isolation::fluid), 2);
    r.w.exited(1, death);
    CHECK(r.w.said() == "lost 1 i1 " + code + " none\nlost 2 i1 " + code + " none\n");
    r.w.request(3, r.f);
    r.w.ready(2);
    CHECK(r.w.said() == "spawn i2\nplace 3 i2 cold\n");
  }
}

TEST_CASE("an instance that uses too much memory may be condemned, whoever is on it") {
  Running r(Sim::plain(Isolation::instance), 1);
  r.w.call([&] { r.w.scheduler.condemn(ins(1), Why::memory_limit, r.w.now, r.w.out); });
  CHECK(r.w.said() == "kill i1 memory_limit\nlost 1 i1 FUNCTION_INVOCATION_FAILED memory_limit\n");
}

TEST_CASE("an instance with an open call to next dev is not frozen before it is closed") {
  Running r(Sim::plain(Isolation::instance), 1);
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
  Running r(Sim::plain(Isolation::instance), 1);
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
  SchedulerOptions o = Sim::plain(Isolation::instance);
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
