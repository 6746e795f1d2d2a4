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
#include "unit/limits/profiles.hpp"

namespace vsim::app::test {

using namespace std::chrono_literals;

// Long enough for a loaded machine under sanitizers; only a failing test waits for it.
inline constexpr auto kDeadline = 30s;
// A time scale: limits are a second then, the shortest that there is.
inline constexpr double kQuick = 300;
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

// Stands for the edge: sends a request as soon as it is placed, reads its answer, and writes down what it is
// told of it and what it is told to do.
struct World final : private CoreLoop::Requests, private FleetWatcher, private event::Sink {
  struct Call final : net::ConnectionOwner {
    World* world = nullptr;
    InvocationId id{};
    std::string path;
    // Nothing of what comes is told: the answer of one that is to be passed on.
    bool mute = false;
    bool placed = false, head = false, over = false, told_done = false;
    std::shared_ptr<net::UpstreamPool> pool;
    std::shared_ptr<net::UpstreamPool::Attempt> attempt;
    std::unique_ptr<net::Upstream> upstream;

    void on_input(net::Connection& c) override {
      c.consume(c.input().size());
      engine::ResponseInfo info;
      info.status = 200;
      if (!mute && !over && !std::exchange(head, true))
        world->loop.tell([&](auto& core, auto& m, auto& out) { core.response_head(id, info, m, out); });
      c.start_reading();
    }
    void on_input_end(net::Connection&, net::ErrorCode) override { closed(UpstreamFailure::reset); }
    void on_writable(net::Connection&) override {}
    void on_output_broken(net::Connection&) override {}
    void closed(UpstreamFailure why) {
      if (mute || over) return;
      if (head) {
        over = true;
        return world->loop.tell([&](auto& core, auto& m, auto& out) { core.ended(id, {}, m, out); });
      }
      const auto failed = world->loop.tell(
          [&](auto& core, auto& m, auto& out) { return core.connection_failed(id, why, {}, m, out); });
      over = over || !failed.waits;
    }
  };

  explicit World(instance::SchedulerOptions scheduler, process::Environment env = {},
                 const std::function<void(FleetOptions&)>& more = {}, double time_scale = 1)
      : profile(
            vsim::test::make_profile(profile::Plan::hobby, scheduler.isolation == profile::Isolation::fluid
                                                               ? profile::Compute::fluid
                                                               : profile::Compute::serverless)),
        loop(io, profile, engine_options(scheduler.isolation, time_scale), *this) {
    ::signal(SIGPIPE, SIG_IGN);
    char name[] = "/tmp/vsim-fleet-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    REQUIRE(channel.listen(folder + "/agent.sock"));
    FleetOptions o;
    scheduler.refill_delay = 1ms;
    scheduler.memory_max = 64u << 20;
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
    if (more) more(o);
    loop.serve(static_cast<CoreLoop::Requests*>(this));
    fleet = std::make_unique<Fleet>(io, supervisor, timeouts, channel, loop,
                                    static_cast<FleetWatcher&>(*this), o);
    if (process::get_env(o.env, "FAKE_AHEAD")) fleet->prepare(kBoot, "node");
    fleet->boot(kBoot, "node");
  }
  ~World() {
    fleet->stop();
    bool stopped = false;
    supervisor.stop_all(0ms, [&] { stopped = true; });
    CHECK(until([&] { return stopped; }));
    calls.clear();
    fleet.reset();
    std::filesystem::remove_all(folder);
  }
  static engine::EngineOptions engine_options(profile::Isolation isolation, double time_scale) {
    engine::EngineOptions o;
    o.agent = true;
    o.isolation = isolation;
    o.time_scale = time_scale;
    return o;
  }

  template <class F>
  bool until(F done) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (io.stopped()) io.restart();
      io.run_one_for(10ms);
      look();
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

