// Upgrades of the application: refused in three ways, or carried and closed at the limit; and Socket.IO's way
// around them.
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using profile::WebSocketRefusal;
using routes::Kind;

namespace {

SimWorld refusing(WebSocketRefusal how, bool agent = false, int status = 400) {
  auto p = make_profile();
  p.websocket_refusal.value = how;
  p.websocket_refusal_status.value = status;
  engine::EngineOptions o;
  o.agent = agent;
  return SimWorld(p, o);
}
SimWorld carrying(bool agent = false) {
  engine::EngineOptions o;
  o.agent = agent;
  return SimWorld(make_profile(Plan::hobby, Compute::fluid), o);
}
const char* kPoll = "/socket.io/?EIO=4&transport=polling&t=P1&sid=abc";

}  // namespace

TEST_CASE(
    "reject: refused at once with the profile's status, one ending with the reason and nothing left behind") {
  for (const int status : {400, 426}) {
    SimWorld w = refusing(WebSocketRefusal::reject, true, status);
    w.routes({SimWorld::function("/api/ws", Kind::pages_api, "pages/api/ws.ts", "/api/ws")});
    const Admission a = w.upgrade("/api/ws?x=1");
    CHECK(a.action == Action::refuse);
    CHECK(a.error == Code::sim_websocket_refused);
    CHECK(a.error_status == status);
    CHECK(a.tag.size > 0);
    CHECK(w.engine().active() == 0);
    CHECK(w.recorder.started.empty());
    const Ended& e = w.last();
    CHECK(e.traffic == Traffic::socket);
    CHECK(e.status == status);
    CHECK(e.outcome.ended_by == EndedBy::platform);
    CHECK(e.outcome.phase == Phase::request);
    CHECK(e.outcome.code == Code::sim_websocket_refused);
    REQUIRE(e.verdicts.size() == 1);
    CHECK(e.verdicts[0].file == "pages/api/ws.ts");
    CHECK(e.verdicts[0].provenance == &w.profile.websocket_policy.from);
  }
}

TEST_CASE("deliver-as-get: the route runs as a plain request, and the verdict stays with it") {
  for (const bool agent : {false, true}) {
    SimWorld w = refusing(WebSocketRefusal::deliver_as_get, agent);
    const Admission a = w.upgrade("/api/ws");
    CHECK(a.action == Action::as_get);
    if (agent) {
      w.dispatched(a.id, "/api/ws", Kind::pages_api);
      w.handler_started(a.id);
    }
    CHECK(w.next() == 10s);
    w.head(a.id, 426);
    w.ended(a.id);
    CHECK(w.last().traffic == Traffic::socket);
    CHECK(w.last().status == 426);
    REQUIRE(w.last().verdicts.size() == 1);
    CHECK(w.last().verdicts[0].code == Code::sim_websocket_refused);
    const Admission b = w.upgrade("/api/ws");  // a handler that waits for its socket runs into the limit
    if (agent) w.handler_started(b.id);
    CHECK(w.advance(10s).at(0).kind == ExchangeCommand::Kind::answer_error);
    CHECK(w.last().verdicts.size() == 2);
  }
}

TEST_CASE("drop: no answer and no deadline, until the client gives up") {
  SimWorld w = refusing(WebSocketRefusal::drop);
  const Admission a = w.upgrade("/ws");
  CHECK(a.action == Action::drop);
  CHECK(w.recorder.started.contains(a.id));
  CHECK(w.advance(24h).empty());
  CHECK_FALSE(w.client_left(a.id));
  w.ended(a.id);
  CHECK(w.last().traffic == Traffic::socket);
  CHECK(w.last().status == 0);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  CHECK(w.last().client_left);
  CHECK(w.last().verdicts.size() == 1);
  const Admission b =
      w.upgrade("/ws");  // the shell need not tell that the client left before it tells the end
  w.ended(b.id);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
}

TEST_CASE("tunnel: carried, and closed at the function's maximum duration counted from the 101") {
  for (const bool agent : {false, true}) {
    SimWorld w = carrying(agent);
    const Admission a = w.upgrade("/ws");
    CHECK(a.action == Action::tunnel);
    w.advance(20s);
    CHECK(w.head(a.id, 101) == Code::none);
    CHECK(w.recorder.sockets == std::vector<InvocationId>{a.id});
    CHECK(w.next() == 300s);
    CHECK(w.advance(300s - 1ns).empty());
    w.exchanged[a.id] = {10, 20};
    const auto commands = w.advance(1ns);
    REQUIRE(commands.size() == 1);
    CHECK(commands[0].kind == ExchangeCommand::Kind::cut_tunnel);
    CHECK(commands[0].code == Code::sim_websocket_closed_at_limit);
    const Ended& e = w.last();
    CHECK(e.traffic == Traffic::socket);
    CHECK(e.status == 101);
    CHECK(e.outcome.phase == Phase::tunnel);
    CHECK(e.outcome.code == Code::sim_websocket_closed_at_limit);
    CHECK(e.charged == 300s);
    CHECK(e.bytes_out == 20);
    REQUIRE(e.verdicts.size() == 1);
    CHECK(e.verdicts[0].code == Code::sim_websocket_closed_at_limit);
  }
}

