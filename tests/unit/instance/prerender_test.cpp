// What Next prerenders, under policy `invocation`: one instance for all of a group, as long as none leaves
// something in it.
#include <catch2/catch.hpp>

#include "unit/instance/sim.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

struct Made {
  Sim w{Sim::plain(Isolation::invocation)};
  FunctionId home, about, api;

  Made() {
    FunctionConfig prerender;
    prerender.prerender = true;
    home = w.define("/", Pool::app_page, prerender);
    about = w.define("/about", Pool::app_page, prerender);
    api = w.define("/api", Pool::app_route);
    w.start();
    w.request(1, home);
    w.ready(1);
    w.said();
  }
};

}  // namespace

TEST_CASE("an instance that prerendered and was left as it was found serves what is prerendered next") {
  Made m;
  m.w.release(1, true);
  CHECK(m.w.said() == "freeze i1\n");
  m.w.request(2, m.home);
  CHECK(m.w.said() == "thaw i1\nplace 2 i1 warm\n");
  m.w.release(2, true);
  m.w.said();
  m.w.request(3, m.about);
  CHECK(m.w.said() == "thaw i1\nplace 3 i1 warm\n");
}

TEST_CASE("middleware that left its instance as it found it is asked there again, and nobody else is") {
  Made m;
  const FunctionId proxy = m.w.define("/proxy", Pool::middleware);
  m.w.release(1, true);
  m.w.said();
  m.w.request(2, proxy);
  CHECK(m.w.said() == "spawn i2\n");
  m.w.ready(2);
  m.w.said();
  m.w.release(2, true);
  CHECK(m.w.said() == "freeze i2\n");
  m.w.request(3, m.api);
  m.w.request(4, proxy);
  CHECK(m.w.said() == "spawn i3\nthaw i2\nplace 4 i2 warm\n");
  m.w.request(5, proxy);  // while that is at work
  CHECK(m.w.said().empty());
  m.w.release(4, true);
  CHECK(m.w.said() == "place 5 i2 warm\n");
  m.w.release(5, false);
  CHECK(m.w.said() == "kill i2 spent\n");
}

TEST_CASE("one in which something was left is spent, at its first invocation and at a later one") {
  Made first;
  first.w.release(1, false);
  CHECK(first.w.said() == "kill i1 spent\n");

  Made later;
  later.w.release(1, true);
  later.w.request(2, later.home);
  later.w.said();
  later.w.release(2, false);
  CHECK(later.w.said() == "kill i1 spent\n");
}

TEST_CASE("what is not prerendered never meets an instance that has served, and leaves none") {
  Made m;
  m.w.release(1, true);
  m.w.said();
  m.w.request(2, m.api);
  CHECK(m.w.said() == "spawn i2\n");
  m.w.ready(2);
  m.w.said();
  m.w.release(2, true);
  CHECK(m.w.said() == "kill i2 spent\n");
}

TEST_CASE("one of a page that turned out to be dynamic is spent") {
  Made m;
  m.w.define("/", Pool::app_page);
  m.w.release(1, true);
  CHECK(m.w.said() == "kill i1 spent\n");
}

TEST_CASE("at once they get an instance each, of which one is kept") {
  Made m;
  m.w.request(2, m.home);
  m.w.ready(2);
  m.w.said();
  m.w.release(1, true);
  CHECK(m.w.said() == "freeze i1\n");
  m.w.release(2, true);
  CHECK(m.w.said() == "kill i2 spent\n");
}

namespace {

// The instance that is kept is at work for the second request.
struct AtWork : Made {
  AtWork() {
    w.advance(40ms);
    w.handler(1);  // a fresh one takes that long
    w.release(1, true);
    w.request(2, home);
    w.said();
  }
};

}  // namespace

TEST_CASE("what is prerendered waits for the instance that is about to be done, in order of arrival") {
  AtWork m;
  m.w.request(3, m.home);
  m.w.request(4, m.about);
  m.w.advance(39ms);
  CHECK(m.w.said() == "");
  m.w.release(2, true);
  CHECK(m.w.said() == "place 3 i1 warm waited 39ms\n");
  m.w.release(3, true);
  CHECK(m.w.said() == "place 4 i1 warm waited 39ms\n");
}

