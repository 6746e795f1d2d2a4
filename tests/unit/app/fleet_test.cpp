// The fleet on real processes: a fake instance (tests/fixtures/children/fake_instance.mjs) that does what
// user code and broken instances do. What is decided is the scheduler's and tested there; here: that commands
// reach processes and that what happens to these is told.
#include "app/fleet.hpp"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/clock.hpp"
#include "process/guardian.hpp"

using namespace vsim;
using namespace vsim::app;
using namespace std::chrono_literals;

namespace {

// Long enough for a loaded machine under sanitizers; only a failing test waits for it.
constexpr auto kDeadline = 30s;
const std::string kToken = "0123456789abcdef";
using Lines = std::vector<std::string>;

struct NoAgent final : agent::ControlHandler {
  Lines problems;
  void on_hello(const agent::Hello&) override {}
  void on_listening() override {}
  void on_config(const agent::AppConfig&) override {}
  void on_dispatch(InvocationId, std::string_view, std::string_view, std::string_view, bool) override {}
  void on_compile(InvocationId, bool) override {}
  void on_handler(InvocationId) override {}
  void on_compiled(std::string_view, double) override {}
  void on_boot(std::string_view) override {}
  void on_changed(const agent::Changed&) override {}
  void on_problem(std::string_view message) override { problems.emplace_back(message); }
  void on_closed(bool) override {}
};

// Stands for the edge: sends a request as soon as it is placed, and writes down what it is told.
struct World final : FleetOwner, FleetWatcher {
  struct Call {
    InvocationId id;
    std::string path;
  };

  explicit World(instance::Options scheduler, process::Environment env = {}) {
    ::signal(SIGPIPE, SIG_IGN);
    char name[] = "/tmp/vsim-fleet-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    REQUIRE(channel.listen(folder + "/agent.sock"));
    FleetOptions o;
    scheduler.refill_delay = 1ms;
    o.scheduler = scheduler;
    o.run_dir = folder;
    o.env = process::current_environment();
    for (const std::string& entry : env) {
      const auto equals = entry.find('=');
      process::set_env(o.env, entry.substr(0, equals), entry.substr(equals + 1));
    }
    o.script = VSIM_SOURCE_DIR "/tests/fixtures/children/fake_instance.mjs";
    o.control_socket = folder + "/agent.sock";
    o.token = kToken;
    o.memory_max = 64u << 20;
    fleet = std::make_unique<Fleet>(io, supervisor, timeouts, &channel, *this, *this, o);
    fleet->boot("/boot.json", "node");
  }
  ~World() {
    fleet->stop();
    bool stopped = false;
    supervisor.stop_all(0ms, [&] { stopped = true; });
    CHECK(until([&] { return stopped; }));
    open.clear();
    attempts.clear();
    pools.clear();
    fleet.reset();
    std::filesystem::remove_all(folder);
  }

