// The emulator's inside, shared by its .cpp files only: emulator.cpp (a run from its start to its end),
// emulator_app.cpp (what runs behind the edge), emulator_command.cpp (what `test` wraps),
// emulator_sources.cpp (what the sources say), emulator_switch.cpp (what a person changes while it goes on).
// I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "app/app_events.hpp"
#include "app/clock.hpp"
#include "app/edge.hpp"
#include "app/emulator.hpp"
#include "app/isolation.hpp"
#include "app/keyboard.hpp"
#include "app/warm_up.hpp"
#include "net/server.hpp"
#include "process/guardian.hpp"
#include "process/run_dir.hpp"
#include "project/sources.hpp"

namespace vsim::app {

inline constexpr int kInterrupted = 130, kUsage = 64, kSoftware = 70;

struct Emulator::Impl final : AppEvents::Owner, IsolationShell::Owner {
  Impl(EmulatorOptions given, EventHub& hub_of, std::function<void(const OutputLine&)> output,
       World given_world)
      : options(std::move(given)),
        hub(hub_of),
        app_output(std::move(output)),
        world(std::move(given_world)),
        signals(io) {}
  ~Impl();

  Result<int> run();
  Result<bool> open_edge();
  void wrap_command();
  Result<bool> start_upstream();
  void wind_down();
  Result<bool> start_processes();
  Result<bool> start_app();
  void look_upstream();
  void start_command();
  void stop_when_told();
  void warm_up();
  void start_sources();
  void take_sources(const std::shared_ptr<const project::Snapshot>&);
  void switch_profile(const profile::Profile&);
  void switch_time_scale(double);
  void retire_instances();
  std::string kill_instance(std::string_view name);
  void deploy();
  void deploy_again();
  void told_switch(std::string_view before, std::span<const event::ValueChange>);
  void start_signals();
  void tick();
  void ready();
  void tell_started();
  void begin_look();
  void app_is_gone();
  bool died(const process::ExitCause& cause, bool try_again);
  void stop(int code, std::string_view reason);
  void notice(event::Level level, std::string_view message, std::string_view fix = {},
              std::string_view code = {}, std::string_view file = {}, int line = 0);
  template <class E>
  void emit(const E& event) {
    hub.on_event({.seq = 0, .at = now(), .wall = wall_now()}, event);
  }

  // AppEvents::Owner
  void app_hello(const agent::Hello& hello) override {
    can_compile = hello.compile;
    next_version = fmt::format("{}, {}", hello.next, hello.bundler);
    engine->set_next(next_version);
    if (isolation) isolation->hello(hello);
  }
  void app_lacks(const std::vector<std::string>& hooks) override;
  void app_precompiled(const agent::Precompiled& done) override {
    if (warming) warming->take(done);
  }
  void app_boot(const agent::Boot& boot) override {
    if (isolation) isolation->boot(boot);
  }
  void app_changed(const agent::Changed& changed) override {
    if (isolation) isolation->changed(changed);
  }
  void app_gone() override {
    if (isolation) isolation->app_gone();
  }
  void app_listens() override {
    if (app) app->agent_says_listening();
  }
  void app_config(const agent::AppConfig& config) override {
    if (sources) sources->set_known({config.base_path, config.page_extensions});
  }
  void app_warns(std::string_view what, std::string_view fix) override {
    notice(event::Level::warning, what, fix);
  }

  // Isolation::Owner
  void isolation_says(event::Level level, std::string_view message, std::string_view fix) override {
    notice(level, message, fix);
  }
  void isolation_lacks(const std::vector<std::string>& hooks) override { app_lacks(hooks); }
  void isolation_event(const event::InstanceChanged& event) override { emit(event); }
  void isolation_output(const OutputLine& line) override { app_output(line); }
  void isolation_missing() override { stop(kSoftware, "isolation"); }

  // What a new deployment has met open.
  struct Score final : event::Sink {
    explicit Score(Impl& of) : impl(of), timer(of.io) {}
    void on_event(const event::Stamp&, const event::Event&) override;
    void arm();
    void finish();
    void tell(const engine::Drill::News&);
    Impl& impl;
    engine::Drill drill;
    boost::asio::steady_timer timer;
    std::optional<TimePoint> armed_for;
  };

  EmulatorOptions options;
  EventHub& hub;
  std::function<void(const OutputLine&)> app_output;
  World world;
  boost::asio::io_context io{
      BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};  // sockets belong to this thread; others only post
  std::unique_ptr<process::Guardian> guardian;
  std::optional<process::RunDir> run_dir;
  std::unique_ptr<CoreLoop> loop;
  engine::Engine* engine = nullptr;  // of `loop`
  std::unique_ptr<Edge> edge;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<net::UpstreamPool> pool;
  std::shared_ptr<net::UpstreamPool::Attempt> first_look;
  std::unique_ptr<process::Supervisor> supervisor;
  std::unique_ptr<AppEvents> app_events;
  std::unique_ptr<IsolationShell> isolation;
  std::unique_ptr<AppProcess> app;
  std::unique_ptr<WrappedCommand> command;
  std::optional<CommandEnd> command_end;
  boost::asio::steady_timer last_words{io};
  std::chrono::steady_clock::time_point last_words_by;
  std::unique_ptr<WarmUp> warming;
  std::shared_ptr<const routes::RouteTable> routes;
  std::shared_ptr<const project::Snapshot> snapshot;  // the last one
  std::unique_ptr<project::SourceIndex> sources;
  boost::asio::signal_set signals;
  std::unique_ptr<Keyboard> keyboard;
  boost::asio::steady_timer second{io};
  boost::asio::steady_timer look_again{io};
  boost::asio::steady_timer next_deployment{io};
  Score score{*this};
  std::atomic<bool> looked_enough{false};
  std::thread looking;
  std::set<std::string> told, lacking;  // said once
  std::string next_version;             // "16.2.12, turbopack"
  std::string token, url;
  std::uint16_t port = 0;
  int exit_code = 0, failure_code = kSoftware, interrupts = 0;
  bool stopping = false, was_ready = false, told_missing = false, can_compile = false;
};

}  // namespace vsim::app
