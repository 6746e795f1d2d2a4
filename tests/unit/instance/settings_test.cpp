// What is switched while a run goes on: policy, and instances that somebody wants to be new.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE("Settings: from invocation to fluid, what runs ends where it is, and what comes shares") {
  Sim w(Sim::plain(Isolation::invocation));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.ready(1);
  w.said();
  w.set_options(Sim::plain(Isolation::fluid));
  CHECK(w.said() == "");
  CHECK(w.state(1) == "retired");
  w.request(2, f);
  CHECK(w.said() == "spawn i2\n");
  w.ready(2);
  CHECK(w.said() == "place 2 i2 cold\n");
  w.request(3, f);
  CHECK(w.said() == "place 3 i2 warm\n");
  w.release(1);
  CHECK(w.said() == "kill i1 settings\n");
  w.release(2);
  w.release(3);
  CHECK(w.said() == "");
  CHECK(w.state(2) == "idle");
}

TEST_CASE("Settings: from fluid to invocation, a socket keeps its instance, and each that comes has one") {
  Sim w(Sim::plain(Isolation::fluid));
  const FunctionId f = w.define("/ws");
  w.request(1, f);  // a socket, which stays
  w.request(2, f);
  w.ready(1);
  w.handler(1);
  w.release(2);
  w.said();
  w.set_options(Sim::plain(Isolation::invocation));
  CHECK(w.said() == "");
  CHECK(w.state(1) == "retired");
  w.request(3, f);
  w.request(4, f);
  CHECK(w.said() == "spawn i2\nspawn i3\n");
  w.ready(2);
  w.ready(3);
  w.handler(4);
  w.release(3);
  CHECK(w.said() == "place 3 i2 cold\nplace 4 i3 cold\nkill i2 spent\n");
  w.advance(5min);
  CHECK(w.state(1) == "retired");
  w.release(1);
  CHECK(w.said() == "kill i1 settings\n");
}

TEST_CASE("Settings: who waits is placed by the new policy, in the order of arrival") {
  SchedulerOptions taking_turns = Sim::plain(Isolation::fluid);
  taking_turns.spread = 2;
  Sim w(taking_turns);
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.request(2, f);
  CHECK(w.said() == "spawn i1\nspawn i2\n");
  w.set_options(Sim::plain(Isolation::fluid));  // one instance is enough for both
  CHECK(w.said() == "kill i1 settings\nkill i2 settings\nspawn i3\n");
  w.ready(3);
  CHECK(w.said() == "place 1 i3 cold\nplace 2 i3 warm\n");
  w.set_options(taking_turns);
  w.request(3, f);
  w.request(4, f);
  CHECK(w.said() == "spawn i4\nspawn i5\n");
  w.ready(4);
  w.ready(5);
  const std::string placed = w.said();
  CHECK(placed.find("place 3 i4") != std::string::npos);
  CHECK(placed.find("place 4 i5") != std::string::npos);
  CHECK(w.waiting.empty());
}

TEST_CASE("Settings: whether functions share stays, whatever the new options say") {
  SchedulerOptions apart = Sim::plain(Isolation::fluid);
  apart.groups_shared = false;
  Sim w(apart);
  w.set_options(Sim::plain(Isolation::fluid));
  const FunctionId f = w.define("/a"), g = w.define("/b");
  w.request(1, f);
  w.request(2, g);
  CHECK(w.said() == "spawn i1\nspawn i2\n");
}

TEST_CASE("Retire: what serves goes on, what is idle or frozen goes at once, and the next one is fresh") {
  Sim w(Sim::plain(Isolation::instance));
  const FunctionId f = w.define("/a");
  w.request(1, f);
  w.request(2, f);
  w.ready(1);
  w.ready(2);
  w.release(2);
  w.said();
  w.retire(Why::asked);
  CHECK(w.said() == "kill i2 asked\n");
  CHECK(w.state(1) == "retired");
  w.request(3, f);
  CHECK(w.said() == "spawn i3\n");
  w.ready(3);
  CHECK(w.said() == "place 3 i3 cold\n");
  w.release(1);
  CHECK(w.said() == "kill i1 asked\n");
}

TEST_CASE("Retire: spares are kept where they need not be new") {
  SchedulerOptions o = Sim::plain(Isolation::instance);
  o.spares = 1;
  for (const bool spares : {false, true}) {
    Sim w(o);
    w.define("/a");
    w.start();
    w.advance(10s);
    CHECK(w.said() == "spawn i1 background\n");
    w.ready(1);
    w.retire(Why::asked, spares);
    CHECK(w.said().starts_with("kill i1 asked") == spares);
  }
}
