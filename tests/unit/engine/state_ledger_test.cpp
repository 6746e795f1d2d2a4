#include "engine/state_ledger.hpp"

#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::engine;
using namespace std::chrono_literals;

namespace {

StateSeen variable(std::string kind, std::vector<std::string> had, std::vector<std::string> wrote) {
  StateSeen out;
  out.name = "rooms";
  out.at = "lib/rooms.ts:3:14";
  out.kind = std::move(kind);
  out.before = had.size();
  out.after = had.size() + wrote.size();
  out.changed = !wrote.empty();
  out.had = std::move(had);
  out.wrote = std::move(wrote);
  return out;
}

// Invocations one after the other, each with one variable in reach.
struct World {
  StateLedger ledger;
  TimePoint now{};
  std::uint64_t next = 1;
  std::set<InvocationId> running;
  std::string_view route = "/api/rooms";

  std::vector<StateLoss> tell(std::string method, std::string_view instance, StateSeen seen,
                              std::vector<std::string> asked = {}, bool open = false) {
    now += 1s;
    StateReport report;
    report.method = std::move(method);
    report.open = open;
    report.asked = std::move(asked);
    report.seen = {std::move(seen)};
    const auto id = static_cast<InvocationId>(next++);
    if (open) running.insert(id);
    return ledger.look(
        report, id, instance == kMiddleware ? kMiddleware : route, instance,
        [&](InvocationId i) { return running.contains(i); }, now);
  }
};

StateSeen from_request(StateSeen seen) {
  seen.from_request = true;
  return seen;
}

}  // namespace

TEST_CASE("a list that a POST filled from its body is read empty on another instance") {
  World w;
  CHECK(w.tell("POST", "i1", from_request(variable("array", {}, {"hello"}))).empty());
  const auto losses = w.tell("GET", "i2", variable("array", {}, {}));
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);
  CHECK(losses[0].at == "lib/rooms.ts:3:14");
  CHECK(losses[0].evidence ==
        "`rooms` is empty on i2: what was put there by POST /api/rooms on i1, 1.00s ago, is in that "
        "instance's memory alone");
  CHECK(w.tell("GET", "i3", variable("array", {}, {})).empty());  // told once
}

TEST_CASE("on the instance that wrote it nothing is lost") {
  World w;
  w.tell("POST", "i1", from_request(variable("map", {}, {"a"})));
  CHECK(w.tell("GET", "i1", variable("map", {"a"}, {})).empty());
  CHECK(w.tell("GET", "i2", variable("map", {"a"}, {})).empty());  // it has it, from wherever
}

TEST_CASE("an entry that is asked for by its key and is elsewhere") {
  World w;
  w.tell("POST", "i1", variable("map", {}, {"job-1"}));
  const auto losses = w.tell("GET", "i2", variable("map", {"other"}, {}), {"job-1"});
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);
}

TEST_CASE("a cache that each instance fills for itself is no loss") {
  World w;
  w.tell("GET", "i1", from_request(variable("map", {}, {"user-1"})));
  CHECK(w.tell("GET", "i2", from_request(variable("map", {}, {"user-1"})), {"user-1"}).empty());
  CHECK(w.tell("GET", "i3", variable("map", {}, {})).empty());
  CHECK(w.tell("POST", "i4", variable("map", {}, {"user-2"})).empty());
}

TEST_CASE("what a POST left without data of its request is suspected, a lazily made object is not") {
  World w;
  w.tell("POST", "i1", variable("array", {}, {"x"}));
  const auto losses = w.tell("GET", "i2", variable("array", {}, {}));
  REQUIRE(losses.size() == 1);
  CHECK_FALSE(losses[0].proven);
  World other;
  other.tell("POST", "i1", variable("object", {}, {"connected"}));
  CHECK(other.tell("GET", "i2", variable("object", {}, {})).empty());
}

TEST_CASE("clients of an open stream are not there for a broadcast on another instance") {
  World w;
  w.tell("GET", "i1", variable("set", {}, {"i1 object 1"}), {}, true);
  const auto losses = w.tell("POST", "i2", variable("set", {}, {}));
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);

  World closed;
  closed.tell("GET", "i1", variable("set", {}, {"i1 object 1"}), {}, true);
  closed.running.clear();  // the stream has ended
  CHECK(closed.tell("POST", "i2", variable("set", {}, {})).empty());
}

