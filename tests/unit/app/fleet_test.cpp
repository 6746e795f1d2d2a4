// What is decided about the fleet is the scheduler's and tested there; here: that commands reach processes
// and that what happens to these is told.
#include "unit/app/fleet_world.hpp"

using namespace vsim;
using namespace vsim::app;
using namespace vsim::app::test;

namespace {

pid_t only_pid(World& w) {
  for (std::uint64_t n = 1; n < 50; ++n)
    if (const auto f = w.fleet->figures(static_cast<instance::InstanceId>(n)); f.pid != 0) return f.pid;
  return 0;
}

// The letter of /proc: T is stopped.
char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto at = text.rfind(") ");
  return at == std::string::npos ? '?' : text[at + 2];
}

}  // namespace

TEST_CASE("Fleet: an invocation gets a process, its end is told, and the process is gone") {
  World w(options());
  const auto id = w.ask("/ok");
  CHECK(w.until_said("handler 1"));
  CHECK(w.until_said("done 1"));
  CHECK_FALSE(w.holds(id));
  REQUIRE(w.until([&] { return w.processes() == 0; }));
  CHECK_FALSE(std::filesystem::exists(w.folder + "/i1.sock"));
  const auto totals = w.totals();
  CHECK(totals.granted == 1);
  CHECK(totals.returned == 1);
}

TEST_CASE("Fleet: a slow start is waited for; two that come meanwhile get a process each") {
  World w(options(), {"FAKE_BOOT=slow", "FAKE_BOOT_MS=300"});
  w.ask("/ok");
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  CHECK(w.until_said("done 2"));
  // Which of them is ready first is the machine's business.
  CHECK(std::count_if(w.said.begin(), w.said.end(), [](const auto& s) { return s.ends_with(" i1"); }) == 1);
  CHECK(std::count_if(w.said.begin(), w.said.end(), [](const auto& s) { return s.ends_with(" i2"); }) == 1);
}

TEST_CASE("Fleet: instances that die before they are ready are given up, with a reason") {
  auto o = options();
  World w(o, {"FAKE_BOOT=crash"});
  w.ask("/ok");
  CHECK(w.until_said("refused 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.output.find("[i1] cannot find module\n") != std::string::npos);
}

TEST_CASE("Fleet: one that never becomes ready is killed at the limit") {
  auto o = options();
  o.spawn_limit = 300ms;
  o.spawn_tries = 1;
  World w(o, {"FAKE_BOOT=silent"});
  w.ask("/ok");
  CHECK(w.until_said("refused 1 SIM_NOT_READY"));
  CHECK(w.until([&] { return w.processes() == 0; }));
}

TEST_CASE("Fleet: a crash in a request is lost with its cause, and the next request works") {
  World w(options(profile::Isolation::instance));
  const auto id = w.ask("/crash");
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[id].find("i1 exited with code 129: uncaught exception: boom") != std::string::npos);
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
}

TEST_CASE("Fleet: a process killed from outside is said to be") {
  World w(options());
  const auto id = w.ask("/hang");
  REQUIRE(w.until_said("handler 1"));
  ::kill(only_pid(w), SIGKILL);
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[id].find("killed by SIGKILL, not by vercel-sim") != std::string::npos);
}

TEST_CASE("Fleet: one that a person ends is told as that, and another follows") {
  World w(options());
  const auto id = w.ask("/hang");
  REQUIRE(w.until_said("handler 1"));
  CHECK_FALSE(w.fleet->kill("i99"));
  CHECK(w.fleet->kill("i1"));
  CHECK(w.until_said("ended 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[id].find("killed because somebody asked for it") != std::string::npos);
  CHECK(w.until([&] { return !w.fleet->kill("i1"); }));
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
}

TEST_CASE("Fleet: out of memory is told as that") {
  World w(options(), {"NODE_OPTIONS=--max-old-space-size=40"});
  const auto id = w.ask("/leak");
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[id].find("ran out of memory") != std::string::npos);
}

TEST_CASE("Fleet: a loop that never ends dies at the deadline, and ignoring SIGTERM does not help") {
  for (const char* path : {"/loop", "/hang"}) {
    World w(options(), {"FAKE_TERM=ignore"}, {}, kQuick);
    const auto id = w.ask(path);
    CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_TIMEOUT"));
    CHECK_FALSE(w.holds(id));
    CHECK(w.until([&] { return w.processes() == 0; }));
    w.loop.engine().set_time_scale(1);
    w.ask("/ok");
    CHECK(w.until_said("done 2"));
  }
}

TEST_CASE(
    "Fleet: fluid: neighbours of a loop are lost when the event loop does not answer, of a slow one not") {
  auto o = options(profile::Isolation::fluid);
  o.ping_limit = 200ms;
  {
    World w(o, {}, {}, kQuick);
    const auto neighbour = w.ask("/hang");
    w.stop_clock(neighbour);
    REQUIRE(w.until_said("handler 1"));
    w.ask("/hang");
    CHECK(w.until_said("placed 2 i1"));
    CHECK(w.until_said("lost 2 FUNCTION_INVOCATION_TIMEOUT"));
    w.loop.engine().set_time_scale(1);
    w.ask("/ok");  // not there any more
    CHECK(w.until_said("done 3"));
    CHECK(std::count(w.said.begin(), w.said.end(), "placed 3 i2") == 1);
    CHECK(w.holds(neighbour));
  }
  World w(o, {}, {}, kQuick);
  const auto neighbour = w.ask("/hang");
  w.stop_clock(neighbour);
  REQUIRE(w.until_said("handler 1"));
  w.ask("/loop");
  CHECK(w.until_said("lost 2 FUNCTION_INVOCATION_TIMEOUT"));
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[neighbour].find("event loop did not answer") != std::string::npos);
}

