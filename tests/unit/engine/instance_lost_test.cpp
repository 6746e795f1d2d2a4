// An invocation that gets no instance, or loses the one that it has: what the client gets and what is said of
// it.
#include <catch2/catch.hpp>

#include "unit/engine/instance_world.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE("an invocation that gets no instance is answered with the reason, and says how long it waited") {
  const std::pair<Code, EndedBy> rows[] = {{Code::function_throttled, EndedBy::platform},
                                           {Code::infinite_loop_detected, EndedBy::platform},
                                           {Code::function_invocation_failed, EndedBy::app}};
  for (const auto& [code, by] : rows) {
    InstanceWorld w;
    const InvocationId id = w.dispatch();
    w.advance(2s);
    CHECK(w.not_placed(id, code, 2s) == code);
    CHECK(w.last().status == limits::info(code).status);
    CHECK(w.last().outcome.code == code);
    CHECK(w.last().outcome.ended_by == by);
    CHECK(w.last().outcome.phase == Phase::routing);
    REQUIRE(w.last().verdicts.size() == 1);
    CHECK(w.last().verdicts[0].route == "/api/a");
    CHECK(w.last().verdicts[0].measured.ends_with("waited 2.00s"));
  }
  InstanceWorld w;
  const InvocationId id = w.dispatch();
  w.client_left(id);
  CHECK(w.not_placed(id, Code::function_throttled) == Code::none);  // to whom?
  CHECK(w.last().status == 0);
  const InvocationId stopped = w.dispatch();
  CHECK(w.not_placed(stopped, Code::sim_not_ready) == Code::sim_not_ready);
  CHECK(w.last().outcome.ended_by == EndedBy::emulator);
  CHECK(w.last().verdicts.empty());
}

TEST_CASE("an instance that a person has ended gives the same error, and is no violation of the app's") {
  InstanceWorld w;
  const InvocationId id = w.start("i7");
  CHECK(w.lost(id, Code::function_invocation_failed, "killed because somebody asked for it", {}, true) ==
        Code::function_invocation_failed);
  CHECK(w.last().status == 500);
  CHECK(w.last().outcome.ended_by == EndedBy::emulator);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK_FALSE(w.last().verdicts[0].enforced);
}

TEST_CASE("an instance that dies gives the platform's error, with the cause of its death in the verdict") {
  InstanceWorld w;
  InvocationId id = w.start("i7");
  w.advance(1s);
  CHECK(w.lost(id, Code::function_invocation_failed, "process.exit(1)") == Code::function_invocation_failed);
  CHECK(w.last().status == 500);
  CHECK(w.last().outcome.ended_by == EndedBy::app);
  CHECK(w.last().outcome.phase == Phase::running);
  CHECK(w.last().outcome.code == Code::function_invocation_failed);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].measured == "instance i7: process.exit(1)");
  CHECK(w.last().verdicts[0].file == "app/api/a/route.ts");

  id = w.start();  // a head was sent: the status stays, the stream is cut
  w.head(id, 200);
  CHECK(w.lost(id, Code::no_response_from_function, "exited", {0, 7}) == Code::none);
  CHECK(w.last().status == 200);
  CHECK(w.last().bytes_out == 7);
  CHECK(w.last().outcome.code == Code::no_response_from_function);

  id = w.dispatch();  // its modules took too long
  w.placed(id, "i9", "cold");
  w.advance(10s);
  CHECK(w.lost(id, Code::function_invocation_timeout, "modules not evaluated within 10s") ==
        Code::function_invocation_timeout);
  CHECK(w.last().status == 504);
  CHECK(w.last().charged == 0s);
  CHECK(w.last().outcome.ended_by == EndedBy::platform);
  CHECK(w.last().outcome.phase == Phase::routing);

  id = w.start();  // nobody waits
  w.client_left(id);
  CHECK(w.lost(id, Code::none) == Code::none);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  CHECK(w.last().verdicts.empty());
}

TEST_CASE("a crash after the head is told as an answer that is cut, not as one that never came") {
  InstanceWorld w;
  const InvocationId before = w.start();
  w.lost(before, Code::function_invocation_failed, "process.exit(1)");
  CHECK(w.last().verdicts.at(0).measured == "instance i1: process.exit(1)");
  const InvocationId streaming = w.start();
  w.head(streaming);
  w.lost(streaming, Code::function_invocation_failed, "process.exit(1)");
  CHECK(w.last().verdicts.at(0).measured ==
        "instance i1: process.exit(1); its answer had begun and was cut off");
}
