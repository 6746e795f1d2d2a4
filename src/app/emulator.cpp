#include "app/emulator.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <random>
#include <set>

#include "agent/scripts.hpp"
#include "app/app_events.hpp"
#include "app/clock.hpp"
#include "app/edge.hpp"
#include "app/isolation.hpp"
#include "app/keyboard.hpp"
#include "app/node_options.hpp"
#include "app/warm_up.hpp"
#include "limits/duration.hpp"
#include "net/resolve.hpp"
#include "net/server.hpp"
#include "process/guardian.hpp"
#include "process/run_dir.hpp"
#include "process/signal_origin.hpp"
#include "project/sources.hpp"
#include "routes/resolve.hpp"

namespace vsim::app {
namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto kStopGrace = 3s;     // what `next dev` gets to end by itself
constexpr auto kLastWords = 1s;     // for what the last answers have left: told a moment after them
constexpr auto kLookAgain = 250ms;  // for an upstream that a command waits for
constexpr int kInterrupted = 130, kUsage = 64, kSoftware = 70;

std::string random_token() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

std::uint16_t free_port(boost::asio::io_context& io) {
  tcp::acceptor probe(io, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  return probe.local_endpoint().port();
}

// While the I/O thread turns, sinks hand on what they gathered once in a turn.
struct TurnsOf {
  TurnsOf(EventHub& of, net::Poller& poller) : hub(of) { hub.join(poller); }
  ~TurnsOf() { hub.leave(); }
  EventHub& hub;
};

}  // namespace

struct Emulator::Impl final : AppEvents::Owner, Isolation::Owner {
  Impl(EmulatorOptions given, EventHub& hub_of, std::function<void(const OutputLine&)> output)
      : options(std::move(given)), hub(hub_of), app_output(std::move(output)), signals(io) {}

  Result<int> run();
  Result<bool> start_processes();
  Result<bool> start_app();
  void look_upstream();
  void start_command();
  void stop_when_told();
  void warm_up();
  void start_sources();
  void take_sources(const std::shared_ptr<const project::Snapshot>&);
  void start_signals();
  void tick();
  void ready();
  void tell_started();
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
  void app_boot(std::string_view file) override {
    if (isolation) isolation->boot(file);
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
  void app_compiled(std::string_view page, double ms) override {
    emit(event::RouteCompiled{
        page, std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms))});
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

