// What an invocation on an instance is told as: its function, its route, the id of its answer, a socket.
#include <catch2/catch.hpp>

#include "unit/engine/instance_world.hpp"

using namespace vsim;
using namespace vsim::test;
using profile::Isolation;
using routes::Kind;

TEST_CASE("what the shell needs to know of a function is there once it was dispatched") {
  InstanceWorld w;
  w.routes({SimWorld::limited(
      SimWorld::function("/api/a", Kind::app_route, "app/api/a/route.ts", "/api/a/route"), 25s)});
  const Admission a = w.admit("/api/a");
  CHECK_FALSE(w.engine().function(a.id).has_value());
  w.dispatched(a.id, "/api/a/route", Kind::app_route);
  const auto f = w.engine().function(a.id);
  REQUIRE(f.has_value());
  CHECK(f->page == "/api/a/route");
  CHECK(f->route == "/api/a");
  CHECK(f->file == "app/api/a/route.ts");
  CHECK(f->kind == "app_route");
  CHECK(f->max_duration == 25s);
  CHECK(f->deadline == 25s);
  CHECK_FALSE(f->edge);
  CHECK_FALSE(f->is_static);
  w.not_placed(a.id, Code::function_throttled);
  CHECK_FALSE(w.engine().function(a.id).has_value());
}

TEST_CASE("a socket on an instance is one invocation, closed at the maximum duration") {
  InstanceWorld w(Isolation::fluid, make_profile(Plan::hobby, Compute::fluid));
  const Admission a = w.upgrade("/ws");
  CHECK(a.action == Action::tunnel);
  w.dispatched(a.id, "/ws/route", Kind::app_route);
  w.placed(a.id, "i2");
  w.handler_started(a.id);
  w.advance(1s);
  w.head(a.id, 101);
  CHECK(w.recorder.socket_instance == "i2");
  CHECK(w.next() == 300s);
  const auto commands = w.advance(300s);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::cut_tunnel);
  CHECK(w.last().traffic == Traffic::socket);
  CHECK(w.last().route == "/ws");
}

TEST_CASE("the id of an answer has the function's region too, as its header does; that of an error one") {
  InstanceWorld w;
  const InvocationId answered = w.start();
  w.head(answered);
  w.ended(answered);
  w.released(answered);
  CHECK(w.last().request_id.starts_with("dev1::dev1::"));
  const InvocationId crashed = w.start();
  w.lost(crashed, Code::function_invocation_failed);
  CHECK(w.last().request_id.starts_with("dev1::"));
  CHECK_FALSE(w.last().request_id.starts_with("dev1::dev1::"));
  const Admission direct = w.admit("/robots.txt");
  w.head(direct.id, 200, true);
  w.ended(direct.id);
  CHECK_FALSE(w.last().request_id.starts_with("dev1::dev1::"));
}

TEST_CASE("the route of a page is what people call it") {
  InstanceWorld w;
  CHECK(w.engine().route_of({.page = "/api/a/route", .kind = Kind::app_route}) == "/api/a");
  CHECK(w.engine().route_of({.page = "/(shop)/cart/page", .kind = Kind::app_page}) == "/cart");
  CHECK(w.engine().route_of({}).empty());
}
