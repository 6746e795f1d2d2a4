// The emulator's inside, shared by its .cpp files only: emulator.cpp (a run from its start to its end),
// emulator_app.cpp (what the app behind the edge tells), emulator_command.cpp (what `test` wraps),
// emulator_sources.cpp (what the sources say), emulator_switch.cpp (what a person changes while it goes on).
// I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "app/app.hpp"
#include "app/clock.hpp"
#include "app/edge.hpp"
#include "app/emulator.hpp"
#include "app/exit_codes.hpp"
#include "app/isolation.hpp"
#include "app/keyboard.hpp"
#include "net/server.hpp"
#include "process/guardian.hpp"
#include "project/sources.hpp"

namespace vsim::app {

struct Emulator::Impl final : App::Host {
  Impl(EmulatorOptions given, EventHub& hub_of, std::function<void(const OutputLine&)> app_output,
       World given_world)
      : options(std::move(given)),
        hub(hub_of),
        output(std::move(app_output)),
        world(std::move(given_world)),
        signals(io) {}
  ~Impl();

  Result<int> run();
  Result<bool> open_edge();
  void wrap_command();
  void wind_down();
  Result<bool> start_processes();
  Result<bool> start_app();
  void start_command();
  void stop_when_told();
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
  void tell_started();
  void begin_look();
  std::string_view isolation() const;
  void stop(int code, std::string_view reason);
  void notice(event::Level level, std::string_view message, std::string_view fix = {},
              std::string_view code = {}, std::string_view file = {}, int line = 0);
  template <class E>
  void emit(const E& event) {
    const TimePoint at = clock.now();
    hub.on_event({.seq = 0, .at = at, .wall = clock.wall_at(at)}, event);
  }

  // App::Host
  net::UpstreamPool& app_is_at(std::vector<net::UpstreamPool::Endpoint>, std::string origin) override;
  void app_ready() override;
  void app_answers() override;
  void app_gone() override {
    edge->set_upstream(nullptr);
    pool->close_idle();
  }
  bool app_died(const process::ExitCause&, bool try_again,
                const std::deque<std::string>& last_lines) override;
  void app_restarts(std::string_view when) override {
    emit(event::AppChanged{event::AppState::restarting, when});
  }
  void app_output(const OutputLine& line) override { output(line); }
  void app_config(const agent::AppConfig& config) override {
    if (sources) sources->set_known({config.base_path, config.page_extensions});
  }
  void app_says(event::Level level, std::string_view message, std::string_view fix,
                std::string_view file) override {
    notice(level, message, fix, {}, file);
  }
  void app_instance(const event::InstanceChanged& event) override { emit(event); }
  void app_lacks_isolation() override { stop(kSoftware, "isolation"); }
  void say(std::span<const Saying> words) {
    for (const Saying& w : words)
      notice(w.warning ? event::Level::warning : event::Level::info, w.message, w.fix);
  }

  // What a new deployment has met open.
  struct Score final : event::Sink {
    explicit Score(Impl& of) : impl(of), timer(of.io) {}
    void on_event(const event::Stamp&, const event::Event&) override;
    void arm();
    void finish();
    void tell(const engine::Drill::News&);
    Impl& impl;
    engine::Drill drill;
    Timer timer;
    std::optional<TimePoint> armed_for;
  };

  EmulatorOptions options;
  EventHub& hub;
  std::function<void(const OutputLine&)> output;
  World world;
  boost::asio::io_context io{
      BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};  // sockets belong to this thread; others only post
  Clock& clock{Clock::set(io, world.clock)};   // before anybody has a timer
  std::unique_ptr<process::Guardian> guardian;
  std::unique_ptr<CoreLoop> loop;
  engine::Engine* engine = nullptr;  // of `loop`
  std::unique_ptr<Edge> edge;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<net::UpstreamPool> pool;
  std::unique_ptr<process::Children> children;
  std::unique_ptr<App> app;
  std::unique_ptr<WrappedCommand> command;
  std::optional<CommandEnd> command_end;
  Timer last_words{io};
  TimePoint last_words_by{};
  std::shared_ptr<const routes::RouteTable> routes;
  std::shared_ptr<const project::Snapshot> snapshot;  // the last one
  std::unique_ptr<project::SourceIndex> sources;
  boost::asio::signal_set signals;
  std::unique_ptr<Keyboard> keyboard;
  Timer second{io};
  Timer next_deployment{io};
  Score score{*this};
  std::atomic<bool> looked_enough{false};
  std::thread looking;
  std::set<std::string> told;  // said once
  std::string url;
  std::uint16_t port = 0;
  int exit_code = 0, failure_code = kSoftware, interrupts = 0;
  bool stopping = false, was_ready = false;
};

}  // namespace vsim::app
