// Functions whose begin nobody sees: an answer of theirs is never taken for that of a quick one.
#include "engine/sight.hpp"

#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using routes::Kind;

namespace {

const std::vector<std::string> kSaid{"SIM_HANDLER_NOT_SEEN"};

struct World : SimWorld {
  explicit World(engine::EngineOptions options = isolated())
      : SimWorld(make_profile(Plan::hobby, Compute::serverless), options) {
    routes({limited(function("/api/a", Kind::app_route, "app/api/a/route.ts", "/api/a/route"), 3s),
            limited(function("/api/b", Kind::app_route, "app/api/b/route.ts", "/api/b/route"), 3s),
            limited(function("/p", Kind::app_page, "app/p/page.tsx", "/p/page"), 3s)});
  }
  InvocationId start(std::string_view path = "/api/a", Kind kind = Kind::app_route,
                     routes::Runtime runtime = routes::Runtime::nodejs) {
    const Admission a = admit(path);
    dispatched(a.id, std::string(path) + (kind == Kind::app_page ? "/page" : "/route"), kind, false, runtime);
    if (is_isolated) placed(a.id);
    return a.id;
  }
  void seen(InvocationId id) {
    handler_started(id);
    head(id);
    finish(id);
  }
  void finish(InvocationId id) {
    ended(id);
    if (is_isolated) released(id);
  }
  bool is_isolated = true;
};

}  // namespace

TEST_CASE("unseen: the first is charged from its placement, and so are those that follow, in time") {
  World w;
  InvocationId id = w.start();
  CHECK_FALSE(w.next().has_value());
  w.advance(1s);
  CHECK(w.head_unseen(id) == Code::none);
  CHECK(w.recorder.notices == kSaid);
  CHECK(w.next() == 2s);
  CHECK(w.advance(2s).at(0).kind == ExchangeCommand::Kind::cut);
  CHECK(w.last().charged == 3s);
  CHECK(w.last().outcome.code == Code::function_invocation_timeout);

  id = w.start("/api/b");
  CHECK(w.engine().begun_unseen(id));
  CHECK(w.next() == 3s);
  CHECK(w.advance(3s).at(0).kind == ExchangeCommand::Kind::answer_error);
  CHECK(w.last().status == 504);
  CHECK(w.last().init == 0s);
  CHECK(w.recorder.notices.size() == 1);
}

TEST_CASE("unseen: an answer at the limit or past it is replaced, one before it is not; compiling is free") {
  struct Case {
    Duration before;
    Code code;
  };
  for (const auto& [before, code] : {Case{2999ms, Code::none}, Case{3s, Code::function_invocation_timeout},
                                     Case{3001ms, Code::function_invocation_timeout}}) {
    World w;
    const InvocationId id = w.start();
    w.advance(1s);
    w.compile_started(id);
    w.advance(20s);
    w.compile_ended(id);
    w.advance(before - 1s);
    CHECK(w.head_unseen(id) == code);
    if (code == Code::none) w.finish(id);
    CHECK(w.last().charged == before);
    CHECK(w.last().status == (code == Code::none ? 200 : 504));
    CHECK(w.last().verdicts.size() == (code == Code::none ? 0 : 1));
    CHECK(w.last().compile == 20s);
  }
}

TEST_CASE("unseen: the wait for an instance is not charged to it either") {
  World w;
  const Admission a = w.admit("/api/a");
  w.dispatched(a.id, "/api/a/route", Kind::app_route);
  w.advance(30s);
  w.placed(a.id, "i1", "cold", 30s);
  w.advance(2s);
  CHECK(w.head_unseen(a.id) == Code::none);
  w.finish(a.id);
  CHECK(w.last().charged == 2s);
  CHECK(w.last().waited == 30s);
}

TEST_CASE("unseen: what others of its kind were seen to do is no excuse, and theirs is charged as ever") {
  World w;
  w.seen(w.start());
  InvocationId id = w.start("/api/b");
  w.advance(4s);
  CHECK(w.head_unseen(id) == Code::function_invocation_timeout);
  CHECK(w.recorder.notices == kSaid);

  id = w.start();
  w.advance(2s);  // its modules
  w.seen(id);
  CHECK(w.last().charged == 0s);
  CHECK(w.last().init == 2s);
  w.seen(w.start());
  CHECK(w.recorder.notices.size() == 1);
}