  EmulatorOptions options;
  EventHub& hub;
  std::function<void(const OutputLine&)> app_output;
  boost::asio::io_context io{
      BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};  // sockets belong to this thread; others only post
  std::unique_ptr<process::Guardian> guardian;
  std::optional<process::RunDir> run_dir;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<Edge> edge;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<net::UpstreamPool> pool;
  std::shared_ptr<net::UpstreamPool::Attempt> first_look;
  std::unique_ptr<process::Supervisor> supervisor;
  std::unique_ptr<AppEvents> app_events;
  std::unique_ptr<Isolation> isolation;
  std::unique_ptr<AppProcess> app;
  std::unique_ptr<WrappedCommand> command;
  std::optional<CommandEnd> command_end;
  boost::asio::steady_timer last_words{io};
  std::chrono::steady_clock::time_point last_words_by;
  std::unique_ptr<WarmUp> warming;
  std::shared_ptr<const routes::RouteTable> routes;
  std::unique_ptr<project::SourceIndex> sources;
  boost::asio::signal_set signals;
  std::unique_ptr<Keyboard> keyboard;
  boost::asio::steady_timer second{io};
  boost::asio::steady_timer look_again{io};
  std::set<std::string> told, lacking;  // said once
  std::string next_version;             // "16.2.12, turbopack"
  std::string token, url;
  std::uint16_t port = 0;
  int exit_code = 0, failure_code = kSoftware, interrupts = 0;
  bool stopping = false, was_ready = false, told_missing = false, can_compile = false;
};

Emulator::Emulator(EmulatorOptions options, EventHub& hub, std::function<void(const OutputLine&)> app_output)
    : impl_(std::make_unique<Impl>(std::move(options), hub, std::move(app_output))) {}
Emulator::~Emulator() = default;
Result<int> Emulator::run() { return impl_->run(); }
void Emulator::restart_app() {
  if (impl_->app && !impl_->stopping) impl_->app->restart();
}
void Emulator::quit() { impl_->stop(0, "key"); }
const std::string& Emulator::url() const { return impl_->url; }
int Emulator::failure_code() const { return impl_->failure_code; }
const std::optional<CommandEnd>& Emulator::command_end() const { return impl_->command_end; }

void Emulator::Impl::notice(event::Level level, std::string_view message, std::string_view fix,
                            std::string_view code, std::string_view file, int line) {
  event::Notice e;
  e.level = level;
  e.message = message;
  e.fix = fix;
  e.code = code;
  e.file = file;
  e.line = line;
  emit(e);
}

// Whoever tells it: next dev, and each of many instances.
void Emulator::Impl::app_lacks(const std::vector<std::string>& hooks) {
  std::vector<std::string> handlers, others;
  for (const std::string& name : hooks) {
    if (!lacking.insert(name).second) continue;
    if (name == "module state")  // module-state.cjs
      notice(event::Level::warning, "what code keeps in the memory of its modules could not be read",
             "nothing else suffers; SIM_STATE_NOT_SHARED may not be told of what is lost. Please report it");
    else
      (engine->doubt(name) ? handlers : others).push_back(name);
  }
  if (!handlers.empty())
    notice(event::Level::warning,
           fmt::format("vercel-sim has not been tried with this Next ({}): it calls functions otherwise than "
                       "is known ({})",
                       next_version, fmt::join(handlers, ", ")),
           "limits are enforced; functions whose begin is not seen are charged from their placement on, the "
           "evaluation of modules included (vercel-sim explain SIM_HANDLER_NOT_SEEN)");
  if (!others.empty())
    notice(event::Level::warning,
           fmt::format("this Next ({}) lacks hooks that the agent knows: {}", next_version,
                       fmt::join(others, ", ")),
           "limits are enforced, but compile time may count against them: give --compile-grace if routes are "
           "cut at their first request");
}

Result<int> Emulator::Impl::run() {
  std::signal(SIGPIPE, SIG_IGN);
  const bool agent = options.app.next && !options.upstream;
  if (agent) token = random_token();
  options.engine.agent = agent;
  options.engine.https = options.https;
  options.engine.isolation = agent ? options.profile->isolation.value : profile::Isolation::none;
  options.engine.freezes_idle = !options.inspect_instance;
  engine = std::make_unique<engine::Engine>(*options.profile, options.engine, hub);

  EdgeOptions edge_options;
  edge_options.token = token;
  edge_options.region = options.profile->region.value;
  edge_options.https = options.https;
  edge_options.stream_cut = options.profile->stream_cut.value;
  edge_options.door = engine::Door(options.allowed_hosts);
  edge_options.websocket_close_code = options.profile->websocket_close_code.value;
  edge = std::make_unique<Edge>(io, *engine, edge_options);
  edge->set_recorder(options.recorder);
  edge->set_live(options.live);
  server = std::make_unique<net::Server>(io, *edge);
  if (options.https) {
    const auto certificate = net::make_certificate(options.https_name);
    if (!certificate) return certificate.error();
    auto tls = net::TlsContext::create(*certificate);
    if (!tls) return tls.error();
    server->use_tls(std::move(*tls));
  }
  // Before the app starts: it would take the port that we need.
  const auto bound = server->listen(options.addresses, options.port);
  if (!bound) {
    failure_code = kUsage;
    return bound.error();
  }
  port = *bound;
  edge->set_port(port);
  url = fmt::format("{}://localhost:{}", options.https ? "https" : "http", port);

  start_signals();
  if (options.each_second) tick();
  if (options.key) keyboard = Keyboard::open(io, options.key);
  if (options.command) {
    WrappedCommand::Callbacks callbacks;
    callbacks.never_ready = [this] {
      if (stopping) return;
      notice(event::Level::error,
             fmt::format("the app was not ready within {}", format_duration(options.command->ready_timeout)),
             "its own messages above say why; --ready-timeout gives it longer");
      stop(kSoftware, "app");
    };
    callbacks.end = [this](const CommandEnd& end) {
      command_end = end;
      last_words_by = std::chrono::steady_clock::now() + kLastWords;
      stop_when_told();
    };
    command = std::make_unique<WrappedCommand>(io, *options.command, std::move(callbacks));
    command->expect_ready();
  }
  if (!options.project_dir.empty()) start_sources();
  if (options.upstream) {
    boost::system::error_code error;
    auto endpoints = net::resolve(io, options.upstream->host, options.upstream->port, error);
    if (endpoints.empty()) {
      failure_code = kUsage;
      return Error{fmt::format("cannot find the host \"{}\" of --upstream: {}", options.upstream->host,
                               error.message()),
                   "check its spelling"};
    }
    pool = std::make_unique<net::UpstreamPool>(io, server->timeouts(), std::move(endpoints),
                                               options.upstream->origin);
    if (command) {
      if (const auto started = start_processes(); !started) return started.error();
    }
    server->start();
    ready();
    look_upstream();
  } else {
    if (const auto started = start_app(); !started) return started.error();
    server->start();  // answers 503 and /_vercel-sim/health until the app is ready
  }
  {
    const TurnsOf turns(hub, net::Poller::of(io));
    net::Poller::of(io).run();
  }

  edge->stop();
  sources.reset();
  event::RunStopped stopped;
  stopped.reason = exit_code == kInterrupted ? "interrupted" : exit_code == 0 ? "stopped" : "failed";
  stopped.exit_code = exit_code;
  emit(stopped);
  command.reset();
  isolation.reset();
  app.reset();
  app_events.reset();
  first_look.reset();
  server.reset();
  pool.reset();
  return exit_code;
}

Result<bool> Emulator::Impl::start_processes() {
  auto started = process::Guardian::start();
  if (!started) return started.error();
  guardian = std::move(*started);
  supervisor = std::make_unique<process::Supervisor>(io, guardian.get());
  return true;
}

Result<bool> Emulator::Impl::start_app() {
  if (const auto started = start_processes(); !started) return started.error();
  AppSpec spec = options.app;
  std::vector<net::UpstreamPool::Endpoint> endpoints;
  if (spec.next) {
    auto dir = process::RunDir::create(guardian.get());
    if (!dir) return dir.error();
    run_dir.emplace(std::move(*dir));
    edge->set_sockets(run_dir->path());
    auto scripts = agent::write_scripts(run_dir->path());
    if (!scripts) return scripts.error();
    const std::string script = *scripts + "/agent.cjs";
    const std::string app_socket = run_dir->socket_path("app.sock"),
                      control_socket = run_dir->socket_path("agent.sock");
    app_events = std::make_unique<AppEvents>(io, *edge, *this, token);
    if (const auto listening = app_events->listen(control_socket); !listening) return listening.error();

    if (options.profile->isolation.value != profile::Isolation::none) {
      IsolationOptions wanted;
      wanted.profile = options.profile;
      wanted.seed = options.engine.seed;
      wanted.env = spec.env;
      wanted.cwd = spec.cwd;
      wanted.run_dir = run_dir->path();
      wanted.script = *scripts + "/instance.cjs";
      wanted.template_script = *scripts + "/template.cjs";
      wanted.control_socket = control_socket;
      wanted.token = token;
      wanted.port = port;
      wanted.https = options.https;
      wanted.time_scale = options.engine.time_scale;
      wanted.inspect = options.inspect_instance;
      wanted.fold_starts = options.fold_starts;
      wanted.required = options.isolation_required;
      isolation = std::make_unique<Isolation>(io, *supervisor, server->timeouts(), app_events->channel(),
                                              *engine, *edge, *this, std::move(wanted));
      isolation->add_environment(spec.env);
    }
    process::set_env(spec.env, "NODE_OPTIONS",
                     with_agent(process::get_env(spec.env, "NODE_OPTIONS").value_or(""), script));
    process::set_env(spec.env, "VSIM_AGENT_SOCKET", control_socket);
    process::set_env(spec.env, "VSIM_APP_SOCKET", app_socket);
    process::set_env(spec.env, "VSIM_PUBLIC_PORT", std::to_string(port));
    process::set_env(spec.env, "VSIM_TOKEN", token);
    if (options.engine.time_scale != 1)
      process::set_env(spec.env, "VSIM_TIME_SCALE", fmt::format("{}", options.engine.time_scale));
    process::set_env(spec.env, "PORT", std::to_string(port));
    spec.argv.insert(spec.argv.end(), {"--port", std::to_string(port)});
    endpoints.emplace_back(boost::asio::local::stream_protocol::endpoint(app_socket));
  } else {
    spec.private_port = free_port(io);
    process::set_env(spec.env, "NODE_OPTIONS",
                     with_agent(process::get_env(spec.env, "NODE_OPTIONS").value_or(""), ""));
    process::set_env(spec.env, "PORT", std::to_string(spec.private_port));
    for (const char* address : {"127.0.0.1", "::1"})
      endpoints.emplace_back(tcp::endpoint(boost::asio::ip::make_address(address), spec.private_port));
  }
  pool = std::make_unique<net::UpstreamPool>(
      io, server->timeouts(), std::move(endpoints),
      spec.next ? std::string() : fmt::format("http://localhost:{}", spec.private_port));
  AppProcess::Callbacks callbacks;
  callbacks.ready = [this] { ready(); };
  callbacks.output = [this](std::string_view line) { app_output({line}); };
  callbacks.died = [this](const process::ExitCause& cause, bool again) { return died(cause, again); };
  callbacks.restarting = [this](std::string_view when) {
    event::AppChanged e{event::AppState::restarting, when};
    emit(e);
  };
  callbacks.gone = [this] { app_is_gone(); };
  callbacks.waiting = [this](std::string_view message) { notice(event::Level::warning, message); };
  app = std::make_unique<AppProcess>(io, *supervisor, std::move(spec), std::move(callbacks));
  failure_code = kUsage;  // what can fail now is the command: there is none of that name
  return app->start();
}

// A word to who mistyped the port. No reason to stop: the server may come later.
void Emulator::Impl::look_upstream() {
  first_look = pool->connect([this](boost::system::error_code error, std::unique_ptr<net::Upstream>) {
    const auto keep = std::move(first_look);
    if (!error) {
      if (command) start_command();
      return;
    }
    if (!std::exchange(told_missing, true))
      notice(event::Level::warning,
             fmt::format("nothing answers at {} yet ({})", options.upstream->origin, error.message()),
             command ? "start the server there" : "start the server there; until then requests get 502");
    if (!command || stopping) return;
    look_again.expires_after(kLookAgain);
    look_again.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled && !stopping) look_upstream();
    });
  });
}

