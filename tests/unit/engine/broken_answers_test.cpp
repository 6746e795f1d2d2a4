// Answers that are no answers: broken off by the function, read by nobody, or given to a socket's client by
// what is no socket server.
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;

TEST_CASE(
    "a response that breaks off is told with its cause: a warning after its head, NO_RESPONSE_FROM_FUNCTION "
    "before") {
  SimWorld w(make_profile(), SimWorld::isolated());
  const auto begun = [&] {
    const Admission a = w.admit("/api/slow");
    w.dispatched(a.id, "/api/slow/route", routes::Kind::app_route);
    w.placed(a.id);
    w.handler_started(a.id);
    return a.id;
  };
  const limits::broken_off::Cause cause{"the model went away", "app/api/slow/route.ts:9:24"};
  InvocationId id = begun();
  w.head(id);
  CHECK(w.failed(id, UpstreamFailure::truncated, {0, 6}, &cause) == Code::none);
  CHECK(w.last().status == 200);
  CHECK(w.last().outcome.ended_by == EndedBy::app);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].code == Code::sim_response_broken_off);
  CHECK_FALSE(w.last().verdicts[0].enforced);
  CHECK(w.last().verdicts[0].measured == "the function broke off its response: the model went away");
  CHECK(w.last().verdicts[0].file == "app/api/slow/route.ts:9:24");

  id = begun();
  CHECK(w.failed(id, UpstreamFailure::reset, {}, &cause) == Code::no_response_from_function);
  CHECK(w.last().status == 502);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].enforced);
  CHECK(w.last().verdicts[0].measured == "the function destroyed its response: the model went away");

  id = begun();  // only the connection was seen
  w.head(id);
  w.failed(id, UpstreamFailure::truncated);
  CHECK(w.last().verdicts.at(0).measured == "its connection ended in the middle of the response");

  id = begun();  // nobody reads it
  w.head(id);
  w.client_left(id);
  w.failed(id, UpstreamFailure::truncated, {}, &cause);
  CHECK(w.last().verdicts.empty());
}

TEST_CASE(
    "a client that left is one thing: at the limit neither a reset nor a half close is a violation, and a "
    "note says it once") {
  for (const bool half : {false, true}) {
    for (const bool head : {false, true}) {
      CAPTURE(half, head);
      SimWorld w;
      for (int i = 0; i < 2; ++i) {
        const Admission a = w.admit("/api/sse");
        if (head) w.head(a.id);
        if (half)
          w.client_half_closed(a.id);
        else
          CHECK(w.client_left(a.id));
        CHECK(w.advance(10s).size() == 1);
        CHECK(w.last().client_left);
        CHECK(w.last().verdicts.empty());
        CHECK(w.last().outcome.code == Code::none);
        CHECK(w.last().outcome.ended_by == EndedBy::platform);
      }
      CHECK(w.recorder.notices.size() == 1);
    }
  }
  SimWorld w;  // it only waited for the answer, and got it
  const Admission a = w.admit("/api/slow");
  w.client_half_closed(a.id);
  w.head(a.id);
  w.ended(a.id, {0, 3});
  CHECK_FALSE(w.last().client_left);
  w.admit("/api/slow");  // the slot is used again
  CHECK(w.advance(10s).size() == 1);
  CHECK(w.last().verdicts.size() == 1);
}

TEST_CASE("Socket.IO and upgrades without a server are told once for each path and kind of answer") {
  SimWorld w(make_profile(Plan::hobby, Compute::fluid), SimWorld::isolated(profile::Isolation::fluid));
  const auto told = [&](InvocationId id) {
    w.ended(id);
    std::vector<Code> codes;
    for (const auto& v : w.last().verdicts) codes.push_back(v.code);
    return codes;
  };
  const std::vector<Code> no_server{Code::sim_no_socket_server};
  const auto ask = [&](std::string_view target, int status) {
    const Admission a = w.admit(std::string(target));
    w.head(a.id, status, true);
    return told(a.id);
  };
  const Admission moved = w.admit("/socket.io/?EIO=4&transport=polling&t=1");
  w.head(moved.id, 308, std::string_view(), std::nullopt, "/socket.io?EIO=4");
  CHECK(told(moved.id) == no_server);
  CHECK(ask("/socket.io?EIO=4&transport=polling&t=1", 404) == no_server);
  CHECK(ask("/socket.io?EIO=4&transport=polling&t=2", 404).empty());
  CHECK(ask("/socket.io/?EIO=4&transport=polling&t=3", 404).empty());  // the same path
  CHECK(ask("/other?EIO=4&transport=polling", 404) == no_server);
  CHECK(ask("/missing", 404).empty());
  const Admission up = w.upgrade("/socket.io/?EIO=4&transport=websocket");
  w.head(up.id, 404, true);
  CHECK(told(up.id) == no_server);
  const Admission again = w.upgrade("/socket.io/?EIO=4&transport=websocket");
  w.head(again.id, 404, true);
  CHECK(told(again.id).empty());
  w.engine().code_changed();
  CHECK(ask("/socket.io?EIO=4&transport=polling&t=4", 404) == no_server);
}

TEST_CASE("an interval of one line is told once, however many invocations leave it behind") {
  SimWorld w(make_profile(), SimWorld::isolated());
  const auto left = [&](std::vector<Hanging> hanging) {
    const std::size_t before = w.recorder.background.size();
    const Admission a = w.admit("/api/slow");
    w.dispatched(a.id, "/api/slow/route", routes::Kind::app_route);
    w.placed(a.id);
    w.handler_started(a.id);
    w.head(a.id);
    w.ended(a.id);
    w.released(a.id, hanging);
    return w.recorder.background.size() - before;
  };
  const Hanging tick{"interval", "lib/x.ts:3:1", 1s}, tock{"interval", "lib/y.ts:3:1", 1s};
  const Hanging once{"timeout", "lib/x.ts:3:1", 1s};
  CHECK(left({tick}) == 1);
  CHECK(left({tick}) == 0);
  CHECK(left({tick, tock}) == 1);
  CHECK(left({tock, tick}) == 0);
  CHECK(left({tick, once}) == 1);  // a timeout is each time another one
  CHECK(left({tick, once}) == 1);
  CHECK(left({{"interval", "", 1s}}) == 1);  // nobody knows where
  CHECK(left({{"interval", "", 1s}}) == 1);
  w.engine().code_changed();
  CHECK(left({tick}) == 1);
}
