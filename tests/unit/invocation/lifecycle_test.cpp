#include "invocation/lifecycle.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

using namespace vsim;
using namespace vsim::invocation;
using namespace std::chrono_literals;

namespace {

TimePoint at(Duration d) { return TimePoint(d); }

// A machine brought into each state by the shortest way.
InvocationLifecycle in(const std::string& state) {
  InvocationLifecycle l;
  l.begin(Routing{});
  if (state == "passing") l.begin(Passing{});
  if (state == "waiting") l.dispatched(at(1s), true);
  if (state == "running") l.handler_started(at(1s));
  if (state == "responding") l.response_head(at(1s), 200, true);
  if (state == "responding direct") l.response_head(at(1s), 200, false);
  if (state == "draining") {
    l.handler_started(at(1s));
    l.client_left(true);
  }
  if (state == "draining unstarted") l.client_left(true);
  if (state == "upgrading") l.begin(Upgrading{});
  if (state == "tunnel") {
    l.begin(Upgrading{});
    l.response_head(at(1s), 101, true);
  }
  if (state == "dropped") l.begin(Dropped{});
  if (state == "lingering") {
    l.handler_started(at(1s));
    l.linger();
  }
  if (state == "lingering unstarted") l.linger();
  if (state == "ended") l.end();
  return l;
}

struct Row {
  const char* from;
  const char* dispatched;  // the state after it; "no" when it is not allowed
  const char* handler;
  const char* head;      // a 200 of a function
  const char* upgraded;  // a 101
  const char* left;      // the function goes on
  const char* again;
  const char* linger;
  const char* end;
};
const Row kTable[] = {
    {"passing", "no", "no", "passing", "passing", "passing", "no", "no", "ended"},
    {"routing", "waiting", "running", "responding", "responding", "draining", "routing", "lingering",
     "ended"},
    {"waiting", "waiting", "running", "responding", "responding", "draining", "routing", "lingering",
     "ended"},
    {"running", "running", "no", "responding", "responding", "draining", "routing", "lingering", "ended"},
    {"responding", "responding", "no", "no", "no", "draining", "no", "lingering", "ended"},
    {"responding direct", "responding", "responding", "no", "no", "draining", "no", "lingering", "ended"},
    {"draining", "draining", "no", "draining", "draining", "no", "draining", "lingering", "ended"},
    {"draining unstarted", "draining", "draining", "draining", "draining", "no", "draining", "lingering",
     "ended"},
    {"upgrading", "upgrading", "upgrading", "responding", "tunnel", "upgrading", "upgrading", "lingering",
     "ended"},
    {"tunnel", "no", "no", "no", "no", "tunnel", "no", "lingering", "ended"},
    {"dropped", "no", "no", "no", "no", "dropped", "no", "no", "ended"},
    {"lingering", "no", "no", "no", "no", "no", "no", "no", "ended"},
    {"lingering unstarted", "no", "lingering", "no", "no", "no", "no", "no", "ended"},
    {"ended", "no", "no", "no", "no", "no", "no", "no", "no"},
};

}  // namespace

TEST_CASE("every moment in every state either leads where the diagram says or changes nothing and says no") {
  const TimePoint now = at(2s);
  const std::pair<const char * Row::*, std::function<bool(InvocationLifecycle&)>> moments[] = {
      {&Row::dispatched, [&](InvocationLifecycle& l) { return l.dispatched(now, true); }},
      {&Row::handler, [&](InvocationLifecycle& l) { return l.handler_started(now); }},
      {&Row::head, [&](InvocationLifecycle& l) { return l.response_head(now, 200, true); }},
      {&Row::upgraded, [&](InvocationLifecycle& l) { return l.response_head(now, 101, true); }},
      {&Row::left, [&](InvocationLifecycle& l) { return l.client_left(true); }},
      {&Row::again, [&](InvocationLifecycle& l) { return l.again(); }},
      {&Row::linger, [&](InvocationLifecycle& l) { return l.linger(); }},
      {&Row::end, [&](InvocationLifecycle& l) { return l.end(); }},
  };
  for (const Row& row : kTable) {
    int moment = 0;
    for (const auto& [column, act] : moments) {
      InvocationLifecycle l = in(row.from);
      const std::string before(name(l.state()));
      const TimePoint clock_before = l.clock() != nullptr ? l.clock()->start : TimePoint{};
      INFO(row.from << ", moment " << moment++);
      const bool allowed = act(l);
      const std::string expected = row.*column;
      CHECK(allowed == (expected != "no"));
      CHECK(name(l.state()) == (expected == "no" ? before : expected));
      if (!allowed && l.clock() != nullptr) CHECK(l.clock()->start == clock_before);
    }
  }
}