  template <class F>
  bool until(F done) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (io.stopped()) io.restart();
      io.run_one_for(10ms);
    }
    return true;
  }
  bool until_said(std::string_view line) {
    const bool found = until([&] { return std::find(said.begin(), said.end(), line) != said.end(); });
    if (!found) {
      std::string all;
      for (const auto& s : said) all += s + "\n";
      FAIL_CHECK("never said: " << line << "; but\n" << all);
    }
    return found;
  }
  static std::string text(InvocationId id) { return std::to_string(static_cast<std::uint64_t>(id)); }

  InvocationId ask(std::string path, std::uint64_t generation = 0, std::string_view page = "/a/route") {
    const auto id = static_cast<InvocationId>(++last);
    calls[id] = {id, std::move(path)};
    fleet->request(id, {page, "APP_ROUTE", "nodejs", "GET / HTTP/1.1\r\n", {}}, InvocationId::none,
                   generation);
    return id;
  }
  std::size_t count(std::string_view state) const {
    std::size_t n = 0;
    for (const auto& [id, now_in] : states) n += now_in == state;
    return n;
  }
  std::size_t processes() const { return fleet->totals().instances; }

  bool fleet_placed(InvocationId id, const Placed& placed) override {
    said.push_back("placed " + text(id) + " " + std::string(placed.instance));
    if (refuse_placement) return false;
    secrets[id] = placed.secret;
    pools.push_back(placed.pool.shared_from_this());
    attempts[id] =
        placed.pool.connect([this, id](net::ErrorCode error, std::unique_ptr<net::Upstream> upstream) {
          if (error) return said.push_back("unreachable " + text(id));
          upstream->connection().write("GET " + calls[id].path + " HTTP/1.1\r\nHost: x\r\nX-Vsim-Id: " +
                                       secrets[id] + "." + text(id) + "\r\nConnection: close\r\n\r\n");
          upstream->connection().start_reading();
          open[id] = std::move(upstream);
        });
    return true;
  }
  void fleet_refused(InvocationId id, limits::Code code, Duration) override {
    said.push_back("refused " + text(id) + " " + std::string(limits::info(code).name));
  }
  void fleet_lost(InvocationId id, limits::Code code, std::string_view cause) override {
    said.push_back("lost " + text(id) + " " + std::string(limits::info(code).name));
    causes[id] = cause;
  }
  void fleet_crashed(InvocationId id, limits::Code code, std::string_view cause) override {
    said.push_back("crashed " + text(id) + " " + std::string(limits::info(code).name));
    causes[id] = cause;
  }
  void fleet_broken_off(InvocationId id, std::string_view, std::string_view) override {
    said.push_back("broken off " + text(id));
  }
  void fleet_broke(InvocationId id) override { said.push_back("broke " + text(id)); }
  void fleet_handler(InvocationId id) override { said.push_back("handler " + text(id)); }
  void fleet_identity(InvocationId, std::string_view, std::string_view, std::string_view, bool) override {}
  void fleet_compile(InvocationId id, bool ended) override {
    said.push_back((ended ? "compiled " : "compiling ") + text(id));
  }
  void fleet_module_state(InvocationId, const vsim::StateReport&) override {}
  void fleet_done(InvocationId id, const std::vector<agent::Hanging>& hanging) override {
    std::string line = "done " + text(id);
    for (const auto& h : hanging) line += " " + h.kind + "@" + h.at;
    said.push_back(line);
  }
  void fleet_output(const OutputLine& line) override { output += line.text; }
  void fleet_warns(std::string_view what, std::string_view) override { warnings.emplace_back(what); }
  void fleet_spawned(instance::InstanceId id, bool) override { spawned.push_back(id); }
  void fleet_state(instance::InstanceId id, const instance::State&, const instance::State& to,
                   instance::GroupId) override {
    states[id] = instance::name(to);
    if (std::holds_alternative<instance::Dead>(to)) states.erase(id);
  }

  std::vector<instance::InstanceId> spawned;
  boost::asio::io_context io;
  std::unique_ptr<process::Guardian> guardian;
  process::Supervisor supervisor{io};
  net::Timeouts timeouts{io};
  NoAgent agent;
  agent::ControlChannel channel{io, agent, kToken};
  std::string folder, output;
  std::map<InvocationId, Call> calls;
  std::map<InvocationId, std::string> causes, secrets;
  std::vector<std::shared_ptr<net::UpstreamPool>> pools;
  std::map<InvocationId, std::shared_ptr<net::UpstreamPool::Attempt>> attempts;
  std::map<InvocationId, std::unique_ptr<net::Upstream>> open;
  std::map<instance::InstanceId, std::string> states;
  Lines said, warnings;
  std::uint64_t last = 0;
  bool refuse_placement = false;
  std::unique_ptr<Fleet> fleet;  // before all that it uses
};

instance::Options options(profile::Isolation isolation = profile::Isolation::invocation) {
  instance::Options o;
  o.isolation = isolation;
  o.spares = 0;
  o.bound_functions = 0;
  o.freeze_idle = isolation == profile::Isolation::instance;
  o.spawns_at_once = 2;
  return o;
}

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
  CHECK_FALSE(w.fleet->holds(id));
  REQUIRE(w.until([&] { return w.processes() == 0; }));
  CHECK_FALSE(std::filesystem::exists(w.folder + "/i1.sock"));
  const auto totals = w.fleet->totals();
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
  CHECK(w.causes[id] == "i1 exited with code 129: uncaught exception: boom");
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

TEST_CASE("Fleet: out of memory is told as that") {
  World w(options(), {"NODE_OPTIONS=--max-old-space-size=40"});
  const auto id = w.ask("/leak");
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[id].find("ran out of memory") != std::string::npos);
}

TEST_CASE("Fleet: a loop that never ends dies at the deadline, and ignoring SIGTERM does not help") {
  for (const char* path : {"/loop", "/hang"}) {
    World w(options(), {"FAKE_TERM=ignore"});
    const auto id = w.ask(path);
    REQUIRE(w.until_said("handler 1"));
    w.fleet->timed_out(id);
    CHECK_FALSE(w.fleet->holds(id));
    CHECK(w.until([&] { return w.processes() == 0; }));
    w.ask("/ok");
    CHECK(w.until_said("done 2"));
  }
}

