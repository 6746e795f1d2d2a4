// What is charged on an instance: from where its handler begins, without starts, compiles, a processor that
// is missing, or a request that waits.
#include <catch2/catch.hpp>

#include "unit/engine/instance_world.hpp"

using namespace vsim;
using namespace vsim::test;
using routes::Kind;

TEST_CASE("neither the wait for an instance nor its start is charged: the handler starts the clock") {
  InstanceWorld w;
  const InvocationId id = w.dispatch();
  CHECK_FALSE(w.next().has_value());
  w.advance(30s);
  w.placed(id, "i3", "cold", 30s);
  w.advance(500ms);
  w.compile_started(id);
  w.advance(4s);
  w.compile_ended(id);
  w.advance(300ms);
  CHECK_FALSE(w.next().has_value());
  w.handler_started(id);
  CHECK(w.next() == 10s);
  w.advance(2s);
  w.head(id);
  w.advance(1s);
  w.ended(id);
  w.released(id);
  CHECK(w.last().charged == 3s);
  CHECK(w.last().compile == 4s);
  CHECK(w.last().total == 37800ms);
  CHECK(w.last().instance == "i3");
  CHECK(w.last().start == "cold");
  CHECK(w.last().waited == 30s);
  CHECK(w.last().init == 800ms);
  CHECK(w.recorder.background.empty());
}

TEST_CASE("where the handler begins is told, with its limit, and at the end when the first byte came") {
  InstanceWorld w;
  const InvocationId id = w.dispatch();
  w.advance(1s);
  w.placed(id, "i3", "cold", 1s);
  CHECK(w.recorder.running.empty());
  w.advance(500ms);
  w.handler_started(id);
  w.handler_started(id);  // told twice
  REQUIRE(w.recorder.running.size() == 1);
  CHECK(w.recorder.running[0].id == id);
  CHECK(w.recorder.running[0].route == "/api/a");
  CHECK(w.recorder.running[0].instance == "i3");
  CHECK(w.recorder.running[0].start == "cold");
  CHECK(w.recorder.running[0].limit == 10s);
  w.advance(2s);
  w.head(id);
  w.advance(1s);
  w.ended(id);
  w.released(id);
  CHECK(w.last().first_byte == 3500ms);
  CHECK(w.last().limit == 10s);

  const InvocationId cut = w.start("i4");
  CHECK(w.advance(10s).size() == 1);
  CHECK(w.recorder.running.size() == 2);
  CHECK(w.last().first_byte == 0s);
  CHECK(w.last().limit == 10s);
  CHECK(w.last().id == cut);
  const InvocationId refused = w.dispatch();
  w.not_placed(refused, Code::function_throttled);
  CHECK(w.recorder.running.size() == 2);
  CHECK(w.last().limit == 0s);
}

TEST_CASE("on an instance a response head starts no clock") {
  InstanceWorld w;
  InvocationId id = w.dispatch();
  w.placed(id);
  w.head(id);
  CHECK_FALSE(w.next().has_value());
  w.advance(1h);
  w.handler_started(id);  // overtaken by the head
  CHECK(w.next() == 10s);
  CHECK(w.advance(10s).at(0).kind == ExchangeCommand::Kind::cut);

  id = w.dispatch();
  w.placed(id);
  w.head(id, 404);
  w.dispatched(id, "/api/a/route", Kind::app_route);  // told again by the instance
  CHECK_FALSE(w.next().has_value());
  w.ended(id);
  w.released(id);
  CHECK(w.last().charged == 0s);
  CHECK(w.last().traffic == Traffic::invocation);
}

TEST_CASE("what a function has waited for a processor of this machine is not charged: its deadline moves") {
  InstanceWorld w;
  Duration waited = 100s;  // of that event loop since it began
  w.processor_wait = &waited;
  w.start();
  waited += 7s;
  CHECK(w.advance(10s).empty());
  CHECK(w.recorder.notices.size() == 1);
  CHECK(w.next() == 7s);
  const auto commands = w.advance(7s);  // now it has run, and waited no more
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::answer_error);
  CHECK(w.last().charged == 10s);
  CHECK(w.last().total == 17s);
  CHECK(w.last().verdicts.at(0).code == Code::function_invocation_timeout);
}

TEST_CASE("a function that answers late on a machine without a free processor is not accused") {
  InstanceWorld w;
  Duration waited = 1s;
  w.processor_wait = &waited;
  const InvocationId id = w.start();
  waited += 9s;
  CHECK(w.advance(11s).empty());
  w.head(id);
  w.ended(id);
  w.released(id);
  CHECK(w.last().verdicts.empty());
  CHECK(w.last().charged == 2s);
}

TEST_CASE(
    "where the kernel does not tell it, or tells of next to nothing, the limit strikes when it is due") {
  for (const Duration more : {Duration(0), Duration(49ms)}) {
    InstanceWorld w;
    Duration waited = more == 0ms ? 0s : 1s;
    w.processor_wait = &waited;
    w.start();
    waited += more;
    CHECK(w.advance(10s).size() == 1);
    CHECK(w.last().total == 10s);
  }
}

TEST_CASE("an instance that leaves it to the next route is given back, and nothing is charged for it") {
  InstanceWorld w;
  const InvocationId id = w.start();
  w.advance(3s);
  w.again(id);
  w.holding.erase(id);
  CHECK_FALSE(w.next().has_value());
  w.released(id);  // the channel is slower than the answer
  w.advance(50s);
  w.dispatched(id, "/ws/route", Kind::app_route);
  w.placed(id, "i2");
  w.handler_started(id);
  CHECK(w.next() == 10s);
  w.advance(1s);
  w.head(id);
  w.ended(id);
  w.released(id);
  CHECK(w.last().charged == 1s);
  CHECK(w.last().route == "/ws");
}

TEST_CASE("an abandoned invocation keeps its instance to its deadline, also while it waits for one") {
  InstanceWorld w;
  const InvocationId id = w.dispatch();
  CHECK(w.client_left(id));
  CHECK_FALSE(w.next().has_value());  // its place in the queue is the scheduler's matter
  w.advance(100s);
  w.placed(id);
  w.handler_started(id);
  const auto commands = w.advance(10s);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::cut);
  CHECK(w.last().client_left);
  CHECK(w.engine().lingering() == 0);
}

TEST_CASE(
    "while a request to the app itself compiles or waits the caller's clock stands still, and no compile is "
    "told") {
  InstanceWorld w;
  const InvocationId id = w.start();
  w.advance(1s);
  w.engine().own_request_waits(id, w.now);
  w.advance(20s);
  CHECK_FALSE(w.next().has_value());
  w.compile_started(id);  // its own chunk meanwhile
  w.advance(2s);
  w.engine().own_request_goes_on(id, w.now);
  w.advance(3s);
  w.compile_ended(id);
  w.engine().own_request_goes_on(id, w.now);  // one too many
  w.advance(1s);
  w.head(id);
  w.ended(id);
  w.released(id);
  CHECK(w.last().charged == 2s);
  CHECK(w.last().own_requests == 22s);
  CHECK(w.last().compile == 3s);
}
