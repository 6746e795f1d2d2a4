// Who comes back after a deployment, and who does not.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "base/text.hpp"
#include "engine/drill.hpp"

using namespace vsim;
using namespace vsim::engine;
using namespace std::chrono_literals;
using event::EndedBy;

namespace {

InvocationId id(int n) { return static_cast<InvocationId>(n); }

struct World {
  Drill drill;
  TimePoint now{Duration(1h)};

  std::uint32_t deploy(std::vector<Open> open) { return drill.deploy(open, now); }
  void ended(int n, EndedBy by, event::Traffic traffic = event::Traffic::socket,
             limits::Code code = limits::Code::none, bool client_left = false) {
    event::InvocationEnded e;
    e.id = id(n);
    e.traffic = traffic;
    e.outcome = {by, event::Phase::tunnel, code};
    e.client_left = client_left;
    drill.on_event(e, now);
  }
  void socket(std::string_view target) { drill.on_event(event::SocketOpened{id(99), "r", target}, now); }
  void request(std::string_view target) {
    drill.on_event(event::InvocationStarted{id(98), "r", "GET", target}, now);
  }
  static std::string words(const Drill::News& news) {
    std::string out;
    for (const auto& m : news.met)
      out += fmt::format("{} {} {} stayed {} took {}\n", m.deployment, m.path, to_string(m.fate),
                         format_duration(m.stayed), format_duration(m.took));
    for (const auto& s : news.scored)
      out += fmt::format("scored {}: {}+{} back {} ended {} left {} lost {} open {} slowest {}\n",
                         s.deployment, s.sockets, s.streams, s.reconnected, s.ended, s.left, s.lost, s.open,
                         format_duration(s.slowest));
    return out;
  }
  // Moves time on, taking what there is exactly when it was asked for.
  std::string advance(Duration d) {
    std::string out;
    const TimePoint until = now + d;
    for (auto next = drill.next_wakeup(); next && *next <= until; next = drill.next_wakeup()) {
      now = std::max(now, *next);
      out += words(drill.take(now));
    }
    now = until;
    return out;
  }
};

}  // namespace

TEST_CASE("Drill: nothing was open, and that is the score") {
  World w;
  CHECK(w.deploy({}) == 2);
  CHECK(w.advance(0s) == "scored 2: 0+0 back 0 ended 0 left 0 lost 0 open 0 slowest 0s\n");
  CHECK_FALSE(w.drill.next_wakeup());
}

TEST_CASE("Drill: a socket that is cut comes back within 10 s or is lost, to the nanosecond") {
  for (const bool in_time : {true, false}) {
    World w;
    w.deploy({{id(1), "/ws", true, false}});
    CHECK(w.advance(20s) == "");
    w.ended(1, EndedBy::platform);
    std::string said = w.advance(10s - 1ns);
    CHECK(said == "");
    if (!in_time) said = w.advance(1ns);
    w.socket("/ws?token=x");
    said += w.advance(0s);
    CHECK(said == (in_time
                       ? "2 /ws reconnected stayed 20s took 9.999999999s\nscored 2: 1+0 back 1 ended 0 left "
                         "0 lost 0 open 0 slowest 9.999999999s\n"
                       : "2 /ws lost stayed 20s took 0s\nscored 2: 1+0 back 0 ended 0 left 0 lost 1 open 0 "
                         "slowest 0s\n"));
    CHECK_FALSE(w.drill.next_wakeup());
  }
}

TEST_CASE("Drill: another path, another kind, or another tab that was there before is no return") {
  World w;
  w.deploy({{id(1), "/ws", true, false}});
  w.socket("/ws");  // while it is still open: somebody else
  w.ended(1, EndedBy::platform);
  w.socket("/other");
  w.request("/ws");
  CHECK(w.advance(10s) ==
        "2 /ws lost stayed 0s took 0s\nscored 2: 1+0 back 0 ended 0 left 0 lost 1 open 0 "
        "slowest 0s\n");
}

TEST_CASE("Drill: two that wait on one path come back one by one, the first that ended first") {
  World w;
  w.deploy({{id(1), "/ws", true, false}, {id(2), "/ws", true, false}});
  w.ended(2, EndedBy::platform);
  w.advance(1s);
  w.ended(1, EndedBy::platform);
  w.advance(1s);
  w.socket("/ws");
  CHECK(w.advance(0s) == "2 /ws reconnected stayed 0s took 2s\n");
  w.socket("/ws");
  CHECK(w.advance(0s) ==
        "2 /ws reconnected stayed 1s took 1s\nscored 2: 2+0 back 2 ended 0 left 0 lost 0 open 0 "
        "slowest 2s\n");
}

TEST_CASE(
    "Drill: a stream that has said all has ended, one that is cut is lost, one whose client goes has left") {
  World w;
  w.deploy({{id(1), "/a", false, true},
            {id(2), "/b", false, true},
            {id(3), "/c", false, true},
            {id(4), "/api/slow", false, false}});  // a request, which nobody counts
  using event::Traffic;
  w.ended(1, EndedBy::function, Traffic::invocation);
  w.ended(2, EndedBy::platform, Traffic::invocation, limits::Code::function_invocation_timeout);
  w.ended(3, EndedBy::function, Traffic::invocation, limits::Code::none, true);
  w.ended(4, EndedBy::platform, Traffic::invocation, limits::Code::function_invocation_timeout);
  CHECK(w.advance(10s) ==
        "2 /a ended stayed 0s took 0s\n2 /b lost stayed 0s took 0s\n2 /c left stayed 0s took "
        "0s\nscored 2: 0+3 back 0 ended 1 left 1 lost 1 open 0 slowest 0s\n");
}

TEST_CASE("Drill: a socket belongs to the deployment that met it first, and each deployment has its score") {
  World w;
  w.deploy({{id(1), "/ws", true, false}});
  w.advance(30s);
  CHECK(w.deploy({{id(1), "/ws", true, false}, {id(2), "/ws", true, false}}) == 3);
  w.ended(2, EndedBy::platform);
  w.socket("/ws");
  CHECK(w.advance(1s) ==
        "3 /ws reconnected stayed 0s took 0s\nscored 3: 1+0 back 1 ended 0 left 0 lost 0 open 0 "
        "slowest 0s\n");
  w.ended(1, EndedBy::client);
  CHECK(w.advance(10s) ==
        "2 /ws left stayed 31s took 0s\nscored 2: 1+0 back 0 ended 0 left 1 lost 0 open 0 slowest "
        "0s\n");
}

TEST_CASE("Drill: at the end of the run what is open, or may still come back, is open and not lost") {
  World w;
  w.deploy({{id(1), "/ws", true, false}, {id(2), "/ws", true, false}, {id(3), "/ws", true, false}});
  w.ended(1, EndedBy::platform);
  w.advance(10s);
  w.ended(2, EndedBy::emulator);
  CHECK(World::words(w.drill.finish(w.now)) ==
        "scored 2: 3+0 back 0 ended 0 left 0 lost 1 open 2 slowest 0s\n");
}
