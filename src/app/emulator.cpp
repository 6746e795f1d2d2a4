#include "app/emulator.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "app/emulator_impl.hpp"
#include "process/signal_origin.hpp"
#include "process/usage.hpp"

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kStopGrace = 3s;  // what `next dev` gets to end by itself
constexpr auto kLastWords = 1s;  // for what the last answers have left: told a moment after them

std::unique_ptr<App> make_app(const AppSpec& spec, const World& world) {
  struct {
    const World& world;
    std::unique_ptr<App> operator()(const NextSpec& s) const { return make_next_app(s, world); }
    std::unique_ptr<App> operator()(const ServerSpec& s) const { return make_server_app(s); }
    std::unique_ptr<App> operator()(const UpstreamSpec& s) const { return make_upstream_app(s); }
  } const make{world};
  return std::visit(make, spec);
}

// While the I/O thread turns, sinks hand on what they gathered once in a turn.
struct TurnsOf {
  TurnsOf(EventHub& of, net::Poller& poller) : hub(of) { hub.join(poller); }
  ~TurnsOf() { hub.leave(); }
  EventHub& hub;
};

}  // namespace

Emulator::Emulator(EmulatorOptions options, EventHub& hub, std::function<void(const OutputLine&)> app_output,
                   World world)
    : impl_(std::make_unique<Impl>(std::move(options), hub, std::move(app_output), std::move(world))) {}
// Who presses Ctrl-C once more while the rest is being written has the code of Ctrl-C too.
Emulator::~Emulator() {
  if (!impl_->world.signals) return;
  impl_->signals.clear();  // which gives them their defaults back
  std::signal(SIGINT, [](int) { ::_exit(kInterrupted); });
}
Result<int> Emulator::run() { return impl_->run(); }
void Emulator::restart_app() {
  if (impl_->app && !impl_->stopping) impl_->app->restart();
}
void Emulator::switch_profile(const profile::Profile& profile) { impl_->switch_profile(profile); }
void Emulator::switch_time_scale(double scale) { impl_->switch_time_scale(scale); }
void Emulator::retire_instances() { impl_->retire_instances(); }
std::string Emulator::kill_instance(std::string_view name) { return impl_->kill_instance(name); }
void Emulator::deploy() { impl_->deploy(); }
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

// The engine, what stands before it, and the port.
Result<bool> Emulator::Impl::open_edge() {
  loop = std::make_unique<CoreLoop>(io, *options.profile, options.engine, hub);
  engine = &loop->engine();

  EdgeOptions edge_options;
  edge_options.token = app->token();
  edge_options.region = options.profile->region.value;
  edge_options.https = options.https;
  edge_options.stream_cut = options.profile->stream_cut.value;
  edge_options.door = engine::Door(options.allowed_hosts);
  edge_options.websocket_close_code = options.profile->websocket_close_code.value;
  edge = std::make_unique<Edge>(io, *loop, edge_options);
  edge->set_recorder(options.recorder);
  edge->set_live(options.live);
  if (options.watches_streams) edge->watch_streams();
  if (options.live) options.live->answer_on(&io);
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
  return true;
}

void Emulator::Impl::wrap_command() {
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
    last_words_by = clock.now() + kLastWords;
    stop_when_told();
  };
  command = std::make_unique<WrappedCommand>(io, *options.command, std::move(callbacks));
  command->expect_ready();
}

void Emulator::Impl::wind_down() {
  edge->stop();
  score.finish();
  sources.reset();
  event::RunStopped stopped;
  stopped.reason = exit_code == kInterrupted ? "interrupted" : exit_code == 0 ? "stopped" : "failed";
  stopped.exit_code = exit_code;
  emit(stopped);
  command.reset();
  app.reset();
  server.reset();
  if (options.live) options.live->answer_on(nullptr);
  pool.reset();
}

Result<int> Emulator::Impl::run() {
  if (world.signals) std::signal(SIGPIPE, SIG_IGN);
  app = make_app(options.app, world);
  app->describe(options.engine, *options.profile);
  options.engine.https = options.https;
  options.engine.freezes_idle = !options.inspect_instance;
  if (const auto listening = open_edge(); !listening) return listening.error();

  hub.add(score);
  if (world.signals) start_signals();
  if (options.each_second) tick();
  if (options.key) keyboard = Keyboard::open(io, options.key);
  if (options.command) wrap_command();
  if (!options.project_dir.empty()) start_sources();
  begin_look();
  if (const auto started = start_app(); !started) return started.error();
  server->start();  // answers 503 and /_vercel-sim/health until the app is ready
  {
    const TurnsOf turns(hub, net::Poller::of(io));
    process::shorten_slice();
    io.run();
  }

  wind_down();
  return exit_code;
}

void Emulator::Impl::tick() {
  second.expires_after(1s);
  second.async_wait([this](boost::system::error_code error) {
    if (error || stopping) return;
    options.each_second(clock.now());
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
      if (const auto size = process::os::terminal_size(STDOUT_FILENO); size) app->resize(*size);
    } else if (!command) {
      stop(signal == SIGINT ? kInterrupted : 0, "signal");
    } else if (!command->interrupted(signal, process::sent_by_terminal(signal))) {
      stop(128 + signal, "signal");  // tests that did not come to their end are no success
    }
    start_signals();
  });
}

void Emulator::Impl::stop(int code, std::string_view) {
  ++interrupts;
  if (command && code == kInterrupted) exit_code = code;  // Ctrl-C while the rest is being stopped
  if (!stopping) {
    stopping = true;
    exit_code = code;
    next_deployment.cancel();
    score.timer.cancel();
    edge->set_upstream(nullptr);
    edge->stopping();
    server->shut_all();  // first: with open sockets `next dev` would ignore SIGTERM
    if (pool) pool->close_idle();
    app->stop();
    if (sources) sources->stop();
  }
  const auto finish = [this] {
    keyboard.reset();
    signals.cancel();
    io.stop();
  };
  if (!children) return finish();
  // The second Ctrl-C does not wait.
  children->stop_all(interrupts > 1 ? 0s : std::chrono::milliseconds(kStopGrace), finish);
}

}  // namespace vsim::app
