// The agent speaks on another channel than the response: its messages may come in any order, late, twice, or
// not at all.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using routes::Kind;

namespace {

enum class Msg { dispatched, compile_started, compile_ended, handler, head };

SimWorld make_world() { return SimWorld(make_profile(), SimWorld::with_agent()); }

}  // namespace

TEST_CASE(
    "in every order of the agent's messages and the head, the function is known and the stream is cut at its "
    "limit") {
  std::array<Msg, 5> order = {Msg::dispatched, Msg::compile_started, Msg::compile_ended, Msg::handler,
                              Msg::head};
  int orders = 0;
  do {
    SimWorld w = make_world();
    w.routes({SimWorld::function("/a", Kind::app_route, "app/a/route.ts", "/a/route")});
    const Admission a = w.admit("/a");
    std::string shown;
    TimePoint first_proof{};  // the first moment at which the handler is known to have started
    TimePoint compile_open{};
    bool dispatched = false, compiling = false, headed = false, stray_end = false;
    Duration compiled_after{};
    for (const Msg m : order) {
      w.advance(10ms);
      shown += std::to_string(static_cast<int>(m));
      switch (m) {
        case Msg::dispatched:
          w.dispatched(a.id, "/a/route", Kind::app_route);
          dispatched = true;
          if (headed && first_proof == TimePoint{}) first_proof = w.now;
          break;
        case Msg::compile_started:
          w.compile_started(a.id);
          compiling = true;
          compile_open = w.now;
          break;
        case Msg::compile_ended:
          w.compile_ended(a.id);
          stray_end = !compiling;
          if (compiling && first_proof != TimePoint{})
            compiled_after += w.now - std::max(compile_open, first_proof);
          compiling = false;
          break;
        case Msg::handler:
          w.handler_started(a.id);
          if (first_proof == TimePoint{}) first_proof = w.now;
          break;
        case Msg::head:
          w.head(a.id, 200, !dispatched);
          headed = true;
          if (dispatched && first_proof == TimePoint{}) first_proof = w.now;
          break;
      }
    }
    INFO(shown);
    if (stray_end) {  // the end of a compile came before its start: it is still open, and holds the clock
      CHECK_FALSE(w.next().has_value());
      w.compile_ended(a.id);
      compiled_after += w.now - std::max(compile_open, first_proof);
    }
    REQUIRE(w.next().has_value());
    CHECK(w.now + *w.next() == first_proof + 10s + compiled_after);
    const auto commands = w.advance(1h);
    REQUIRE(commands.size() == 1);
    CHECK(commands[0].kind == ExchangeCommand::Kind::cut);
    CHECK(w.last().route == "/a");
    CHECK(w.last().traffic == Traffic::invocation);
    CHECK(w.last().charged == 10s);
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(orders == 120);
}

TEST_CASE("a head that overtook everything and looked direct becomes an invocation when the agent speaks") {
  SimWorld w = make_world();
  const Admission a = w.admit("/a");
  w.head(a.id, 200, true);
  CHECK_FALSE(w.next().has_value());
  w.advance(5ms);
  w.dispatched(a.id, "/a/route", Kind::app_route);
  CHECK(w.next() == 10s);
  w.advance(5ms);
  w.handler_started(a.id);  // does not start the clock again
  CHECK(w.next() == 10s - 5ms);
  w.ended(a.id);
  CHECK(w.last().traffic == Traffic::invocation);
}

TEST_CASE("a static page told late loses its deadline") {
  SimWorld w = make_world();
  const Admission a = w.admit("/about");
  w.handler_started(a.id);
  CHECK(w.next() == 10s);
  w.dispatched(a.id, "/about/page", Kind::app_page, true);
  CHECK_FALSE(w.next().has_value());
  w.head(a.id);
  w.ended(a.id);
  CHECK(w.last().traffic == Traffic::prerender);
}

TEST_CASE(
    "a handler whose dispatch is late runs under the limit of the route its path leads to, until the agent "
    "names another") {
  SimWorld w = make_world();
  w.routes({SimWorld::limited(SimWorld::function("/a", Kind::app_route, "a.ts", "/a/route"), 5s),
            SimWorld::limited(SimWorld::function("/b", Kind::app_route, "b.ts", "/b/route"), 7s)});
  const Admission a = w.admit("/a");
  w.handler_started(a.id);
  CHECK(w.next() == 5s);
  w.dispatched(a.id, "/b/route", Kind::app_route);  // a rewrite
  CHECK(w.next() == 7s);
  w.advance(7s);
  CHECK(w.last().route == "/b");
}

TEST_CASE("the same dispatch told twice is one; another one replaces it") {
  SimWorld w = make_world();
  w.routes({SimWorld::function("/a", Kind::app_route, "a.ts", "/a/route"),
            SimWorld::function("/404", Kind::pages, "pages/404.tsx", "/404")});
  const Admission a = w.admit("/a");
  w.dispatched(a.id, "/a/route", Kind::app_route);
  w.dispatched(a.id, "/a/route", Kind::app_route);
  w.dispatched(a.id, "/404", Kind::pages);  // no fallback: Next went on
  w.head(a.id, 404);
  w.ended(a.id);
  CHECK(w.last().route == "/404");
  CHECK(w.last().file == "pages/404.tsx");
}

TEST_CASE("a page the route table does not know is named as Next names it, without a file") {
  SimWorld w = make_world();
  w.routes({});
  const Admission a = w.admit("/x");
  w.dispatched(a.id, "/(shop)/cart/page", Kind::app_page);
  w.handler_started(a.id);
  w.head(a.id);
  w.ended(a.id);
  CHECK(w.last().route == "/cart");
  CHECK(w.last().file.empty());
  CHECK(w.last().kind == "app_page");
}

TEST_CASE("messages for an invocation that has ended are ignored, also when its slot is in use again") {
  SimWorld w = make_world();
  const Admission old = w.admit("/old");
  w.head(old.id, 200, true);
  w.ended(old.id);
  const Admission now = w.admit("/new");
  w.dispatched(old.id, "/old/page", Kind::app_page);
  w.compile_started(old.id);
  w.compile_ended(old.id);
  w.handler_started(old.id);
  CHECK(w.head(old.id, 500) == Code::none);
  CHECK(w.body_over(old.id) == Code::none);
  CHECK_FALSE(w.client_left(old.id));
  CHECK(w.failed(old.id, UpstreamFailure::reset) == Code::none);
  w.ended(old.id);
  CHECK_FALSE(w.next().has_value());
  CHECK(w.recorder.ended.size() == 1);
  w.head(now.id, 204);
  w.ended(now.id);
  CHECK(w.last().target == "/new");
  CHECK(w.last().status == 204);
  CHECK(w.last().route.empty());
}

TEST_CASE("the agent cannot make an invocation of the dev server's own traffic") {
  SimWorld w = make_world();
  const Admission a = w.admit("/_next/static/x.js");
  w.dispatched(a.id, "/x/page", Kind::app_page);
  w.handler_started(a.id);
  w.compile_started(a.id);
  CHECK_FALSE(w.next().has_value());
  w.head(a.id);
  w.ended(a.id);
  CHECK(w.last().traffic == Traffic::internal);
  CHECK(w.last().route.empty());
}

TEST_CASE("an id that was never given is ignored") {
  SimWorld w = make_world();
  for (const std::uint64_t n : {0ull, 1ull, 77ull << 20, ~0ull}) {
    const auto id = static_cast<InvocationId>(n);
    w.handler_started(id);
    w.dispatched(id, "/x", Kind::pages);
    w.ended(id);
    CHECK_FALSE(w.client_left(id));
  }
  CHECK(w.recorder.ended.empty());
}

TEST_CASE("late news that names a limit which has passed already cuts at once") {
  SimWorld w = make_world();
  w.routes({SimWorld::limited(SimWorld::function("/b", Kind::app_route, "b.ts", "/b/route"), 2s)});
  const Admission a = w.admit("/a");
  w.handler_started(a.id);
  w.advance(3s);
  w.dispatched(a.id, "/b/route", Kind::app_route);
  CHECK(w.next() == 0s);
  CHECK(w.advance(0s).size() == 1);
  CHECK(w.last().charged == 3s);
}
