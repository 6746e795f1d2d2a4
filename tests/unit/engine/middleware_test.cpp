// Middleware on instances, and functions of the edge runtime: the limits and errors that they have of their
// own.
#include <catch2/catch.hpp>

#include "unit/engine/instance_world.hpp"

using namespace vsim;
using namespace vsim::test;
using routes::Kind;

namespace {

// next dev asks for an instance of middleware: an invocation of its own, at the path of the request.
InvocationId middleware(InstanceWorld& w, std::string_view instance) {
  const Admission a = w.admit("/api/a");
  w.dispatched(a.id, "/proxy", Kind::middleware);
  w.placed(a.id, instance);
  w.handler_started(a.id);
  return a.id;
}

}  // namespace

TEST_CASE("middleware has the time to its first byte that the edge runtime has, and an error of its own") {
  for (const bool known : {true, false}) {
    InstanceWorld w;
    if (known) w.routes({SimWorld::function("/proxy", Kind::middleware, "proxy.ts", "/proxy")});
    middleware(w, "i1");
    CHECK(w.advance(25s - 1ns).empty());
    const auto commands = w.advance(1ns);
    REQUIRE(commands.size() == 1);
    CHECK(commands[0].kind == ExchangeCommand::Kind::answer_error);
    CHECK(commands[0].code == Code::middleware_invocation_timeout);
    CHECK(w.last().status == 504);
    CHECK(w.last().kind == "middleware");
    CHECK(w.last().route == "middleware");
    CHECK(w.last().runtime == "nodejs");
    CHECK(w.last().outcome.code == Code::middleware_invocation_timeout);
    REQUIRE(w.last().verdicts.size() == 1);
    CHECK(w.last().verdicts[0].code == Code::middleware_invocation_timeout);
    CHECK(w.last().verdicts[0].limit_key == "edge.first_byte");
    CHECK(w.last().verdicts[0].limit == "25s");
  }
}

TEST_CASE("middleware whose process ends has crashed by its own name") {
  InstanceWorld w;
  const InvocationId id = middleware(w, "i1");
  CHECK(w.lost(id, Code::function_invocation_failed, "process.exit(1)") ==
        Code::middleware_invocation_failed);
  CHECK(w.last().status == 500);
  CHECK(w.last().outcome.code == Code::middleware_invocation_failed);
  CHECK(w.last().verdicts.at(0).code == Code::middleware_invocation_failed);
  const InvocationId late = middleware(w, "i2");
  CHECK(w.lost(late, Code::function_invocation_timeout, "init") == Code::middleware_invocation_timeout);
}

TEST_CASE("waitUntil of middleware ends at its limit") {
  InstanceWorld w;
  const InvocationId id = middleware(w, "i1");
  w.head(id);
  w.ended(id);
  const auto commands = w.advance(300s);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::expire);
  CHECK(commands[0].code == Code::middleware_invocation_timeout);
}

TEST_CASE("what middleware answers is no answer of a socket server") {
  InstanceWorld w;
  const Admission a = w.admit("/socket.io/?EIO=4&transport=polling&sid=x");
  w.dispatched(a.id, "/proxy", Kind::middleware);
  w.placed(a.id);
  w.handler_started(a.id);
  w.head(a.id, 400);
  w.ended(a.id);
  CHECK(w.last().verdicts.empty());
}

TEST_CASE("an edge function that does not begin in time is named as documented and answered as seen") {
  InstanceWorld w;
  const Admission a = w.admit("/api/edge");
  w.dispatched(a.id, "/api/edge/route", Kind::app_route, false, routes::Runtime::edge);
  CHECK(w.engine().function(a.id)->edge);
  w.placed(a.id);
  w.handler_started(a.id);
  CHECK(w.advance(25s - 1ns).empty());
  CHECK(w.advance(1ns).at(0).code == Code::function_invocation_timeout);
  CHECK(w.last().verdicts.at(0).code == Code::edge_function_invocation_timeout);
}