TEST_CASE(
    "Fleet: fluid: neighbours of a loop are lost when the event loop does not answer, of a slow one not") {
  auto o = options(profile::Isolation::fluid);
  o.ping_limit = 200ms;
  {
    World w(o);
    w.ask("/hang");
    REQUIRE(w.until_said("handler 1"));
    const auto slow = w.ask("/hang");
    REQUIRE(w.until_said("handler 2"));
    CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i1") == 1);
    w.fleet->timed_out(slow);
    w.ask("/ok");  // not there any more
    CHECK(w.until_said("done 3"));
    CHECK(std::count(w.said.begin(), w.said.end(), "placed 3 i2") == 1);
    CHECK(w.fleet->holds(InvocationId{1}));
  }
  World w(o);
  w.ask("/hang");
  REQUIRE(w.until_said("handler 1"));
  const auto loop = w.ask("/loop");
  REQUIRE(w.until_said("handler 2"));
  w.fleet->timed_out(loop);
  CHECK(w.until_said("lost 1 FUNCTION_INVOCATION_FAILED"));
  CHECK(w.causes[InvocationId{1}].find("event loop did not answer") != std::string::npos);
}

TEST_CASE("Fleet: an idle instance is stopped, its timers with it, and works on when it is wanted") {
  const std::string ticks = "/tmp/vsim-ticks-" + std::to_string(::getpid());
  std::filesystem::remove(ticks);
  World w(options(profile::Isolation::instance), {"FAKE_TICKS=" + ticks});
  w.ask("/timer");
  CHECK(w.until_said("done 1 interval@a.js:1:2"));
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
  w.ask("/hang");
  REQUIRE(w.until_said("handler 1"));
  w.ask("/junk");
  CHECK(w.until_said("done 2"));
  CHECK(w.fleet->holds(InvocationId{1}));
  CHECK(std::count(w.said.begin(), w.said.end(), "handler 77") == 0);
  CHECK(w.agent.problems.size() == 1);
}

TEST_CASE("Fleet: nothing is placed before the change it relies on is known") {
  World w(options(profile::Isolation::instance));
  w.ask("/ok");
  CHECK(w.until_said("done 1"));
  w.ask("/ok", 3);
  for (int i = 0; i < 20; ++i) w.io.poll();
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i1") == 0);
  w.fleet->changed({2, false, false, {"/built/a.js"}});
  CHECK_FALSE(w.fleet->holds(InvocationId{2}));
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
  w.ask("/ok", 4);
  CHECK_FALSE(w.fleet->holds(InvocationId{4}));
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
  w.fleet->boot("/boot.json", "node");
  w.ask("/ok", 5);  // it was on its way
  CHECK(w.until_said("done 1"));
  CHECK(w.warnings.size() == 1);
  w.fleet->changed({1, false, false, {"/built/a.js"}});
  w.ask("/ok", 2);
  CHECK_FALSE(w.fleet->holds(InvocationId{2}));
  w.fleet->changed({2, false, false, {}});
  CHECK(w.until_said("done 2"));
  CHECK(std::count(w.said.begin(), w.said.end(), "placed 2 i2") == 1);
}

TEST_CASE("Fleet: who waits for a change may leave, and is refused at the stop") {
  World w(options(profile::Isolation::instance));
  const auto cancelled = w.ask("/ok", 1), left = w.ask("/ok", 1), last = w.ask("/ok", 2);
  w.fleet->client_left(cancelled);
  w.fleet->withdraw(cancelled);
  w.fleet->client_left(left);
  w.fleet->changed({1, false, false, {}});
  CHECK(w.until_said("done 2"));  // the function runs on
  CHECK(w.fleet->totals().granted == 1);
  w.fleet->stop();
  CHECK(w.until_said("refused 3 SIM_NOT_READY"));
  CHECK_FALSE(w.fleet->holds(last));
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
  w.fleet->boot("/boot.json", "node");
  w.ask("/ok", 0);  // the new agent counts from 0
  CHECK(w.until_said("done 3"));
}

TEST_CASE("Fleet: try the next route: the same invocation is placed again when its first instance is done") {
  World w(options(profile::Isolation::instance));
  const auto id = w.ask("/ok");
  REQUIRE(w.until([&] { return w.fleet->holds(id); }));
  w.fleet->again(id);
  w.fleet->request(id, {"/b/route", "APP_ROUTE", "nodejs", "GET / HTTP/1.1\r\n", {}}, InvocationId::none, 0);
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
    const auto id = w.ask("/nodone");
    REQUIRE(w.until_said("handler 1"));
    const pid_t pid = only_pid(w);
    w.fleet->again(id);
    w.calls[id].path = "/ok";
    w.fleet->request(id, {"/b/route", "APP_ROUTE", "nodejs", "GET / HTTP/1.1\r\n", {}}, InvocationId::none,
                     0);
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
  REQUIRE(w.until([&] { return w.fleet->totals().returned == 1; }));
  CHECK_FALSE(w.fleet->holds(id));
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
    return w.fleet->totals().returned == 50;
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
