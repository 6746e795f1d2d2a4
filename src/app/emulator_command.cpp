#include <fmt/format.h>

#include "app/emulator_impl.hpp"

namespace vsim::app {

using namespace std::chrono_literals;

// Verdicts on the last requests come when their functions are over, which is after their answers. waitUntil
// work may take longer than anybody waits here.
void Emulator::Impl::stop_when_told() {
  const bool waits = !stopping && command_end->interrupted_by == 0 && engine->lingering() > 0;
  if (!waits || clock.now() >= last_words_by) {
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
  if (!edge->ready()) return;      // it crashed in between: it answers again, or the time is over
  const auto started = command->start(*children, url, port);
  if (started) return emit(event::CommandRun{options.command->name, false, 0});
  notice(event::Level::error, started.error().message, started.error().fix);
  stop(kUsage, "command");
}

}  // namespace vsim::app
