// The program: builds engine, edge, server, app process and watchers, and runs them on one thread until it is
// told to stop. Everything from outside is handed in; src/cli/ makes it from argv. One Emulator per process
// where it owns the signal handlers (world.hpp).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/app.hpp"
#include "app/event_hub.hpp"
#include "app/output_line.hpp"
#include "app/world.hpp"
#include "app/wrapped_command.hpp"
#include "base/result.hpp"
#include "engine/engine.hpp"
#include "profile/profile.hpp"

namespace vsim::app {

class Live;
class Recorder;

struct EmulatorOptions {
  const profile::Profile* profile = nullptr;  // must outlive the emulator
  engine::EngineOptions engine;
  std::vector<std::string> addresses{"127.0.0.1", "::1"};
  std::uint16_t port = 3000;  // 0: any free one
  bool https = false;
  std::string https_name;  // further name or address for the certificate
  std::string
      allowed_hosts;  // names with commas between them (engine/door.hpp), beside localhost and addresses
  AppSpec app;        // what it stands in front of
  std::vector<std::string> env_files;  // of variables that a deployment has, for environment.strict
  // What takes a while to find out: on a thread of its own, which it gives up when `stopping` is set.
  std::function<std::vector<Saying>(const std::atomic<bool>& stopping)> look;
  bool isolation_required = false;  // when it cannot be had: exit code 70
  bool inspect_instance = false;
  std::string project_dir;  // sources are read from here; empty: none
  std::string app_label;    // "next 16.4.6", "http://127.0.0.1:4000"
  // `test`: run this once the app is ready, and stop when it ends; run() answers its exit code then.
  std::optional<CommandSpec> command;
  bool fold_starts = true;  // what every instance writes while it starts is shown once (start_noise.hpp)
  bool warm = false;        // compile all routes before the command; `next dev` only
  // A key that the person has pressed at the terminal. Without it keys are left to the terminal.
  std::function<void(char)> key;
  bool notice = false;      // on the app's own page, by its dev client: what was cut or refused
  Duration deploy_every{};  // a new deployment again and again, once the app is ready; zero: none
  // Called every second while it runs.
  std::function<void(TimePoint now)> each_second;
  Recorder* recorder =
      nullptr;           // a sink of the hub that the edge shall tell of requests; outlives the emulator
  Live* live = nullptr;  // likewise: the page at /_vercel-sim/
  bool watches_streams = false;  // when bytes pass on them is told at their end, also without a page
};

class Emulator {
 public:
  Emulator(EmulatorOptions options, EventHub& hub, std::function<void(const OutputLine&)> app_output,
           World world = {});
  ~Emulator();
  // Blocks. An exit code (vercel-sim(1), EXIT STATUS), or why it could not start.
  Result<int> run();
  // Only within EmulatorOptions::key.
  void restart_app();
  // For requests that come from now on (engine/engine.hpp); `profile` must outlive the emulator. Instances
  // that would be started otherwise take no more, and those that follow go by it.
  void switch_profile(const profile::Profile& profile);
  void switch_time_scale(double scale);
  // The next request of each function gets a fresh one; what runs goes on where it is.
  void retire_instances();
  // A new deployment: fresh instances for what comes, and a score of what was open (engine/drill.hpp).
  void deploy();
  // Ends the process of "i3" as the system would, for whoever wants to see what becomes of its requests. Why
  // not; empty: done.
  std::string kill_instance(std::string_view name);
  void quit();
  // "http://localhost:3000"; empty before it listens.
  const std::string& url() const;
  // What to exit with when run() gave an error: 64 when what was asked for cannot be had (a port, a host, a
  // command), 70 when the emulator itself is at fault.
  int failure_code() const;
  // How the command ended; nullopt: it was not started.
  const std::optional<CommandEnd>& command_end() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vsim::app
