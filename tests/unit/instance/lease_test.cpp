// Leases: each is one invocation's and ends once, whatever is told late; and what other emulators got wrong.
#include <catch2/catch.hpp>

#include "unit/instance/running.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE("one who ends while waiting is not placed, and its instance becomes a spare") {
  Sim w(Sim::plain(Isolation::invocation));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.withdraw(1);
  w.ready(1);
  w.said();
  w.request(2, f);
  CHECK(w.said() == "place 2 i1 spare\n");
}

TEST_CASE("a lease that is let go is noticed; one that was moved from does nothing; none ends twice") {
  Running r(Sim::plain(Isolation::instance), 1);
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
  Running r(Sim::plain(Isolation::invocation), 1);
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
  SchedulerOptions o = Sim::plain(Isolation::instance);
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
  Sim w(Sim::plain(Isolation::instance));
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
  Running r(Sim::plain(Isolation::instance), 1);
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
    r.w.call([&] { r.w.scheduler.memory(ins(i), {5}, r.w.now, r.w.out); });
  }
  CHECK(r.w.said() == "");
}
