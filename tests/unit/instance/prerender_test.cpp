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
  Options o = Sim::plain(Isolation::invocation);
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