TEST_CASE("a counter that begins again") {
  World w;
  StateSeen counted = variable("number", {"0"}, {"1"});
  counted.counts = true;
  w.tell("GET", "i1", counted);
  const auto losses = w.tell("GET", "i2", counted);
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);
  World w2;  // a moment that each instance notes
  w2.tell("GET", "i1", variable("number", {"0"}, {"1764300000"}));
  CHECK(w2.tell("GET", "i2", variable("number", {"0"}, {"1764300001"})).empty());
}

TEST_CASE("a limiter that counts each visitor on each instance is suspected") {
  World w;
  StateSeen hit = variable("map", {}, {"127.0.0.1"});
  hit.by_client = true;
  w.tell("GET", "i1", hit);
  const auto losses = w.tell("GET", "i2", hit);
  REQUIRE(losses.size() == 1);
  CHECK_FALSE(losses[0].proven);
}

TEST_CASE("after an edit the old variables mean nothing") {
  World w;
  w.tell("POST", "i1", from_request(variable("map", {}, {"a"})));
  w.ledger.clear();
  CHECK(w.tell("GET", "i2", variable("map", {}, {})).empty());
}

TEST_CASE("a variable that the code in reach only adds to is nobody's loss: a logger's buffer") {
  World w;
  CHECK(w.tell("POST", "i1", from_request(variable("array", {}, {"hello"}))).empty());
  StateSeen buffer = variable("array", {}, {});
  buffer.unread = true;
  CHECK(w.tell("GET", "i2", buffer).empty());
  // Whoever reads it is told as before.
  CHECK(w.tell("GET", "i3", variable("array", {}, {})).size() == 1);
}

TEST_CASE("middleware never shares memory with a function") {
  World w;
  w.tell("GET", kMiddleware, from_request(variable("value", {}, {"ada"})));
  const auto losses = w.tell("GET", "i1", variable("value", {}, {}));
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);
  CHECK(losses[0].with_middleware);
  CHECK_FALSE(losses[0].same_process);

  // The function that the same request goes on to.
  World one;
  one.tell("GET", kMiddleware, from_request(variable("value", {}, {"ada"})));
  --one.next;
  CHECK(one.tell("GET", "i1", variable("value", {}, {})).size() == 1);

  // Of a collection it may be a cache that this path does not ask.
  World map;
  map.tell("GET", kMiddleware, from_request(variable("map", {}, {"ada"})));
  const auto suspected = map.tell("GET", "i1", variable("map", {}, {}));
  REQUIRE(suspected.size() == 1);
  CHECK_FALSE(suspected[0].proven);
  CHECK(map.tell("GET", "i2", from_request(variable("map", {}, {"ada"}))).empty());  // it fills it again

  World session;
  session.tell("POST", "i1", variable("map", {}, {"sid-1"}));
  const auto asked = session.tell("GET", kMiddleware, variable("map", {}, {}), {"sid-1"});
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].proven);
  CHECK(asked[0].evidence.starts_with(
      "`rooms` has no entry for what this request asks for in middleware: it was put there by POST "));
}

TEST_CASE("middleware with instances of its own loses what it keeps as a function does") {
  World w;
  w.route = kMiddleware;
  StateSeen hits = variable("number", {}, {"1"});
  hits.counts = true;
  CHECK(w.tell("GET", "i1", hits).empty());
  CHECK(w.tell("GET", "i1", hits).empty());  // it is there again, on a warm instance
  const auto losses = w.tell("GET", "i2", hits);
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);
  CHECK(losses[0].with_middleware);
  CHECK_FALSE(losses[0].same_process);
  CHECK(
      losses[0].evidence.starts_with("`rooms` counts from its first value again on i2: it had been counted "
                                     "up by middleware at a GET on i1, "));
}