TEST_CASE("Fleet: an idle instance is stopped, its timers with it, and works on when it is wanted") {
  const std::string ticks = "/tmp/vsim-ticks-" + std::to_string(::getpid());
  std::filesystem::remove(ticks);
  World w(options(profile::Isolation::instance), {"FAKE_TICKS=" + ticks});
  w.ask("/timer");
  CHECK(w.until_said("done 1"));
  REQUIRE(w.left.size() == 1);
  CHECK(w.left[0].find("a.js:1:2") != std::string::npos);
  const pid_t pid = only_pid(w);
  REQUIRE(w.until([&] { return state_of(pid) == 'T'; }));
  const auto ticked = [&] { return std::filesystem::exists(ticks) ? std::filesystem::file_size(ticks) : 0; };
  const auto before = ticked();
  const auto end = std::chrono::steady_clock::now() + 200ms;
  w.until([&] { return std::chrono::steady_clock::now() > end; });
  CHECK(ticked() == before);
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i1") == 1);
  std::filesystem::remove(ticks);
}

TEST_CASE("Fleet: one that closes its control channel is of no use, and goes") {
  World w(options(profile::Isolation::instance));
  const auto id = w.ask("/close");
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[id].find("had closed its control channel") != std::string::npos);
}

TEST_CASE("Fleet: what an instance says of others is not believed, and its junk harms nobody") {
  World w(options(profile::Isolation::instance));
  const auto other = w.ask("/hang");
  REQUIRE(w.until_said("handler 1"));
  w.ask("/junk");
  CHECK(w.until_said("done 2"));
  CHECK(w.holds(other));
  CHECK(w.agent.problems.size() == 1);
}

TEST_CASE("Fleet: nothing is placed before the change it relies on is known") {
  World w(options(profile::Isolation::instance));
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  const auto waits = w.ask("/ok", 3);
  for (int i = 0; i < 20; ++i) w.io.poll();
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i1") == 0);
  w.fleet->changed({2, false, false, {"/built/a.js"}});
  CHECK_FALSE(w.holds(waits));
  w.fleet->changed({3, false, false, {}});
  CHECK(w.until_said("done 2"));
  // The old one had loaded what has changed.
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i2") == 1);
}

TEST_CASE(
    "Fleet: a change that is never told is waited for so long, then nobody is served by what may be old") {
  auto o = options(profile::Isolation::instance);
  o.early_patience = 200ms;
  World w(o);
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  w.ask("/ok", 3);
  CHECK(w.until_said("done 2"));
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i2") == 1);  // i1 is of before
  REQUIRE(w.warnings.size() == 1);
  CHECK(w.warnings[0].find("a change of the code that it has not told of") != std::string::npos);
  // Nobody waits for that one any more.
  w.ask("/ok", 3);
  CHECK(w.until_said("done 3"));
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 3 i2") == 1);
  CHECK(w.warnings.size() == 1);
  // The next one counts, and is waited for again.
  const auto waits = w.ask("/ok", 4);
  CHECK_FALSE(w.holds(waits));
  w.fleet->changed({4, false, false, {}});
  CHECK(w.until_said("done 4"));
  CHECK(w.warnings.size() == 1);
}

TEST_CASE(
    "Fleet: a dispatch of the next dev before this one is served all the same, and later changes count") {
  auto o = options(profile::Isolation::instance);
  o.early_patience = 200ms;
  World w(o);
  w.fleet->changed({5, false, false, {}});
  w.fleet->gone();
  w.fleet->boot(kBoot, "node");
  w.ask("/ok", 5);  // it was on its way
  CHECK(w.until_said("done 1"));
  CHECK(w.warnings.size() == 1);
  w.fleet->changed({1, false, false, {"/built/a.js"}});
  const auto waits = w.ask("/ok", 2);
  CHECK_FALSE(w.holds(waits));
  w.fleet->changed({2, false, false, {}});
  CHECK(w.until_said("done 2"));
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i2") == 1);
}

