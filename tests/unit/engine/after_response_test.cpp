// Between the response's end and the moment the instance is given back: waitUntil work, what is left behind.
#include <catch2/catch.hpp>

#include "unit/engine/instance_world.hpp"

using namespace vsim;
using namespace vsim::test;
using profile::Isolation;
using routes::Kind;

TEST_CASE(
    "after the response the invocation lives on with its instance, and is over when that is given back") {
  InstanceWorld w;
  const InvocationId id = w.start();
  w.head(id);
  w.advance(1s);
  w.ended(id, {0, 5});
  CHECK(w.last().charged == 1s);
  CHECK(w.engine().active() == 0);
  CHECK(w.engine().lingering() == 1);
  CHECK(w.next() == 9s);
  w.handler_started(id);
  w.head(id, 500);
  w.ended(id);
  CHECK_FALSE(w.client_left(id));
  CHECK(w.recorder.ended.size() == 1);
  w.advance(3s);
  w.released(id);
  CHECK(w.engine().lingering() == 0);
  CHECK_FALSE(w.next().has_value());
}

TEST_CASE("waitUntil work runs to the function's deadline and not a nanosecond longer") {
  InstanceWorld w;
  const InvocationId id = w.start();
  w.head(id);
  w.advance(2s);
  w.ended(id);
  CHECK(w.advance(8s - 1ns).empty());
  const auto commands = w.advance(1ns);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::expire);
  CHECK(commands[0].id == id);
  CHECK(w.engine().lingering() == 1);
  w.advance(100ms);
  w.released(id, {{"promise", "app/api/a/route.ts:9:1", 0s}});
  REQUIRE(w.recorder.background.size() == 1);
  CHECK(w.recorder.background[0].instance == "i1");
  const limits::Verdict& named = w.recorder.background[0].verdict;
  CHECK(named.code == Code::function_invocation_timeout);
  CHECK(named.limit == "10s");
  CHECK(named.measured ==
        "10.0s with waitUntil work, which was cancelled: promise at app/api/a/route.ts:9:1");
  CHECK(named.file == "app/api/a/route.ts:9:1");
  CHECK(w.engine().lingering() == 0);
  CHECK_FALSE(w.next().has_value());

  const InvocationId silent = w.start();
  w.ended(silent);
  CHECK(w.advance(10s).at(0).kind == ExchangeCommand::Kind::expire);
  CHECK(w.next() == 2s);
  CHECK(w.advance(2s).empty());
  CHECK(w.engine().lingering() == 0);
  w.released(silent);  // too late, and no matter
  REQUIRE(w.recorder.background.size() == 2);
  CHECK(w.recorder.background[1].verdict.measured == "10.0s with waitUntil work, which was cancelled");
}

TEST_CASE(
    "what a function leaves behind is named with its place, and what that means depends on the isolation") {
  const struct {
    Isolation isolation;
    bool enforced;
    const char* limit;
  } rows[] = {
      {Isolation::invocation, true, "the instance ends when the response and waitUntil work are done"},
      {Isolation::instance, true, "the instance is frozen when the response and waitUntil work are done"},
      {Isolation::fluid, false, "only the response and waitUntil work are sure to be done"}};
  for (const auto& row : rows) {
    InstanceWorld w(row.isolation);
    InvocationId id = w.start();
    w.head(id);
    w.ended(id);
    w.released(id, left());
    REQUIRE(w.recorder.background.size() == 1);
    const limits::Verdict& v = w.recorder.background[0].verdict;
    CHECK(v.code == Code::sim_background_work_frozen);
    CHECK(v.enforced == row.enforced);
    CHECK(v.limit == row.limit);
    CHECK(v.measured == "left interval of 1.00s at app/api/a/route.ts:12:3");
    CHECK(v.file == "app/api/a/route.ts:12:3");
    CHECK(v.route == "/api/a");

    id = w.start();  // the word comes before the response's end: told after it all the same
    w.head(id);
    w.released(id,
               {{"socket", "node_modules/pg/lib/x.js:1:1", 0s}, {"timeout", "lib/x.ts:3:1", 0s}, {}, {}, {}});
    CHECK(w.recorder.background.size() == 1);
    w.ended(id);
    REQUIRE(w.recorder.background.size() == 2);
    CHECK(w.recorder.background[1].verdict.measured ==
          "left socket by the package pg, timeout at lib/x.ts:3:1, something, and 2 more");
    CHECK(w.recorder.background[1].verdict.file == "lib/x.ts:3:1");

    const InvocationId cut = w.start();  // over with its deadline: the instance is killed
    w.advance(10s);
    w.released(cut, left());
    const Admission page = w.admit("/api/a");  // build work on Vercel
    w.dispatched(page.id, "/api/a/route", Kind::app_page, true);
    w.placed(page.id);
    w.ended(page.id);
    w.released(page.id, left());
    CHECK(w.recorder.background.size() == 2);
  }
}

TEST_CASE("waitUntil work that is lost with its instance is told, with the cause") {
  InstanceWorld w;
  InvocationId id = w.start("i4");
  w.head(id);
  w.ended(id);
  CHECK(w.lost(id, Code::function_invocation_failed, "unhandledRejection: Error: no") == Code::none);
  REQUIRE(w.recorder.background.size() == 1);
  CHECK(w.recorder.background[0].verdict.code == Code::function_invocation_failed);
  CHECK(w.recorder.background[0].verdict.measured == "instance i4: unhandledRejection: Error: no");
  CHECK(w.engine().lingering() == 0);
  for (const Code quiet : {Code::none, Code::sim_not_ready}) {
    id = w.start();
    w.ended(id);
    w.lost(id, quiet);
  }
  CHECK(w.recorder.background.size() == 1);
}

TEST_CASE("an instance given back before the last byte has reached the client stops the clock") {
  InstanceWorld w;
  const InvocationId id = w.start();
  w.advance(4s);
  w.head(id);
  w.released(id, left());
  CHECK_FALSE(w.next().has_value());
  w.advance(1h);  // a slow reader
  w.ended(id);
  CHECK(w.last().charged == 4s);
  CHECK(w.last().outcome.ended_by == EndedBy::function);
  CHECK(w.engine().lingering() == 0);
}
