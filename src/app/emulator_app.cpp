#include "app/emulator_impl.hpp"

#include <fmt/format.h>

namespace vsim::app {

Result<bool> Emulator::Impl::start_processes() {
  auto started = world.spawn(io);
  if (!started) return started.error();
  guardian = std::move(started->guardian);
  children = std::move(started->children);
  return true;
}

Result<bool> Emulator::Impl::start_app() {
  if (app->needs_children() || options.command)
    if (const auto started = start_processes(); !started) return started.error();
  const auto failed = app->start(
      {io, *this, options, children.get(), guardian.get(), server->timeouts(), *loop, *edge, port});
  if (!failed) return true;
  failure_code = failed->exit_code;
  return failed->error;
}

net::UpstreamPool& Emulator::Impl::app_is_at(std::vector<net::UpstreamPool::Endpoint> endpoints,
                                             std::string origin) {
  pool = std::make_unique<net::UpstreamPool>(io, server->timeouts(), std::move(endpoints), std::move(origin));
  return *pool;
}

void Emulator::Impl::app_ready() {
  edge->set_upstream(pool.get());
  event::AppChanged changed{event::AppState::ready, options.app_label};
  emit(changed);
  if (!std::exchange(was_ready, true)) {
    tell_started();
    deploy_again();
  }
}

void Emulator::Impl::app_answers() {
  if (stopping || !command || command->started()) return;
  command->app_is_ready();
  if (!options.warm) return start_command();
  app->warm_up(routes.get(), options.command->ready_timeout, [this] { start_command(); });
}

std::string_view Emulator::Impl::isolation() const {
  const IsolationShell* instances = app->instances();
  return instances != nullptr ? instances->effective() : "none";
}

void Emulator::Impl::tell_started() {
  event::RunStarted e;
  e.version = VSIM_VERSION;
  e.url = url;
  e.profile = options.profile->name;
  e.profile_as_of = options.profile->as_of;
  e.app = options.app_label;
  e.isolation = isolation();
  e.time_scale = options.engine.time_scale;
  emit(e);
}

bool Emulator::Impl::app_died(const process::ExitCause& cause, bool try_again,
                              const std::deque<std::string>& last_lines) {
  // It was to get warm, and that has no end now: its successor has to be ready in time as it had to be.
  if (try_again && command && !command->started()) command->expect_ready();
  const std::string how = process::describe(cause);
  event::AppChanged e{event::AppState::crashed, how};
  emit(e);
  if (try_again) return true;
  for (const std::string& line : last_lines) {
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
