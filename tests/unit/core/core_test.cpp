// Orders of arrival that surprise, one by one: what a request's connection, its instance and its deadline
// tell, in whatever order they do.
#include "unit/core/core_world.hpp"

using namespace vsim;
using namespace vsim::test;

namespace {

using Strings = std::vector<std::string>;
bool said(const CoreWorld& w, std::string_view what) {
  return std::find(w.said.begin(), w.said.end(), what) != w.said.end();
}
std::vector<Hanging> left() { return {{"interval", "app/api/a/route.ts:12:3", 1s}}; }

}  // namespace

TEST_CASE("core: an instance that dies is the cause, whether its connection or its death is told first") {
  for (const bool death_first : {false, true}) {
    CoreWorld w;
    const auto id = w.on_instance();
    w.handler(id);
    if (death_first) w.lost(id);
    w.fail(id, UpstreamFailure::reset);
    if (!death_first) {
      CHECK(w.obeyed(id).empty());  // who knows why may still say so
      w.advance(100ms);
      w.lost(id);
    }
    CHECK(w.obeyed(id) == Strings{"FUNCTION_INVOCATION_FAILED"});
    CHECK(w.last().outcome.code == Code::function_invocation_failed);
    REQUIRE(w.last().verdicts.size() == 1);
    CHECK(w.last().verdicts[0].measured.find("exited with code 1") != std::string::npos);
    w.finish();
  }
}

TEST_CASE("core: nobody knows why a connection broke: so it is said when the time for it is over") {
  CoreWorld w;
  const auto id = w.on_instance();
  w.handler(id);
  w.fail(id, UpstreamFailure::reset);
  w.advance(core::kCausePatience - 1ms);
  CHECK(w.obeyed(id).empty());
  w.advance(1ms);
  CHECK(w.obeyed(id) == Strings{"NO_RESPONSE_FROM_FUNCTION"});
  CHECK(w.core.passages() == 1);  // its instance has it still
  w.done(id);
  CHECK(w.core.passages() == 0);
}

TEST_CASE("core: a function that is done has not died of its broken connection") {
  CoreWorld w;
  const auto id = w.on_instance();
  w.handler(id);
  w.head(id);
  w.fail(id, UpstreamFailure::truncated);
  w.done(id, left());
  CHECK(w.obeyed(id) == Strings{"cut"});
  CHECK(w.last().outcome.ended_by == EndedBy::app);
  REQUIRE(w.recorder.background.size() == 1);  // and what it left is told
  w.finish();
}

TEST_CASE("core: an instance that is done before its answer was read is told when that begins") {
  CoreWorld w;
  const auto id = w.on_instance();
  w.handler(id);
  w.done(id, left());
  CHECK(w.recorder.background.empty());
  w.advance(2s);
  w.head(id);
  w.end(id);
  REQUIRE(w.recorder.background.size() == 1);
  CHECK(w.core.passages() == 0);
}

TEST_CASE("core: what the old instance has told is no news of a request that goes on elsewhere") {
  for (const bool death : {false, true}) {
    CoreWorld w;
    const auto id = w.on_instance();
    w.handler(id);
    death ? w.lost(id) : w.done(id, left());  // before its "try the next route" was read
    w.again(id);
    w.dispatch(id, "/b/[x]/route");
    w.boot();
    w.handler(id);
    w.fail(id, UpstreamFailure::reset);
    w.advance(1s);
    // Whoever believes that i2 has died tells a false cause.
    CHECK(w.last().outcome.code == Code::no_response_from_function);
    CHECK(w.last().instance == "i2");
    CHECK(w.recorder.background.empty());
    w.finish();
  }
}

TEST_CASE("core: the end of an instance is the end of its socket, whichever is told first") {
  for (const bool death_first : {false, true}) {
    CoreWorld w(profile::Isolation::fluid, Compute::fluid);
    const auto id = w.on_instance(true);
    w.handler(id);
    w.head(id, 101);
    if (death_first) w.lost(id);
    w.end(id);
    if (!death_first) w.lost(id);
    CHECK(w.last().outcome.code == Code::function_invocation_failed);
    w.finish();
  }
  CoreWorld w(profile::Isolation::fluid, Compute::fluid);
  const auto id = w.on_instance(true);
  w.handler(id);
  w.head(id, 101);
  w.exchanges[id].totals = {7, 9};
  w.end(id);
  CHECK(w.recorder.ended.empty());
  w.advance(core::kCausePatience);
  CHECK(w.last().outcome.code == Code::none);
  CHECK(w.last().bytes_out == 9);
  w.finish();
}

TEST_CASE("core: when the run ends, a socket that it closes is not waited for") {
  CoreWorld w(profile::Isolation::fluid, Compute::fluid);
  const auto id = w.on_instance(true);
  w.handler(id);
  w.head(id, 101);
  w.core.stopping();
  w.end(id);
  CHECK(w.last().outcome.ended_by == EndedBy::emulator);
  w.finish();
}

