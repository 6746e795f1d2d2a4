// The project's own `next dev`, with the agent in it: told by the agent when it listens, what it compiles and
// whom a request is for, and with instances for its functions where the profile asks for them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <set>

#include "app/app_events.hpp"
#include "app/edge.hpp"
#include "app/emulator.hpp"
#include "app/isolation.hpp"
#include "app/node_options.hpp"
#include "app/process_app.hpp"
#include "app/warm_up.hpp"
#include "app/world.hpp"

namespace vsim::app {
namespace {

void add(std::vector<Saying>& words, bool warning, std::string_view message, std::string_view fix = {}) {
  words.push_back({warning, std::string(message), std::string(fix)});
}

class NextApp final : public ProcessApp, public AppEvents::Owner, public IsolationShell::Owner {
 public:
  NextApp(NextSpec spec, const World& world)
      : world_(world), spec_(std::move(spec)), token_(world.secret()) {}

  std::string_view token() const override { return token_; }
  void describe(engine::EngineOptions& out, const profile::Profile& profile) const override {
    out.agent = true;
    out.isolation = profile.isolation.value;
  }
  std::optional<Failure> start(const Place&) override;
  void stop() override {
    warming_.reset();
    if (isolation_) isolation_->stop();
    ProcessApp::stop();
  }
  IsolationShell* instances() override {
    return isolation_ && isolation_->effective() != "none" ? isolation_.get() : nullptr;
  }
  std::vector<Saying> set_profile(const profile::Profile& from, const profile::Profile& to) override;
  std::vector<Saying> set_time_scale(double) override;
  void warm_up(const routes::RouteTable*, Duration most, const std::function<void()>& done) override;

 private:
  void came() override {
    if (isolation_) isolation_->app_ready();
  }
  void went() override {
    warming_.reset();
    if (isolation_) isolation_->app_gone();
  }
  void isolate(const Place&, const std::string& control_socket);
  void add_environment(const Place&, const std::string& app_socket, const std::string& control_socket);

  // AppEvents::Owner
  void app_hello(const agent::Hello& hello) override {
    can_compile_ = hello.compile;
    version_ = fmt::format("{}, {}", hello.next, hello.bundler);
    engine_->set_next(version_);
    if (isolation_) isolation_->hello(hello);
  }
  void app_lacks(const std::vector<std::string>& hooks) override;
  void app_precompiled(const agent::Precompiled& done) override {
    if (warming_) warming_->take(done);
  }
  void app_boot(const agent::Boot& boot) override {
    if (isolation_) isolation_->boot(boot);
  }
  void app_changed(const agent::Changed& changed) override {
    if (isolation_) isolation_->changed(changed);
  }
  void app_gone() override {
    if (isolation_) isolation_->app_gone();
  }
  void app_listens() override {
    if (process_) process_->become_ready();
  }
  void app_config(const agent::AppConfig& config) override { host_->app_config(config); }
  void app_warns(std::string_view what, std::string_view fix) override {
    says(event::Level::warning, what, fix);
  }

  // IsolationShell::Owner
  void isolation_says(event::Level level, std::string_view message, std::string_view fix) override {
    says(level, message, fix);
  }
  void isolation_lacks(const std::vector<std::string>& hooks) override { app_lacks(hooks); }
  void isolation_event(const event::InstanceChanged& event) override { host_->app_instance(event); }
  void isolation_output(const OutputLine& line) override { host_->app_output(line); }
  void isolation_missing() override { host_->app_lacks_isolation(); }

  void says(event::Level level, std::string_view message, std::string_view fix) {
    host_->app_says(level, message, fix, {});
  }

