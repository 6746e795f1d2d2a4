// What the clock ends on an instance: deadlines, event loops that do not answer, modules that are not
// evaluated in time.
#include <catch2/catch.hpp>

#include "unit/instance/running.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE("deadline, serverless: the instance is killed at once and the next request gets another") {
  for (const auto isolation : {Isolation::invocation, Isolation::instance}) {
    Running r(Sim::plain(isolation), 1);
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
  Running r(Sim::plain(Isolation::fluid), 3);
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
  Running r(Sim::plain(Isolation::fluid), 3);
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
  Running alone(Sim::plain(Isolation::fluid), 1);
  alone.w.timed_out(1);
  CHECK(alone.w.said() == "kill i1 deadline\n");
  Running three(Sim::plain(Isolation::fluid), 3);
  three.w.timed_out(1);
  three.w.timed_out(2);
  CHECK(three.w.said() == "ping i1\n");
  three.w.timed_out(3);
  CHECK(three.w.said() == "kill i1 deadline\n");
}

TEST_CASE(
    "an event loop that begins nothing, with nothing running on it, is asked whether it lives, and ended") {
  for (const auto isolation : {Isolation::instance, Isolation::fluid}) {
    Running r(Sim::plain(isolation), 1);
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
  Running answers(Sim::plain(Isolation::fluid), 1);
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

  Running beside(Sim::plain(Isolation::fluid), 1);  // 1 runs
  beside.w.request(2, beside.f);
  beside.w.said();
  beside.w.advance(60s);
  CHECK(beside.w.said() == "");

  Running compiles(Sim::plain(Isolation::fluid), 1);
  compiles.w.release(1);
  compiles.w.request(2, compiles.f);
  compiles.w.said();
  compiles.w.dev_call(1, true);
  compiles.w.advance(60s);
  CHECK(compiles.w.said() == "");
}

TEST_CASE("modules that are not evaluated in time end the invocation; those that are, do not") {
  Sim w(Sim::plain(Isolation::instance));
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
  Sim w(Sim::plain(Isolation::instance));
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
  Running r(Sim::plain(Isolation::fluid), 3);
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
  Sim w(Sim::plain(Isolation::instance));
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
  Running r(Sim::plain(Isolation::fluid), 1);
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
  Running r(Sim::plain(Isolation::fluid), 1);
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