// Verdicts on the last requests come when their functions are over, which is after their answers. waitUntil
// work may take longer than anybody waits here.
void Emulator::Impl::stop_when_told() {
  const bool waits = !stopping && command_end->interrupted_by == 0 && engine->lingering() > 0;
  if (!waits || std::chrono::steady_clock::now() >= last_words_by) {
    emit(event::CommandRun{options.command->name, true, command_end->exit_code()});
    if (!stopping) stop(command_end->exit_code(), "command");
    return;
  }
  last_words.expires_after(10ms);
  last_words.async_wait([this](boost::system::error_code error) {
    if (!error) stop_when_told();
  });
}

void Emulator::Impl::start_command() {
  if (stopping) return;
  if (command->started()) return;  // the app crashed and came back
  if (!edge->ready()) return;      // it crashed in between: ready() comes again, or the time is over
  const auto started = command->start(*supervisor, url, port);
  if (started) return emit(event::CommandRun{options.command->name, false, 0});
  notice(event::Level::error, started.error().message, started.error().fix);
  stop(kUsage, "command");
}

// Again when the app comes back after a crash in between: its compiles are lost.
void Emulator::Impl::warm_up() {
  if (!can_compile || !routes) {
    notice(event::Level::warning,
           "--warm: the agent in this app cannot compile ahead: first requests compile");
    return start_command();
  }
  WarmUp::Callbacks callbacks;
  callbacks.send = [this](std::string line) { return app_events->channel().send_to_agent(std::move(line)); };
  callbacks.tell = [this](event::Level level, const std::string& message, const std::string& fix,
                          const std::string& file) { notice(level, message, fix, {}, file); };
  callbacks.done = [this] { start_command(); };
  auto all = warm_routes(*routes);
  notice(event::Level::info, fmt::format("warming {} route{}", all.size(), all.size() == 1 ? "" : "s"));
  warming =
      std::make_unique<WarmUp>(io, std::move(all), options.command->ready_timeout, std::move(callbacks));
  warming->start();
}