TEST_CASE(
    "compiling may begin and end in every state but those without a function, and only ends what began") {
  for (const Row& row : kTable) {
    InvocationLifecycle l = in(row.from);
    INFO(row.from);
    CHECK_FALSE(l.compile_ended(at(2s)));
    const bool none = l.is<Passing>() || l.is<Dropped>() || l.is<Ended>();
    CHECK(l.compile_started(at(2s)) == !none);
    CHECK(l.compile().compiling() == !none);
    CHECK(l.compile_ended(at(5s)) == !none);
    CHECK(l.compile().total(at(9s)) == (none ? 0s : 3s));
  }
}

TEST_CASE("nested compiles count once") {
  CompileMeter m;
  m.start(at(1s));
  m.start(at(2s));
  CHECK(m.end(at(3s)));
  CHECK(m.compiling());
  CHECK(m.total(at(4s)) == 3s);
  CHECK(m.end(at(5s)));
  CHECK_FALSE(m.end(at(6s)));
  CHECK(m.total(at(100s)) == 4s);
}

TEST_CASE("the clock stands still while something is compiled") {
  InvocationLifecycle l;
  l.begin(Routing{});
  l.compile_started(at(0s));
  l.compile_ended(at(8s));  // before the handler: not charged, and not taken off either
  l.handler_started(at(10s));
  CHECK(l.charged(at(12s)) == 2s);
  CHECK(l.clock()->due(l.compile(), 10s) == at(20s));
  l.compile_started(at(12s));
  CHECK(l.charged(at(15s)) == 2s);
  l.compile_ended(at(17s));
  CHECK(l.charged(at(18s)) == 3s);
  CHECK(l.clock()->due(l.compile(), 10s) == at(25s));
}

TEST_CASE("a handler that starts in the middle of a compile is charged from its end") {
  InvocationLifecycle l;
  l.begin(Routing{});
  l.compile_started(at(0s));
  l.handler_started(at(2s));
  CHECK(l.charged(at(5s)) == 0s);
  l.compile_ended(at(6s));
  CHECK(l.charged(at(7s)) == 1s);
  CHECK(l.clock()->due(l.compile(), 10s) == at(16s));
}

TEST_CASE("a limit of for ever is never due") {
  InvocationLifecycle l = in("running");
  CHECK(l.clock()->due(l.compile(), kForever) == TimePoint::max());
}

TEST_CASE("the phase of an ending is where it happened") {
  using event::Phase;
  CHECK(in("routing").phase() == Phase::routing);
  CHECK(in("waiting").phase() == Phase::routing);
  CHECK(in("running").phase() == Phase::running);
  CHECK(in("responding").phase() == Phase::responding);
  CHECK(in("draining").phase() == Phase::running);
  CHECK(in("tunnel").phase() == Phase::tunnel);
  CHECK(in("dropped").phase() == Phase::request);
  CHECK(in("lingering").phase() == Phase::responding);
}

TEST_CASE("nothing is charged once the function is done, and an instance that gives up leaves no clock") {
  InvocationLifecycle l = in("running");
  CHECK(l.stop_clock(at(3s)));
  CHECK_FALSE(l.stop_clock(at(4s)));
  CHECK(l.charged(at(9s)) == 2s);
  l.response_head(at(10s), 200, true);
  l.linger();
  CHECK(l.charged(at(11s)) == 2s);

  l = in("running");
  l.stop_clock(at(3s));
  CHECK(l.again());
  CHECK(l.clock() == nullptr);
  CHECK_FALSE(l.clock_stopped());
  l.dispatched(at(4s), false);
  l.handler_started(at(5s));
  CHECK(l.charged(at(7s)) == 2s);

  l = in("responding direct");  // on an instance a head alone starts no clock
  CHECK(l.dispatched(at(2s), false));
  CHECK(l.clock() == nullptr);
  CHECK(l.handler_started(at(3s)));
  CHECK(l.charged(at(4s)) == 1s);
}

TEST_CASE("a client that leaves where the function does not go on leaves the state alone") {
  for (const char* state :
       {"passing", "routing", "waiting", "running", "responding", "upgrading", "tunnel", "dropped"}) {
    InvocationLifecycle l = in(state);
    INFO(state);
    CHECK(l.client_left(false));
    CHECK(name(l.state()) == name(in(state).state()));
    CHECK(l.client_has_left());
    CHECK_FALSE(l.client_left(true));
  }
}