TEST_CASE(
    "tunnel: maxDuration of the route is its life, scaled like any limit, and the compile grace is not part "
    "of it") {
  engine::EngineOptions o;
  o.time_scale = 10;
  o.compile_grace = 30s;
  SimWorld w(make_profile(Plan::hobby, Compute::fluid), o);
  w.routes({SimWorld::limited(SimWorld::function("/api/ws", Kind::app_route, "app/api/ws/route.ts"), 60s)});
  const Admission a = w.upgrade("/api/ws");
  CHECK(w.next() == 36s);
  w.head(a.id, 101);
  CHECK(w.next() == 6s);
  w.advance(6s);
  CHECK(w.last().route == "/api/ws");
  CHECK(w.last().verdicts.at(0).limit == "60s (6s at 10x)");
}

TEST_CASE("tunnel: an upgrade answered with something else is an ordinary response") {
  SimWorld w = carrying();
  const Admission a = w.upgrade("/ws");
  w.advance(1s);
  w.head(a.id, 404);
  CHECK(w.recorder.sockets.empty());
  CHECK(w.next() == 299s);
  w.ended(a.id);
  CHECK(w.last().status == 404);
  CHECK(w.last().outcome.phase == Phase::responding);
}

TEST_CASE("tunnel: an upgrade never answered is a timeout without an agent, and Next's business with one") {
  SimWorld w = carrying();
  w.upgrade("/ws");
  CHECK(w.advance(300s).at(0).kind == ExchangeCommand::Kind::answer_error);
  CHECK(w.last().status == 504);
  SimWorld agent = carrying(true);
  const Admission a = agent.upgrade("/ws");
  CHECK(agent.advance(24h).empty());
  agent.handler_started(a.id);
  CHECK(agent.next() == 300s);
}

TEST_CASE("tunnel: closed by either side before the limit is a quiet end") {
  SimWorld w = carrying();
  const Admission a = w.upgrade("/ws");
  w.head(a.id, 101);
  w.advance(3s);
  CHECK_FALSE(w.client_left(a.id));
  w.ended(a.id, {5, 6});
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  CHECK(w.last().client_left);
  const Admission b = w.upgrade("/ws");
  w.head(b.id, 101);
  w.ended(b.id);
  CHECK(w.last().outcome.ended_by == EndedBy::function);
  CHECK(w.last().outcome.phase == Phase::tunnel);
  CHECK(w.last().verdicts.empty());
  const Admission c = w.upgrade("/ws");
  w.head(c.id, 101);
  CHECK(w.failed(c.id, UpstreamFailure::reset) == Code::none);
  CHECK(w.last().outcome.ended_by == EndedBy::app);
  CHECK_FALSE(w.next().has_value());
}

TEST_CASE("Next ends an upgrade on a path that matches a route with zero bytes: the platform's 502") {
  SimWorld w = carrying(true);
  const Admission a = w.upgrade("/api/echo");
  CHECK(w.failed(a.id, UpstreamFailure::reset) == Code::no_response_from_function);
  CHECK(w.last().status == 502);
}

TEST_CASE("polling that delivers in one process is named a false pass, once per path") {
  for (const bool agent : {false, true}) {
    engine::EngineOptions o;
    o.agent = agent;
    SimWorld w(make_profile(), o);
    const auto poll = [&](std::string_view target, int status, std::string_view method = "GET") {
      const Admission a = w.admit(target, method);
      w.head(a.id, status, agent);
      w.ended(a.id);
      return w.last().verdicts.size();
    };
    CHECK(poll("/socket.io/?EIO=4&transport=polling&t=P0", 200) == 0);  // opens the session: any instance can
    CHECK(poll(kPoll, 400) == 0);  // and this is what Vercel would answer
    REQUIRE(poll(kPoll, 200, "POST") == 1);
    CHECK(w.last().verdicts[0].code == Code::sim_polling_false_pass);
    CHECK_FALSE(w.last().verdicts[0].enforced);
    CHECK(w.last().outcome.code == Code::none);
    CHECK(poll(kPoll, 200) == 0);
    CHECK(poll("/api/socket?EIO=4&transport=polling&sid=zzz", 200) == 1);
  }
}

TEST_CASE("polling is no news on Fluid profiles, and paths cannot fill the memory") {
  SimWorld fluid = carrying();
  const Admission a = fluid.admit(kPoll);
  fluid.head(a.id, 200);
  fluid.ended(a.id);
  CHECK(fluid.last().verdicts.empty());
  SimWorld w;
  int told = 0;
  for (int i = 0; i < 200; ++i) {
    const Admission b = w.admit("/s" + std::to_string(i) + "?EIO=4&transport=polling&sid=1");
    w.head(b.id, 200);
    w.ended(b.id);
    told += static_cast<int>(w.last().verdicts.size());
  }
  CHECK(told == 64);
}
