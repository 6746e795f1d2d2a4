// Where an invocation runs: what is charged on an instance, what is told when it is lost, and what happens
// between the response's end and the moment the instance is given back.
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using profile::Isolation;
using routes::Kind;

namespace {

struct World : SimWorld {
  explicit World(Isolation isolation = Isolation::invocation,
                 profile::Profile p = make_profile(Plan::hobby, Compute::serverless))
      : SimWorld(std::move(p), isolated(isolation)) {
    routes({SimWorld::function("/api/a", Kind::app_route, "app/api/a/route.ts", "/api/a/route"),
            SimWorld::function("/ws", Kind::app_route, "app/ws/route.ts", "/ws/route")});
  }
  InvocationId dispatch(std::string_view target = "/api/a", std::string_view page = "/api/a/route") {
    const Admission a = admit(target);
    dispatched(a.id, page, Kind::app_route);
    return a.id;
  }
  InvocationId start(std::string_view instance = "i1", std::string_view how = "warm") {
    const InvocationId id = dispatch();
    placed(id, instance, how);
    handler_started(id);
    return id;
  }
};

std::vector<Hanging> left() { return {{"interval", "app/api/a/route.ts:12:3", 1s}}; }

}  // namespace

TEST_CASE("neither the wait for an instance nor its start is charged: the handler starts the clock") {
  World w;
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
  World w;
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
  World w;
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

TEST_CASE("what the shell needs to know of a function is there once it was dispatched") {
  World w;
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

TEST_CASE("what a function has waited for a processor of this machine is not charged: its deadline moves") {
  World w;
  Duration waited = 100s;  // of that event loop since it began
  w.engine().set_unserved_reader([](void* at, InvocationId) { return *static_cast<Duration*>(at); }, &waited);
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
  World w;
  Duration waited = 1s;
  w.engine().set_unserved_reader([](void* at, InvocationId) { return *static_cast<Duration*>(at); }, &waited);
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
    World w;
    Duration waited = more == 0ms ? 0s : 1s;
    w.engine().set_unserved_reader([](void* at, InvocationId) { return *static_cast<Duration*>(at); },
                                   &waited);
    w.start();
    waited += more;
    CHECK(w.advance(10s).size() == 1);
    CHECK(w.last().total == 10s);
  }
}

TEST_CASE("an invocation that gets no instance is answered with the reason, and says how long it waited") {
  const std::pair<Code, EndedBy> rows[] = {{Code::function_throttled, EndedBy::platform},
                                           {Code::infinite_loop_detected, EndedBy::platform},
                                           {Code::function_invocation_failed, EndedBy::app}};
  for (const auto& [code, by] : rows) {
    World w;
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
  World w;
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
  World w;
  const InvocationId id = w.start("i7");
  CHECK(w.lost(id, Code::function_invocation_failed, "killed because somebody asked for it", {}, true) ==
        Code::function_invocation_failed);
  CHECK(w.last().status == 500);
  CHECK(w.last().outcome.ended_by == EndedBy::emulator);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK_FALSE(w.last().verdicts[0].enforced);
}

TEST_CASE("an instance that dies gives the platform's error, with the cause of its death in the verdict") {
  World w;
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

TEST_CASE(
    "after the response the invocation lives on with its instance, and is over when that is given back") {
  World w;
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
  World w;
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
    World w(row.isolation);
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
  World w;
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
  World w;
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

TEST_CASE("an instance that leaves it to the next route is given back, and nothing is charged for it") {
  World w;
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
  World w;
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

TEST_CASE("sockets of one route on two instances are remarked on, once for each route") {
  World w(Isolation::fluid, make_profile(Plan::hobby, Compute::fluid));
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

TEST_CASE("a socket on an instance is one invocation, closed at the maximum duration") {
  World w(Isolation::fluid, make_profile(Plan::hobby, Compute::fluid));
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

TEST_CASE("a Socket.IO session that an instance does not know is state that is not shared") {
  const char* poll = "/socket.io/?EIO=4&transport=polling&sid=abc";
  for (const auto isolation : {Isolation::invocation, Isolation::instance, Isolation::fluid}) {
    World w(isolation);
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
  World w(Isolation::instance);
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
  World w;
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

TEST_CASE(
    "while a request to the app itself compiles or waits the caller's clock stands still, and no compile is "
    "told") {
  World w;
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

TEST_CASE("what a function puts on its server is not shared when it makes it again on another instance") {
  World w;
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

TEST_CASE("the id of an answer has the function's region too, as its header does; that of an error one") {
  World w;
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

TEST_CASE("a crash after the head is told as an answer that is cut, not as one that never came") {
  World w;
  const InvocationId before = w.start();
  w.lost(before, Code::function_invocation_failed, "process.exit(1)");
  CHECK(w.last().verdicts.at(0).measured == "instance i1: process.exit(1)");
  const InvocationId streaming = w.start();
  w.head(streaming);
  w.lost(streaming, Code::function_invocation_failed, "process.exit(1)");
  CHECK(w.last().verdicts.at(0).measured ==
        "instance i1: process.exit(1); its answer had begun and was cut off");
}

TEST_CASE("the route of a page is what people call it") {
  World w;
  CHECK(w.engine().route_of({.page = "/api/a/route", .kind = Kind::app_route}) == "/api/a");
  CHECK(w.engine().route_of({.page = "/(shop)/cart/page", .kind = Kind::app_page}) == "/cart");
  CHECK(w.engine().route_of({}).empty());
}

namespace {

// next dev asks for an instance of middleware: an invocation of its own, at the path of the request.
InvocationId middleware(World& w, std::string_view instance) {
  const Admission a = w.admit("/api/a");
  w.dispatched(a.id, "/proxy", Kind::middleware);
  w.placed(a.id, instance);
  w.handler_started(a.id);
  return a.id;
}

}  // namespace

TEST_CASE("middleware has the time to its first byte that the edge runtime has, and an error of its own") {
  for (const bool known : {true, false}) {
    World w;
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
  World w;
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
  World w;
  const InvocationId id = middleware(w, "i1");
  w.head(id);
  w.ended(id);
  const auto commands = w.advance(300s);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::expire);
  CHECK(commands[0].code == Code::middleware_invocation_timeout);
}

TEST_CASE("what middleware answers is no answer of a socket server") {
  World w;
  const Admission a = w.admit("/socket.io/?EIO=4&transport=polling&sid=x");
  w.dispatched(a.id, "/proxy", Kind::middleware);
  w.placed(a.id);
  w.handler_started(a.id);
  w.head(a.id, 400);
  w.ended(a.id);
  CHECK(w.last().verdicts.empty());
}

TEST_CASE("an edge function that does not begin in time is named as documented and answered as seen") {
  World w;
  const Admission a = w.admit("/api/edge");
  w.dispatched(a.id, "/api/edge/route", Kind::app_route, false, routes::Runtime::edge);
  CHECK(w.engine().function(a.id)->edge);
  w.placed(a.id);
  w.handler_started(a.id);
  CHECK(w.advance(25s - 1ns).empty());
  CHECK(w.advance(1ns).at(0).code == Code::function_invocation_timeout);
  CHECK(w.last().verdicts.at(0).code == Code::edge_function_invocation_timeout);
}