  const World& world_;
  NextSpec spec_;
  const std::string token_;
  engine::Engine* engine_ = nullptr;
  boost::asio::io_context* io_ = nullptr;
  std::optional<Folder> folder_;
  std::unique_ptr<AppEvents> events_;
  std::unique_ptr<IsolationShell> isolation_;  // before what it speaks on
  std::unique_ptr<WarmUp> warming_;
  std::set<std::string> lacking_;  // said once
  std::string version_;            // "16.2.12, turbopack"
  bool can_compile_ = false;
};

std::optional<App::Failure> NextApp::start(const Place& place) {
  const auto software = [](const Error& error) { return Failure{error, kSoftware}; };
  host_ = &place.host;
  engine_ = &place.loop.engine();
  io_ = &place.io;
  auto folder = world_.folder(place.guardian);
  if (!folder) return software(folder.error());
  folder_.emplace(std::move(*folder));
  place.edge.set_sockets(folder_->dir.path());
  const std::string app_socket = folder_->dir.socket_path("app.sock"),
                    control_socket = folder_->dir.socket_path("agent.sock");
  events_ = std::make_unique<AppEvents>(place.io, place.loop, *this, token_);
  if (const auto listening = events_->listen(control_socket); !listening) return software(listening.error());
  if (place.options.profile->isolation.value != profile::Isolation::none) isolate(place, control_socket);
  add_environment(place, app_socket, control_socket);
  place.host.app_is_at({boost::asio::local::stream_protocol::endpoint(app_socket)}, {});
  return launch(place, std::move(spec_), "next dev has not started to listen yet", {});
}

void NextApp::isolate(const Place& place, const std::string& control_socket) {
  const EmulatorOptions& options = place.options;
  IsolationOptions wanted;
  wanted.profile = options.profile;
  wanted.seed = options.engine.seed;
  wanted.env = spec_.env;
  wanted.env_files = options.env_files;
  wanted.cwd = spec_.cwd;
  wanted.commit = world_.commit;
  wanted.run_dir = folder_->dir.path();
  wanted.scripts = folder_->scripts;
  wanted.control_socket = control_socket;
  wanted.token = token_;
  wanted.port = place.port;
  wanted.https = options.https;
  wanted.time_scale = options.engine.time_scale;
  wanted.inspect = options.inspect_instance;
  wanted.fold_starts = options.fold_starts;
  wanted.required = options.isolation_required;
  isolation_ = std::make_unique<IsolationShell>(place.io, *place.children, place.timeouts, events_->channel(),
                                                place.loop, *this, std::move(wanted));
  isolation_->add_environment(spec_.env);
}

// docs/agent-protocol.md, "Given to the child".
void NextApp::add_environment(const Place& place, const std::string& app_socket,
                              const std::string& control_socket) {
  const auto set = [this](std::string_view name, std::string_view value) {
    process::set_env(spec_.env, name, value);
  };
  const std::string port = std::to_string(place.port);
  set("NODE_OPTIONS", with_agent(process::get_env(spec_.env, "NODE_OPTIONS").value_or(""),
                                 folder_->scripts + "/dev/agent.cjs"));
  set("VSIM_AGENT_SOCKET", control_socket);
  set("VSIM_APP_SOCKET", app_socket);
  set("VSIM_PUBLIC_PORT", port);
  set("VSIM_TOKEN", token_);
  if (place.options.engine.time_scale != 1)
    set("VSIM_TIME_SCALE", fmt::format("{}", place.options.engine.time_scale));
  if (place.options.notice) set("VSIM_NOTICE", "1");
  set("PORT", port);
  spec_.argv.insert(spec_.argv.end(), {"--port", port});
}

// Whoever tells it: next dev, and each of many instances.
void NextApp::app_lacks(const std::vector<std::string>& hooks) {
  std::vector<std::string> handlers, others;
  for (const std::string& name : hooks) {
    if (!lacking_.insert(name).second) continue;
    if (name == "module state")  // module-state.cjs
      says(event::Level::warning, "what code keeps in the memory of its modules could not be read",
           "nothing else suffers; SIM_STATE_NOT_SHARED may not be told of what is lost. Please report it");
    else
      (engine_->doubt(name) ? handlers : others).push_back(name);
  }
  if (!handlers.empty())
    says(event::Level::warning,
         fmt::format("vercel-sim has not been tried with this Next ({}): it calls functions otherwise than "
                     "is known ({})",
                     version_, fmt::join(handlers, ", ")),
         "limits are enforced; functions whose begin is not seen are charged from their placement on, the "
         "evaluation of modules included (vercel-sim explain SIM_HANDLER_NOT_SEEN)");
  if (!others.empty())
    says(
        event::Level::warning,
        fmt::format("this Next ({}) lacks hooks that the agent knows: {}", version_, fmt::join(others, ", ")),
        "limits are enforced, but compile time may count against them: give --compile-grace if routes are "
        "cut at their first request");
}

std::vector<Saying> NextApp::set_profile(const profile::Profile& from, const profile::Profile& to) {
  std::vector<Saying> out;
  const bool isolates = to.isolation.value != profile::Isolation::none;
  if (isolation_) {
    isolation_->set_profile(to);
    process_->set_env("VSIM_ISOLATION", isolation_->effective());
    process_->set_env("VSIM_MIDDLEWARE", isolation_->asks_for_middleware());
  }
  if (instances() != nullptr && !isolates)
    add(out, true, "functions have instances in this run, and keep them",
        "start with --isolation none to do without");
  if (!isolation_ && isolates)
    add(out, true, "functions are not isolated in this run, and stay so",
        fmt::format("start with --profile {} for instances", to.name));
  if (to.middleware_instances.value != from.middleware_instances.value)
    add(out, false, "middleware runs where it has run until next dev is restarted (r)");
  return out;
}

std::vector<Saying> NextApp::set_time_scale(double scale) {
  std::vector<Saying> out;
  process_->set_env("VSIM_TIME_SCALE", fmt::format("{:g}", scale));
  if (!isolation_) return out;
  isolation_->set_time_scale(scale);
  add(out, false,
      "timers of functions run faster on instances that start from now on, and all others take no more; "
      "those of next dev itself, and with it middleware, after a restart (r)");
  return out;
}

// Again when the app comes back after a crash in between: its compiles are lost.
void NextApp::warm_up(const routes::RouteTable* routes, Duration most, const std::function<void()>& done) {
  if (!can_compile_ || routes == nullptr) {
    says(event::Level::warning, "--warm: the agent in this app cannot compile ahead: first requests compile",
         {});
    return done();
  }
  WarmUp::Callbacks callbacks;
  callbacks.send = [this](std::string line) { return events_->channel().send_to_agent(std::move(line)); };
  callbacks.tell = [this](event::Level level, const std::string& message, const std::string& fix,
                          const std::string& file) { host_->app_says(level, message, fix, file); };
  callbacks.done = done;
  auto all = warm_routes(*routes);
  says(event::Level::info, fmt::format("warming {} route{}", all.size(), all.size() == 1 ? "" : "s"), {});
  warming_ = std::make_unique<WarmUp>(*io_, std::move(all), most, std::move(callbacks));
  warming_->start();
}

}  // namespace

std::unique_ptr<App> make_next_app(NextSpec spec, const World& world) {
  return std::make_unique<NextApp>(std::move(spec), world);
}

}  // namespace vsim::app