TEST_CASE("Fleet: who waits for a change may leave, and is refused at the stop") {
  World w(options(profile::Isolation::instance));
  const auto cancelled = w.ask("/ok", 1), left = w.ask("/ok", 1), last = w.ask("/ok", 2);
  w.leave(cancelled);
  w.end(cancelled);
  w.leave(left);
  w.fleet->changed({1, false, false, {}});
  CHECK(w.until_said("done 2"));  // the function runs on
  CHECK(w.totals().granted == 1);
  w.fleet->stop();
  CHECK(w.until_said("refused 3 SIM_NOT_READY"));
  CHECK_FALSE(w.holds(last));
  w.ask("/ok", 9);
  CHECK(w.until_said("refused 4 SIM_NOT_READY"));
}

TEST_CASE("Fleet: when next dev is gone those who wait are refused, and all instances go") {
  World w(options(profile::Isolation::instance), {"FAKE_BOOT=slow", "FAKE_BOOT_MS=400"});
  w.ask("/ok");
  w.ask("/ok", 9);
  w.fleet->gone();
  CHECK(w.until_said("refused 1 NO_RESPONSE_FROM_FUNCTION"));
  CHECK(w.until_said("refused 2 NO_RESPONSE_FROM_FUNCTION"));
  w.fleet->boot(kBoot, "node");
  w.ask("/ok", 0);  // the new agent counts from 0
  CHECK(w.until_said("done 3"));
}

TEST_CASE("Fleet: try the next route: the same invocation is placed again when its first instance is done") {
  World w(options(profile::Isolation::instance));
  const auto id = w.ask("/ok", 0, "/a/route", true);
  REQUIRE(w.until([&] { return w.holds(id); }));
  w.again(id, "/ok");
  REQUIRE(w.until([&] {
    return std::count_if(w.said.begin(), w.said.end(),
                         [](const auto& s) { return s.starts_with("placed 1"); }) == 2;
  }));
  CHECK(w.until_said("done 1"));
  CHECK(std::count(w.said.begin(), w.said.end(), "done 1") == 1);  // the first was no end
}

TEST_CASE("Fleet: try the next route: an instance that does not say that it is done is not waited for") {
  auto o = options(profile::Isolation::instance);
  o.early_patience = 200ms;
  for (const bool dies : {false, true}) {
    World w(o);
    const auto id = w.ask("/nodone", 0, "/a/route", true);
    REQUIRE(w.until_said("handler 1"));
    const pid_t pid = only_pid(w);
    w.again(id, "/ok");
    if (dies) ::kill(pid, SIGKILL);
    CHECK(w.until_said("done 1"));
    CHECK(std::count(w.said.begin(), w.said.end(), "placed 1 i2") == 1);
    CHECK(std::count_if(w.said.begin(), w.said.end(), [](const auto& s) { return s.starts_with("lost"); }) ==
          0);
    CHECK(w.warnings.size() == (dies ? 0 : 1));
    CHECK(w.until([&] { return ::kill(pid, 0) != 0; }));
  }
}

TEST_CASE("Fleet: an invocation nobody wants any more gives its instance back at once") {
  World w(options());
  w.refuse_placement = true;
  const auto id = w.ask("/ok");
  REQUIRE(w.until([&] { return w.totals().returned == 1; }));
  CHECK_FALSE(w.holds(id));
  CHECK(w.until([&] { return w.processes() == 0; }));
}

TEST_CASE("Fleet: fifty at once under a cap of three: each once, in order, and never more than three") {
  auto o = options();
  o.max_instances = 3;
  World w(o);
  std::size_t most = 0;
  for (int i = 0; i < 50; ++i) w.ask("/ok");
  REQUIRE(w.until([&] {
    most = std::max(most, w.processes());
    return w.totals().returned == 50;
  }));
  CHECK(most <= 3);
  Lines placed;
  for (const auto& line : w.said)
    if (line.starts_with("placed ")) placed.push_back(line.substr(0, line.rfind(' ')));
  REQUIRE(placed.size() == 50);
  for (std::size_t i = 0; i < 50; ++i) CHECK(placed[i] == "placed " + std::to_string(i + 1));
}

TEST_CASE("Fleet: a spare is bound to the function that is used, and frozen until it is wanted") {
  auto o = options();
  o.bound_functions = 1;
  World w(o);
  w.fleet->start();
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  REQUIRE(w.until([&] { return w.count("bound") == 1; }));
  const pid_t pid = only_pid(w);
  CHECK(w.until([&] { return state_of(pid) == 'T'; }));
  w.ask("/ok");
  CHECK(w.until_said("done 2"));
}