TEST_CASE("unseen: other kinds are charged as ever, and each kind is said once") {
  World w;
  InvocationId id = w.start();
  w.head_unseen(id);
  w.finish(id);
  id = w.start("/p", Kind::app_page);
  CHECK_FALSE(w.engine().begun_unseen(id));
  CHECK_FALSE(w.next().has_value());
  w.advance(10s);
  w.seen(id);
  CHECK(w.last().charged == 0s);
  id = w.start("/api/a", Kind::app_route, routes::Runtime::edge);
  CHECK_FALSE(w.engine().begun_unseen(id));
  w.head_unseen(id);
  w.finish(id);
  CHECK(w.recorder.notices.size() == 2);
}

TEST_CASE("unseen: what Next answers alone is no answer of a function, and prerendered is not charged") {
  World w;
  InvocationId id = w.start();
  w.advance(30s);
  w.head(id, 405);
  w.finish(id);
  CHECK(w.last().charged == 0s);
  id = w.start();
  w.dispatched(id, "/api/a/route", Kind::app_route, true);
  w.advance(30s);
  CHECK(w.head_unseen(id) == Code::none);
  w.finish(id);
  CHECK(w.recorder.notices.empty());
  CHECK(w.last().charged == 0s);
}

TEST_CASE("unseen: who reads no answer any more is not answered, and the function is charged all the same") {
  World w;
  const InvocationId id = w.start();
  CHECK(w.client_left(id));
  w.advance(5s);
  CHECK(w.head_unseen(id) == Code::none);
  CHECK(w.recorder.notices == kSaid);
  CHECK(w.advance(0s).at(0).kind == ExchangeCommand::Kind::cut);
  CHECK(w.last().charged == 5s);
}

TEST_CASE("a hook that is not as it is known: from the placement, until one of the kind is seen to begin") {
  World w;
  CHECK(w.engine().doubt("AppRouteRouteModule"));
  CHECK_FALSE(w.engine().doubt("matchers"));
  InvocationId id = w.start();
  CHECK(w.next() == 3s);
  w.advance(2s);
  w.handler_started(id);
  CHECK(w.next() == 3s);
  w.advance(1s);
  w.head(id);
  w.finish(id);
  CHECK(w.last().charged == 1s);
  CHECK(w.last().init == 2s);

  id = w.start();
  CHECK_FALSE(w.next().has_value());
  w.engine().doubt("AppRouteRouteModule");  // an instance finds the same
  CHECK_FALSE(w.engine().begun_unseen(w.start("/api/b")));
  CHECK(w.recorder.notices.empty());
}

TEST_CASE("unseen without isolation: from the dispatch on, and those that follow in time") {
  engine::EngineOptions options = SimWorld::isolated(profile::Isolation::none);
  World w(options);
  w.is_isolated = false;
  InvocationId id = w.start();
  w.advance(1s);
  w.compile_started(id);
  w.advance(9s);
  w.compile_ended(id);
  w.advance(1s);
  CHECK(w.head_unseen(id) == Code::none);
  CHECK(w.recorder.notices == kSaid);
  CHECK(w.next() == 1s);
  w.ended(id);
  CHECK(w.last().charged == 2s);
  id = w.start();
  CHECK(w.next() == 3s);
  CHECK(w.advance(3s).at(0).kind == ExchangeCommand::Kind::answer_error);
}

TEST_CASE("modules that take too long are said otherwise while no begin of the kind was seen") {
  World w;
  const auto lost = [&] {
    w.lost(w.start(), Code::function_invocation_timeout, "killed: its modules were not evaluated in time");
    return w.last().verdicts.at(0).fix.find("SIM_HANDLER_NOT_SEEN") != std::string::npos;
  };
  CHECK(lost());
  w.seen(w.start());
  CHECK_FALSE(lost());
}