TEST_CASE("core: at its limit the client is answered or cut, and the instance taken from it") {
  CoreWorld w;
  const auto silent = w.on_instance(), streams = w.on_instance();
  w.handler(silent);
  w.handler(streams);
  w.head(streams);
  w.advance(10s);
  CHECK(w.obeyed(silent) == Strings{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK(w.obeyed(streams) == Strings{"limit"});
  CHECK((said(w, "kill i1") && said(w, "kill i2")));
  CHECK(w.core.passages() == 0);
}

TEST_CASE(
    "core: a socket that is closed already is not cut at its limit, but its instance is taken from it") {
  CoreWorld w(profile::Isolation::fluid, Compute::fluid);
  const auto id = w.on_instance(true);
  w.handler(id);
  w.head(id, 101);
  w.advance(300s - 100ms);
  w.end(id);
  CHECK(w.core.holds(id));
  w.advance(100ms);
  CHECK(w.obeyed(id).empty());
  CHECK_FALSE(w.core.holds(id));
  w.finish();
}

TEST_CASE("core: waitUntil work past the limit is told to end, gets its grace, and loses its instance") {
  CoreWorld w;
  const auto id = w.on_instance(), obedient = w.on_instance();
  for (const auto i : {id, obedient}) {
    w.handler(i);
    w.head(i);
    w.end(i);
  }
  w.advance(10s);
  CHECK(w.obeyed(id) == Strings{"expire"});
  w.done(obedient);
  w.advance(core::kExpirePatience - 1ms);
  CHECK(w.obeyed(id) == Strings{"expire"});
  CHECK_FALSE(said(w, "kill i1"));
  w.advance(1ms);
  CHECK(w.obeyed(id) == Strings{"expire"});
  CHECK(said(w, "kill i1"));
  CHECK(w.obeyed(obedient) == Strings{"expire"});
  w.finish();
}

TEST_CASE(
    "core: a request that is over before it was placed is withdrawn, and its place is not given to it") {
  CoreWorld w;
  const auto id = w.admit();
  w.dispatch(id);
  w.body_over(id);
  CHECK(w.core.scheduler_totals().waiting == 0);
  w.boot();
  CHECK_FALSE(said(w, "sent 1 i1"));
  w.finish();
}

TEST_CASE(
    "core: the clocks of its callers stand still while a request is queued or compiled, and go on however it "
    "ends") {
  for (const int how : {0, 1, 2, 3}) {
    CoreWorld w;
    const auto caller = w.on_instance();
    w.handler(caller);
    w.advance(4s);
    const auto own = w.admit();
    REQUIRE(w.core.called_by(own, caller));
    CHECK_FALSE(w.core.called_by(own, own));
    CHECK_FALSE(w.core.called_by(own, InvocationId::none));
    w.dispatch(own);
    w.advance(30s);
    CHECK(w.obeyed(caller).empty());
    if (how == 0) w.boot();
    if (how == 1) w.tell([&](auto& m, auto& out) { w.core.gone(m, out); });
    if (how == 2) w.body_over(own);
    if (how == 3) w.end(own);
    w.advance(6s - 1ms);
    CHECK(w.obeyed(caller).empty());
    w.advance(1ms);
    CHECK(w.obeyed(caller) == Strings{"FUNCTION_INVOCATION_TIMEOUT"});
    w.finish();
  }
}

TEST_CASE(
    "core: middleware that a function's own request waits for stops the function's clock as that request "
    "does") {
  CoreWorld w;
  const auto caller = w.on_instance();
  w.handler(caller);
  w.advance(4s);
  const auto own = w.admit();
  REQUIRE(w.core.called_by(own, caller));
  const auto middleware = w.admit();
  CHECK_FALSE(w.core.middleware_of(middleware, middleware));
  CHECK_FALSE(w.core.middleware_of(middleware, InvocationId::none));
  REQUIRE(w.core.middleware_of(middleware, own));
  CHECK(w.core.caller_of(middleware) == caller);  // who holds an instance while it waits for one
  w.dispatch(middleware);
  w.advance(30s);
  CHECK(w.obeyed(caller).empty());
  w.boot();
  w.advance(6s - 1ms);
  CHECK(w.obeyed(caller).empty());
  w.advance(1ms);
  CHECK(w.obeyed(caller) == Strings{"FUNCTION_INVOCATION_TIMEOUT"});

  const auto of_client = w.admit();
  const auto its = w.admit();
  CHECK(w.core.middleware_of(its, of_client));
  CHECK(w.core.caller_of(its) == InvocationId::none);
  w.finish();
}

TEST_CASE("core: places and seats have names") {
  CHECK(core::name(core::Passage::Where(core::Passage::CauseAwaited{})) == "cause awaited");
  CHECK(core::name(core::Passage::Where(core::Passage::AfterResponse{})) == "after response");
  CHECK(core::name(core::Passage::Seat(core::Passage::Lost{})) == "lost");
}
