// A fleet on real processes (tests/fixtures/children/fake_instance.mjs) that do what user code and broken
// instances do, and what stands around it in vercel-sim.
#pragma once

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "app/clock.hpp"
#include "app/fleet.hpp"
#include "process/guardian.hpp"
#include "process/supervisor.hpp"

namespace vsim::app::test {

using namespace std::chrono_literals;

// Long enough for a loaded machine under sanitizers; only a failing test waits for it.
inline constexpr auto kDeadline = 30s;
inline const agent::Boot kBoot{"/boot.json", {}, {}, {}};
inline const std::string kToken = "0123456789abcdef";
using Lines = std::vector<std::string>;

struct NoAgent final : agent::ControlHandler {
  Lines problems;
  void on_hello(const agent::Hello&) override {}
  void on_listening() override {}
  void on_config(const agent::AppConfig&) override {}
  void on_dispatch(InvocationId, std::string_view, std::string_view, std::string_view, bool) override {}
  void on_compile(InvocationId, bool) override {}
  void on_handler(InvocationId) override {}
  void on_boot(const agent::Boot&) override {}
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

  explicit World(instance::SchedulerOptions scheduler, process::Environment env = {},
                 const std::function<void(FleetOptions&)>& more = {}) {
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
    if (more) more(o);
    fleet = std::make_unique<Fleet>(io, supervisor, timeouts, &channel, *this, *this, o);
    if (process::get_env(o.env, "FAKE_AHEAD")) fleet->prepare(kBoot, "node");
    fleet->boot(kBoot, "node");
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
  void fleet_lost(InvocationId id, limits::instance_end::Loss loss) override {
    said.push_back((loss.asked ? "ended " : "lost ") + text(id) + " " +
                   std::string(limits::info(loss.code).name));
    causes[id] = loss.cause;
  }
  void fleet_crashed(InvocationId id, limits::instance_end::Loss loss) override {
    said.push_back("crashed " + text(id) + " " + std::string(limits::info(loss.code).name));
    causes[id] = loss.cause;
  }
  void fleet_broken_off(InvocationId id, std::string_view, std::string_view) override {
    said.push_back("broken off " + text(id));
  }
  void fleet_handler(InvocationId id) override { said.push_back("handler " + text(id)); }
  void fleet_identity(InvocationId, std::string_view, std::string_view, std::string_view, bool) override {}
  void fleet_compile(InvocationId id, bool ended) override {
    said.push_back((ended ? "compiled " : "compiling ") + text(id));
  }
  void fleet_module_state(InvocationId, const vsim::StateReport&) override {}
  void fleet_done(InvocationId id, const std::vector<Hanging>& hanging) override {
    std::string line = "done " + text(id);
    for (const auto& h : hanging) line += " " + h.kind + "@" + h.at;
    said.push_back(line);
  }
  void fleet_output(const OutputLine& line) override { output += line.text; }
  void fleet_warns(std::string_view what, std::string_view) override { warnings.emplace_back(what); }
  void fleet_spawned(instance::InstanceId id, Beginning how) override {
    spawned.push_back(id);
    copies += how != Beginning::spawn;
    forks += how == Beginning::fork;
  }
  void fleet_spawns(std::string_view why) override { no_copies.emplace_back(why); }
  void fleet_state(instance::InstanceId id, const instance::InstanceState&, const instance::InstanceState& to,
                   instance::GroupId) override {
    states[id] = instance::name(to);
    if (states[id] == "bound")
      if (std::string why = fleet->take_uncopied(id); !why.empty()) uncopied.push_back(std::move(why));
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
  Lines said, warnings, no_copies, uncopied;
  std::size_t copies = 0, forks = 0;
  std::uint64_t last = 0;
  bool refuse_placement = false;
  std::unique_ptr<Fleet> fleet;  // before all that it uses
};

inline instance::SchedulerOptions options(profile::Isolation isolation = profile::Isolation::invocation) {
  instance::SchedulerOptions o;
  o.isolation = isolation;
  o.spares = 0;
  o.bound_functions = 0;
  o.freeze_idle = isolation == profile::Isolation::instance;
  o.spawns_at_once = 2;
  return o;
}

}  // namespace vsim::app::test