void Emulator::Impl::start_sources() {
  project::SourceOptions source_options;
  source_options.root = options.project_dir;
  sources = std::make_unique<project::SourceIndex>(std::move(source_options));
  take_sources(sources->scan());  // so that the first request finds its limit
  sources->start([this](std::shared_ptr<const project::Snapshot> snapshot) {
    // On the scanner's thread.
    boost::asio::post(io, [this, snapshot = std::move(snapshot)] { take_sources(snapshot); });
    net::Poller::of(io).wake();
  });
}

void Emulator::Impl::take_sources(const std::shared_ptr<const project::Snapshot>& snapshot) {
  engine->set_routes(snapshot->table);
  routes = snapshot->table;
  std::set<std::string> now_known;
  const auto tell = [&](event::Level level, const std::string& message, const std::string& fix,
                        std::string_view code, const std::string& file, int line) {
    std::string key = fmt::format("{}:{}:{}", file, line, message);
    if (!told.contains(key)) notice(level, message, fix, code, file, line);
    now_known.insert(std::move(key));
  };
  const profile::Profile& p = *options.profile;
  const routes::VercelJson* vercel = snapshot->vercel ? &*snapshot->vercel : nullptr;
  for (const auto& over : routes::over_plan(snapshot->table->functions(), p.duration_extended_max.value,
                                            profile::to_string(p.plan.value), vercel))
    tell(event::Level::error, over.message,
         fmt::format("the deployment would fail; here {} is used instead",
                     format_duration(limits::duration::limit_for(p, {over.asked}).total)),
         limits::info(limits::Code::sim_max_duration_over_plan).name, over.file, over.line);
  const bool fluid = p.compute.value == profile::Compute::fluid;
  for (const auto& finding : snapshot->findings) {
    // "fluid": true is worth a word only where the profile says otherwise.
    if (fluid && vercel != nullptr && finding.file == "vercel.json" && finding.line == vercel->fluid_line)
      continue;
    tell(finding.severity == routes::Severity::error     ? event::Level::error
         : finding.severity == routes::Severity::warning ? event::Level::warning
                                                         : event::Level::info,
         finding.message, finding.fix, {}, finding.file, finding.line);
  }
  if (vercel != nullptr && vercel->fluid == false && fluid)
    tell(event::Level::warning,
         fmt::format("vercel.json says \"fluid\": false, while profile {} is fluid", p.name),
         fmt::format("--profile {} is what this project gets on Vercel", profile::to_string(p.plan.value)),
         {}, "vercel.json", vercel->fluid_line);
  told = std::move(now_known);  // a mistake that was mended and comes back is told again
}