TEST_CASE("but no longer than a fresh one took to begin, and never longer than the limit") {
  AtWork m;
  m.w.request(3, m.home);
  m.w.advance(39ms);
  CHECK(m.w.said() == "");
  m.w.advance(1ms);
  CHECK(m.w.said() == "spawn i2\n");
  // Whichever is there first.
  m.w.release(2, true);
  CHECK(m.w.said() == "place 3 i1 warm waited 40ms\n");

  Made slow;
  slow.w.advance(5s);
  slow.w.handler(1);
  slow.w.release(1, true);
  slow.w.request(2, slow.home);
  slow.w.request(3, slow.home);
  slow.w.said();
  slow.w.advance(slow.w.options.kept_patience - 1ms);
  CHECK(slow.w.said() == "");
  slow.w.advance(1ms);
  CHECK(slow.w.said() == "spawn i2\n");
}

TEST_CASE("a spare that is there serves it when the time is over") {
  AtWork m;
  m.w.request(3, m.api);  // has it started
  m.w.withdraw(3);
  m.w.ready(2);
  m.w.said();
  m.w.request(4, m.home);
  m.w.advance(39ms);
  CHECK(m.w.said() == "");
  m.w.advance(1ms);
  CHECK(m.w.said() == "place 4 i2 cold waited 40ms\n");
}

TEST_CASE("one that is not given back as it was found is not waited for any longer") {
  const auto after_that = [](const char* what, auto happens) {
    CAPTURE(what);
    AtWork m;
    m.w.request(3, m.home);
    CHECK(m.w.said() == "");
    happens(m);
    return m.w.said();
  };
  CHECK(after_that("it left something", [](AtWork& m) { m.w.release(2, false); }) ==
        "kill i1 spent\nspawn i2\n");
  CHECK(after_that("it died", [](AtWork& m) { m.w.exited(1); }).ends_with("spawn i2\n"));
  CHECK(after_that("it said that it will", [](AtWork& m) { m.w.failing(1); }) == "spawn i2\n");
  CHECK(after_that("its code changed", [](AtWork& m) { m.w.changed({.functions = {m.home}}); }) ==
        "spawn i2\n");
  CHECK(after_that("its time was over", [](AtWork& m) { m.w.timed_out(2); }) ==
        "kill i1 deadline\nspawn i2\n");
}

TEST_CASE(
    "nor is one whose page has turned out to be dynamic, nor by its own request, nor by what is dynamic") {
  AtWork dynamic;
  dynamic.w.define("/", Pool::app_page);
  dynamic.w.request(3, dynamic.about);
  CHECK(dynamic.w.said() == "spawn i2\n");

  AtWork own;
  own.w.request(3, own.about, 2);
  CHECK(own.w.said() == "spawn i2\n");

  AtWork other;
  other.w.request(3, other.api);
  CHECK(other.w.said() == "spawn i2\n");
}

TEST_CASE("an edit ends it, and so does being unused") {
  Made edited;
  edited.w.release(1, true);
  edited.w.said();
  edited.w.changed({.functions = {edited.home}});
  CHECK(edited.w.said() == "kill i1 stale\n");

  Made unused;
  unused.w.release(1, true);
  unused.w.said();
  unused.w.advance(unused.w.options.idle_expiry);
  CHECK(unused.w.said() == "kill i1 idle\n");
}

TEST_CASE("while it is there no spare is bound to the functions that it has loaded") {
  SchedulerOptions o = Sim::plain(Isolation::invocation);
  o.spares = 1;
  o.bound_functions = 4;
  Sim w(o);
  FunctionConfig prerender;
  prerender.prerender = true;
  const FunctionId home = w.define("/", Pool::app_page, prerender);
  w.start();
  w.ready(1);
  w.request(1, home);
  w.release(1, true);
  w.said();
  w.advance(1s);
  CHECK(w.said() == "spawn i2 background\n");
  w.ready(2);
  w.advance(10s);
  CHECK(w.said() == "");
}