  InvocationId ask(std::string path, std::uint64_t generation = 0, std::string_view page = "/a/route",
                   bool mute = false) {
    engine::RequestInfo r;
    r.method = "GET";
    r.target = r.path = path;
    const InvocationId id =
        loop.tell([&](auto& core, auto& m, auto&) { return core.engine().admit(r, m.now, m.wall).id; });
    REQUIRE(id != InvocationId::none);
    Call& call = calls[id];
    call.world = this;
    call.id = id;
    call.path = std::move(path);
    call.mute = mute;
    ordinals.emplace(id, ordinals.size() + 1);
    dispatch(id, generation, page);
    return id;
  }
  void dispatch(InvocationId id, std::uint64_t generation, std::string_view page) {
    loop.tell([&](auto& core, auto& m, auto& out) {
      core.engine().dispatched(id, {page, routes::Kind::app_route}, m.now);
      core.request(id, {page, "APP_ROUTE", "nodejs", "GET / HTTP/1.1\r\n"}, generation, m, out);
    });
  }
  // Its instance has left it to the next route, which is another function's.
  void again(InvocationId id, std::string path) {
    loop.tell([&](auto& core, auto& m, auto&) {
      core.passed_on(id);
      core.again(id, m.now);
    });
    calls[id].path = std::move(path);
    dispatch(id, 0, "/b/route");
  }
  // What is compiled for it keeps its clock from running.
  void stop_clock(InvocationId id) {
    loop.tell([&](auto& core, auto& m, auto&) { core.compile_started(id, m.now); });
  }
  void leave(InvocationId id) {
    loop.tell([&](auto& core, auto& m, auto& out) { core.client_left(id, m, out); });
  }
  void end(InvocationId id) {
    calls[id].over = true;
    loop.tell([&](auto& core, auto& m, auto& out) { core.ended(id, {}, m, out); });
  }
  bool holds(InvocationId id) const { return loop.core().holds(id); }
  instance::SchedulerTotals totals() const { return loop.core().scheduler_totals(); }
  std::size_t count(std::string_view state) const {
    std::size_t n = 0;
    for (const auto& [id, now_in] : states) n += now_in == state;
    return n;
  }
  std::size_t processes() const { return totals().instances; }

 private:
  std::string text(InvocationId id) const { return std::to_string(ordinals.at(id)); }
  void look() {
    for (auto& [id, call] : calls)
      if (call.over && call.head && !holds(id) && !std::exchange(call.told_done, true))
        said.push_back("done " + text(id));
  }

  // CoreLoop::Requests
  void send(InvocationId id, const Placed& placed) override {
    Call& call = calls[id];
    call.placed = true;
    const std::string secret(placed.secret);
    const std::string name = running_on(id);
    said.push_back("placed " + text(id) + " " + name);
    if (refuse_placement) {
      end(id);
      return loop.tell([&](auto& core, auto& m, auto& out) { core.unsent(id, m, out); });
    }
    call.mute = call.mute && !call.attempt;  // of the first instance
    call.upstream.reset();
    call.attempt.reset();
    call.pool = placed.pool.shared_from_this();
    call.attempt = call.pool->connect([&call, secret, number = static_cast<std::uint64_t>(id)](
                                          net::ErrorCode error, std::unique_ptr<net::Upstream> upstream) {
      if (error) return call.closed(UpstreamFailure::refused);
      net::Connection& connection = upstream->connection();
      connection.set_owner(&call);
      connection.write("GET " + call.path + " HTTP/1.1\r\nHost: x\r\nX-Vsim-Id: " + secret + "." +
                       std::to_string(number) + "\r\nConnection: close\r\n\r\n");
      connection.start_reading();
      call.upstream = std::move(upstream);
    });
  }
  std::string running_on(InvocationId id) const {
    for (const auto& i : loop.core().instances())
      if (loop.core().holds(i.id, id)) return "i" + std::to_string(static_cast<std::uint64_t>(i.id));
    return "nowhere";
  }
  void not_there(InvocationId id) override { calls[id].closed(UpstreamFailure::refused); }
  void end(const core::EndExchange& c) override {
    calls[c.id].over = true;
    calls[c.id].upstream.reset();
  }
  ExchangeTotals totals(InvocationId) const override { return {}; }

  // event::Sink
  void on_event(const event::Stamp&, const event::Event& e) override {
    if (const auto* r = std::get_if<event::InvocationRunning>(&e)) said.push_back("handler " + text(r->id));
    if (const auto* b = std::get_if<event::BackgroundWork>(&e)) left.push_back(b->verdicts[0].measured);
    const auto* x = std::get_if<event::InvocationEnded>(&e);
    if (x == nullptr || x->outcome.code == limits::Code::none) return;
    const std::string_view what = !calls[x->id].placed                              ? "refused "
                                  : x->outcome.ended_by == event::EndedBy::emulator ? "ended "
                                                                                    : "lost ";
    said.push_back(std::string(what) + text(x->id) + " " + std::string(limits::info(x->outcome.code).name));
    if (!x->verdicts.empty()) causes[x->id] = x->verdicts[0].measured;
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

 public:
  boost::asio::io_context io;
  const profile::Profile profile;
  CoreLoop loop;
  std::unique_ptr<process::Guardian> guardian;
  process::Supervisor supervisor{io};
  net::Timeouts timeouts{io};
  NoAgent agent;
  agent::ControlChannel channel{io, agent, kToken};
  std::string folder, output;
  std::map<InvocationId, Call> calls;
  std::map<InvocationId, std::size_t> ordinals;  // the first is 1
  std::map<InvocationId, std::string> causes;
  std::map<instance::InstanceId, std::string> states;
  std::vector<instance::InstanceId> spawned;
  Lines said, left, warnings, no_copies, uncopied;
  std::size_t copies = 0, forks = 0;
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