TEST_CASE("what middleware keeps for itself may be a cache, which a request of another path does not ask") {
  for (const char* method : {"GET", "POST"}) {
    World memo;
    memo.route = kMiddleware;
    CHECK(memo.tell(method, "i1", from_request(variable("map", {}, {"t-1"})), {"t-1"}).empty());
    CHECK(memo.tell("GET", "i2", variable("map", {}, {})).empty());
    CHECK(memo.tell("GET", "i3", from_request(variable("map", {}, {"t-1"})), {"t-1"}).empty());
  }
  World single;
  single.route = kMiddleware;
  single.tell("GET", "i1", from_request(variable("value", {}, {"ada"})));
  const auto losses = single.tell("GET", "i2", variable("value", {}, {}));
  REQUIRE(losses.size() == 1);
  CHECK_FALSE(losses[0].proven);
}

TEST_CASE("middleware finds what its earlier request left, because one process runs all of it here") {
  World w;
  StateSeen counted = variable("number", {"0"}, {"1"});
  counted.counts = true;
  CHECK(w.tell("GET", kMiddleware, counted).empty());
  StateSeen further = variable("number", {"1"}, {"2"});
  further.counts = true;
  const auto losses = w.tell("GET", kMiddleware, further);
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);
  CHECK(losses[0].same_process);
  CHECK(w.tell("GET", kMiddleware, further).empty());  // told once

  World cache;  // one that it fills from what it is asked
  CHECK(cache.tell("GET", kMiddleware, from_request(variable("map", {}, {"t-1"})), {"t-1"}).empty());
  CHECK(cache.tell("GET", kMiddleware, variable("map", {"t-1"}, {}), {"t-1"}).empty());
}

TEST_CASE("the later word of one invocation of middleware accuses nobody of its own writing") {
  World w;
  StateSeen counted = variable("number", {"0"}, {"1"});
  counted.counts = true;
  w.tell("GET", kMiddleware, counted);
  --w.next;  // waitUntil work is over: the same invocation
  CHECK(w.tell("GET", kMiddleware, counted).empty());
}

TEST_CASE("what middleware counts is a violation where no instance is used twice, else a warning") {
  using profile::Isolation;
  for (const Isolation isolation :
       {Isolation::invocation, Isolation::instance, Isolation::fluid, Isolation::none}) {
    test::SimWorld w(test::make_profile(), test::SimWorld::isolated(isolation));
    w.routes(
        {test::SimWorld::function("/api/a", routes::Kind::app_route, "app/api/a/route.ts", "/api/a/route")});
    StateSeen seen = variable("number", {"0"}, {"1"});
    seen.name = "hits";
    seen.at = "proxy.ts:3:5";
    seen.counts = true;
    for (int i = 0; i < 2; ++i) {
      const InvocationId id = w.admit("/api/a").id;
      StateReport report;
      report.method = "GET";
      report.seen = {seen};
      w.engine().middleware_state(id, report, w.now, {});
      w.dispatched(id, "/api/a/route", routes::Kind::app_route);
      w.placed(id, "i1", "warm");
      w.handler_started(id);
      w.head(id);
      w.ended(id);
      w.released(id);
    }
    const auto& verdicts = w.last().verdicts;
    REQUIRE(verdicts.size() == (isolation == Isolation::none ? 0 : 1));
    if (verdicts.empty()) continue;
    CHECK(verdicts[0].code == limits::Code::sim_state_not_shared);
    CHECK(verdicts[0].enforced == (isolation == Isolation::invocation));
    CHECK(verdicts[0].route == "middleware");
    CHECK(verdicts[0].file == "proxy.ts:3:5");
    CHECK(verdicts[0].measured.starts_with("`hits` goes on counting from middleware at a GET, "));
  }
}

TEST_CASE("of a collection that is too large to be seen in full only what was asked for is known") {
  const auto large = [](std::vector<std::string> had) {
    StateSeen seen = variable("map", std::move(had), {});
    seen.before = 256;
    seen.more = true;
    return seen;
  };
  World w;
  w.tell("POST", "i1", from_request(variable("map", {}, {"a"})));
  CHECK(w.tell("GET", "i2", large({"x", "y"})).empty());         // it may be among the others
  CHECK(w.tell("GET", "i2", large({"x", "a"}), {"a"}).empty());  // it is there
  StateSeen taken = large({"x"});
  taken.changed = true;
  CHECK(w.tell("DELETE", "i2", taken, {"a"}).empty());                // this request may have taken it away
  const auto losses = w.tell("GET", "i2", large({"x", "y"}), {"a"});  // it was looked up
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].proven);
}
