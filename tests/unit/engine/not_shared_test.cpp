// What several instances do not share: sockets, sessions of Socket.IO, servers, and a database that has no
// room for the connections of all.
#include <catch2/catch.hpp>

#include "unit/engine/instance_world.hpp"

using namespace vsim;
using namespace vsim::test;
using profile::Isolation;
using routes::Kind;

TEST_CASE("sockets of one route on two instances are remarked on, once for each route") {
  InstanceWorld w(Isolation::fluid, make_profile(Plan::hobby, Compute::fluid));
  const auto open = [&](const char* path, const char* page, const char* instance) {
    const Admission a = w.upgrade(path);
    w.dispatched(a.id, page, Kind::app_route);
    w.placed(a.id, instance);
    w.handler_started(a.id);
    w.head(a.id, 101);
    return a.id;
  };
  open("/ws", "/ws/route", "i1");
  open("/ws", "/ws/route", "i1");
  open("/other", "/other/route", "i2");
  CHECK(w.recorder.notices.empty());  // together, or not of one route
  open("/ws", "/ws/route", "i2");
  CHECK(w.recorder.notices == std::vector<std::string>{"SIM_STATE_NOT_SHARED"});
  open("/ws", "/ws/route", "i3");
  CHECK(w.recorder.notices.size() == 1);
}

TEST_CASE("a Socket.IO session that an instance does not know is state that is not shared") {
  const char* poll = "/socket.io/?EIO=4&transport=polling&sid=abc";
  for (const auto isolation : {Isolation::invocation, Isolation::instance, Isolation::fluid}) {
    InstanceWorld w(isolation);
    InvocationId id = w.dispatch(poll);
    w.placed(id);
    w.head(id, 400);
    w.ended(id);
    w.released(id);
    REQUIRE(w.last().verdicts.size() == 1);
    const limits::Verdict& v = w.last().verdicts[0];
    CHECK(v.code == Code::sim_state_not_shared);
    CHECK((v.fix.find("worst case") != std::string::npos) == (isolation == Isolation::invocation));

    id = w.dispatch(poll);  // known: no false pass either, since this is no single process
    w.placed(id);
    w.head(id, 200);
    w.ended(id);
    w.released(id);
    CHECK(w.last().verdicts.empty());
    id =
        w.dispatch("/socket.io/?EIO=4&transport=polling");  // no session: a server that wants none of polling
    w.placed(id);
    w.head(id, 400);
    w.ended(id);
    w.released(id);
    REQUIRE(w.last().verdicts.size() == 1);
    CHECK(w.last().verdicts[0].code == Code::sim_no_socket_server);
    CHECK_FALSE(w.last().verdicts[0].enforced);
  }
  SimWorld shared(make_profile(), SimWorld::with_agent());
  const Admission a = shared.admit(poll);
  shared.dispatched(a.id, "/api/a/route", Kind::app_route);
  shared.head(a.id, 400);
  shared.ended(a.id);
  CHECK(shared.last().verdicts.empty());
}

TEST_CASE(
    "connections of several instances to one address are a remark, once; one that is refused is a "
    "violation") {
  InstanceWorld w(Isolation::instance);
  const limits::connections::HeldConnections two{"db:5432", 2, "lib/db.ts:3:9", ""};
  const limits::connections::HeldConnections refused{"db:5432", 2, "lib/db.ts:3:9",
                                                     "53300 too many clients already"};
  const InvocationId a = w.start("i1");
  w.engine().connections(a, two, w.now, w.wall());
  w.engine().connections(a, refused, w.now, w.wall());  // one process alone has filled it
  CHECK(w.recorder.notices.empty());
  const InvocationId b = w.start("i2");
  w.engine().connections(b, two, w.now, w.wall());
  w.engine().connections(b, {"redis:6379", 1, "", ""}, w.now, w.wall());
  w.engine().connections(b, two, w.now, w.wall());
  REQUIRE(w.recorder.notices.size() == 1);
  const limits::connections::HeldConnections none{"db:5432", 0, "", "53300 too many clients already"};
  const InvocationId d = w.start("i3");
  w.engine().connections(d, none, w.now, w.wall());
  w.head(d);
  w.ended(d);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].file == "app/api/a/route.ts");
  w.released(d);
  w.engine().connections(b, refused, w.now, w.wall());
  w.engine().connections(b, refused, w.now, w.wall());
  w.head(b);
  w.ended(b);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].code == Code::sim_connections_refused);
  CHECK(w.last().verdicts[0].measured == "2 instances hold 4 connections to db:5432");
  w.head(a);
  w.ended(a);
  CHECK(w.last().verdicts.empty());
  w.released(a);
  w.released(b);
  event::InstanceChanged dead;
  dead.instance = "i2";
  dead.to = "dead";
  w.engine().announce(dead, w.now, w.wall());
  const InvocationId c = w.start("i1");
  w.engine().connections(c, refused, w.now, w.wall());
  w.head(c);
  w.ended(c);
  CHECK(w.last().verdicts.empty());  // it is alone again
  w.released(c);
  const InvocationId late = w.start("i1");
  w.head(late);
  w.ended(late);
  const InvocationId other = w.start("i4");
  w.engine().connections(other, two, w.now, w.wall());
  const auto before = w.recorder.background.size();
  for (int i = 0; i < 3; ++i) w.engine().connections(late, refused, w.now, w.wall());  // it tries again
  CHECK(w.recorder.background.size() == before + 1);
  w.released(late);
}

TEST_CASE("an instance may tell itself that state was looked for which another one has") {
  InstanceWorld w;
  const InvocationId id = w.start();
  w.state_not_shared(id, "res.socket.server.io was made anew");
  w.state_not_shared(id, "and again");
  w.head(id);
  w.ended(id);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].measured == "res.socket.server.io was made anew");
  CHECK(w.recorder.notices.empty());
  w.state_not_shared(id, "told after the end");
  CHECK(w.recorder.notices == std::vector<std::string>{"SIM_STATE_NOT_SHARED"});
  w.released(id);
}

TEST_CASE("what a function puts on its server is not shared when it makes it again on another instance") {
  InstanceWorld w;
  const auto answer = [&](std::string_view instance, std::string_view name,
                          std::string_view page = "/api/a/route") {
    const InvocationId id = w.dispatch("/api/a", page);
    w.placed(id, instance);
    w.handler_started(id);
    w.engine().kept_on_server(id, name, w.now, w.wall());
    w.head(id);
    w.ended(id);
    w.released(id);
    return w.last().verdicts;
  };
  CHECK(answer("i1", "io").empty());
  CHECK(answer("i1", "io").empty());
  CHECK(answer("i2", "wss").empty());
  CHECK(answer("i2", "io", "/api/b/route").empty());  // another function
  const auto verdicts = answer("i3", "io");
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].code == Code::sim_state_not_shared);
  CHECK(verdicts[0].measured ==
        "res.socket.server.io was made again on i3: i1 has its own, and nothing of it is seen here");
  CHECK(answer("i4", "io").size() == 1);
  w.engine().code_changed();
  CHECK(answer("i5", "io").empty());
}
