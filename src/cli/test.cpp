#include "cli/test.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <deque>

#include "cli/run.hpp"

namespace vsim::cli {
namespace {

constexpr int kViolations = 2, kUsage = 64, kSoftware = 70;
// Of what the app wrote while the command ran: enough for a stack trace and what led to it.
constexpr std::size_t kKeepLines = 60;

// People's lines, but none while the command runs: a reporter that moves the cursor, and whoever reads its
// output, must not meet them. Verdicts come with the summary.
class Held final : public event::Sink {
 public:
  Held(Terminal& people, bool live) : people_(people), live_(live) {}

  void on_event(const event::Stamp& stamp, const event::Event& event) override {
    if (const auto* e = std::get_if<event::InvocationEnded>(&event)) {
      if (e->traffic != event::Traffic::internal) ++requests_;
      for (const auto& v : e->verdicts)
        if (v.enforced) ++violations_;
    }
    if (const auto* e = std::get_if<event::AppChanged>(&event))
      crashed_ = crashed_ || e->state == event::AppState::crashed;
    const bool told = std::holds_alternative<event::Notice>(event) ||
                      std::holds_alternative<event::AppChanged>(event) ||
                      std::holds_alternative<event::RunStarted>(event);
    if (!holding_ || live_ || told) people_.on_event(stamp, event);
    if (std::holds_alternative<event::RunStarted>(event)) holding_ = true;
  }

  void app_output(std::string_view line) {
    if (!holding_ || live_) return people_.app_output(line);
    lines_.emplace_back(line);
    if (lines_.size() > kKeepLines) lines_.pop_front();
  }

  const std::deque<std::string>& lines() const { return lines_; }
  std::size_t requests() const { return requests_; }
  std::size_t violations() const { return violations_; }

 private:
  Terminal& people_;
  bool live_, holding_ = false, crashed_ = false;
  std::size_t requests_ = 0, violations_ = 0;
  std::deque<std::string> lines_;
};

}  // namespace

int test(const Test& options, bool no_color) {
  auto prepared = set_up(options.run);
  if (!prepared) return prepared.error();
  Setup& setup = **prepared;
  const std::uint64_t seed = setup.emulator.engine.seed;
  app::CommandSpec command;
  command.argv = options.command;
  command.env = process::current_environment();
  command.ready_timeout = options.ready_timeout;
  setup.emulator.command = std::move(command);

  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  TerminalStyle style;
  style.colour = !no_color && terminal;
  style.quiet = options.run.verbosity == Verbosity::quiet;
  style.verbose = options.run.verbosity == Verbosity::verbose;
  app::LineWriter writer(STDERR_FILENO);
  Terminal people(writer, setup.profile, style);
  Held held(people, style.verbose);
  app::EventHub hub;
  hub.add(held);
  EventsFile events;
  if (options.run.events && !events.open(*options.run.events, hub)) return kUsage;

  if (!style.quiet) {
    print_banner(people, options.run, setup);
    people.app_output(fmt::format("seed {} (repeat with --seed {})\n", seed, seed));
  }
  const bool drop_request_lines = setup.emulator.app.next;
  app::Emulator program(std::move(setup.emulator), hub, [&](std::string_view line) {
    if (drop_request_lines && is_next_request_line(line)) return;
    if (!style.quiet) held.app_output(line);
  });
  const auto result = program.run();
  writer.flush();
  if (!result) print_error(result.error());
  int code = result ? *result : program.failure_code();
  if (!events.complete() && code == 0) code = kSoftware;
  if (code == 0 && options.fail_on == FailOn::violations && held.violations() > 0) code = kViolations;
  return code;
}

}  // namespace vsim::cli
