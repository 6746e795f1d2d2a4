#include <fmt/format.h>

#include "app/emulator_impl.hpp"

namespace vsim::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAgain = 250ms;  // for an upstream that a command waits for

}  // namespace

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

}  // namespace vsim::app
