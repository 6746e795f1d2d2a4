#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "agent/scripts.hpp"
#include "app/emulator_impl.hpp"
#include "app/node_options.hpp"

namespace vsim::app {
namespace {

using boost::asio::ip::tcp;

std::uint16_t free_port(boost::asio::io_context& io) {
  tcp::acceptor probe(io, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  return probe.local_endpoint().port();
}

}  // namespace

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
    const std::string script = *scripts + "/dev/agent.cjs";
    const std::string app_socket = run_dir->socket_path("app.sock"),
                      control_socket = run_dir->socket_path("agent.sock");
    app_events = std::make_unique<AppEvents>(io, *loop, *this, token);
    if (const auto listening = app_events->listen(control_socket); !listening) return listening.error();

    if (options.profile->isolation.value != profile::Isolation::none) {
      IsolationOptions wanted;
      wanted.profile = options.profile;
      wanted.seed = options.engine.seed;
      wanted.env = spec.env;
      wanted.env_files = options.env_files;
      wanted.cwd = spec.cwd;
      wanted.run_dir = run_dir->path();
      wanted.scripts = *scripts;
      wanted.control_socket = control_socket;
      wanted.token = token;
      wanted.port = port;
      wanted.https = options.https;
      wanted.time_scale = options.engine.time_scale;
      wanted.inspect = options.inspect_instance;
      wanted.fold_starts = options.fold_starts;
      wanted.required = options.isolation_required;
      isolation = std::make_unique<IsolationShell>(io, *supervisor, server->timeouts(), app_events->channel(),
                                                   *loop, *this, std::move(wanted));
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
    if (options.notice) process::set_env(spec.env, "VSIM_NOTICE", "1");
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

void Emulator::Impl::ready() {
  if (stopping) return;  // the app came up while it was being stopped
  edge->set_upstream(pool.get());
  if (isolation) isolation->app_ready();
  event::AppChanged changed{event::AppState::ready, options.app_label};
  emit(changed);
  if (!std::exchange(was_ready, true)) {
    tell_started();
    deploy_again();
  }
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

}  // namespace vsim::app