void Emulator::Impl::tick() {
  second.expires_after(1s);
  second.async_wait([this](boost::system::error_code error) {
    if (error || stopping) return;
    options.each_second(now());
    if (keyboard) keyboard->take_keys();
    tick();
  });
}

void Emulator::Impl::start_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
    signals.add(signal);
    if (options.command) process::watch_signal_origin(signal);
  }
  signals.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal == SIGWINCH) {
      if (const auto size = process::os::terminal_size(STDOUT_FILENO); size && app) app->resize(*size);
    } else if (!command) {
      stop(signal == SIGINT ? kInterrupted : 0, "signal");
    } else if (!command->interrupted(signal, process::sent_by_terminal(signal))) {
      stop(128 + signal, "signal");  // tests that did not come to their end are no success
    }
    start_signals();
  });
}

void Emulator::Impl::ready() {
  if (stopping) return;  // the app came up while it was being stopped
  edge->set_upstream(pool.get());
  if (isolation) isolation->app_ready();
  event::AppChanged changed{event::AppState::ready, options.app_label};
  emit(changed);
  if (!std::exchange(was_ready, true)) tell_started();
  if (!command || options.upstream || command->started()) return;  // an upstream may not answer yet
  command->app_is_ready();
  options.warm ? warm_up() : start_command();
}

void Emulator::Impl::tell_started() {
  event::RunStarted e;
  e.version = VSIM_VERSION;
  e.url = url;
  e.profile = options.profile->name;
  e.profile_as_of = options.profile->as_of;
  e.app = options.app_label;
  e.isolation = isolation ? isolation->effective() : "none";
  e.time_scale = options.engine.time_scale;
  emit(e);
}

void Emulator::Impl::app_is_gone() {
  edge->set_upstream(nullptr);
  pool->close_idle();
  warming.reset();
  if (isolation) isolation->app_gone();
}

bool Emulator::Impl::died(const process::ExitCause& cause, bool try_again) {
  // It was to get warm, and that has no end now: its successor has to be ready in time as it had to be.
  if (try_again && command && !command->started() && edge->ready()) command->expect_ready();
  app_is_gone();
  const std::string how = process::describe(cause);
  event::AppChanged e{event::AppState::crashed, how};
  emit(e);
  if (try_again) return true;
  for (const std::string& line : app->last_lines()) {
    if (line.find("Another next dev server is already running") == std::string::npos &&
        line.find("Unable to acquire lock") == std::string::npos)
      continue;
    notice(event::Level::error,
           "next dev refused to start: another `next dev` runs in this directory and holds its lock",
           "stop the other one (next names its process id above), then start again");
    stop(kUsage, "lock");
    return false;
  }
  const auto* exited = std::get_if<process::Exited>(&cause);
  notice(event::Level::error,
         was_ready ? fmt::format("the app keeps stopping ({}); giving up", how)
                   : fmt::format("the app {} before it was ready", how),
         "its own messages above say why");
  // The exit code of `test` is its command's or ours, never the app's.
  stop(!command && exited != nullptr && exited->code != 0 ? exited->code : kSoftware, "app");
  return false;
}

void Emulator::Impl::stop(int code, std::string_view) {
  ++interrupts;
  if (command && code == kInterrupted) exit_code = code;  // Ctrl-C while the rest is being stopped
  if (!stopping) {
    stopping = true;
    exit_code = code;
    look_again.cancel();
    warming.reset();
    edge->set_upstream(nullptr);
    edge->stopping();
    server->shut_all();  // first: with open sockets `next dev` would ignore SIGTERM
    if (pool) pool->close_idle();
    if (isolation) isolation->stop();
    if (app) app->stop();
    if (sources) sources->stop();
  }
  const auto finish = [this] {
    keyboard.reset();
    signals.cancel();
    io.stop();
  };
  if (!supervisor) return finish();
  // The second Ctrl-C does not wait.
  supervisor->stop_all(interrupts > 1 ? 0s : std::chrono::milliseconds(kStopGrace), finish);
}

}  // namespace vsim::app
