#include "cli/tested_app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <deque>
#include <utility>
#include <vector>

#include "app/clock.hpp"
#include "app/live.hpp"
#include "app/recorder.hpp"
#include "cli/app_errors.hpp"
#include "cli/check.hpp"
#include "cli/record_file.hpp"
#include "cli/run.hpp"
#include "limits/instance_end.hpp"
#include "report/collector.hpp"

namespace vsim::cli {
namespace {

// Of what the app wrote while the command ran: enough for a stack trace and what led to it.
constexpr std::size_t kKeepLines = 60;

// People's lines, but none while the command runs: a reporter that moves the cursor, and whoever reads its
// output, must not meet them. Verdicts come with the summary, what went wrong with the app after it.
class Held final : public event::Sink {
 public:
  Held(Terminal& people, bool live, bool quiet) : people_(people), live_(live), quiet_(quiet) {}

  void on_event(const event::Stamp& stamp, const event::Event& event) override {
    if (const auto* e = std::get_if<event::CommandRun>(&event)) running_ = !e->ended;
    const auto* notice = std::get_if<event::Notice>(&event);
    if (notice != nullptr) unseen_ |= notice->code == limits::instance_end::kHandlerNotSeen;
    if (!running_) say_kept(stamp);
    if (!running_ || live_ || urgent(event)) return people_.on_event(stamp, event);
    // Warnings are in the summary. What is only remarked on waits.
    if (notice != nullptr && notice->level == event::Level::info && kept_.size() < kKeepLines)
      kept_.push_back({std::string(notice->message), std::string(notice->fix)});
  }
  void on_pause() override { people_.on_pause(); }
  void app_output(const app::OutputLine& out) {
    const std::string_view line = out.text;
    const bool error = errors_.shows(out);
    if (!running_ || live_) {
      if (!quiet_ || error) people_.app_output(line);
      return;
    }
    if (lines_.empty() && line.find_first_not_of(" \r\n") == std::string_view::npos) return;
    lines_.emplace_back(line);
    if (lines_.size() > kKeepLines) lines_.pop_front();
  }
  bool unseen() const { return unseen_; }
  // What the app wrote last while the command ran.
  std::string last_lines() const {
    std::string out;
    for (const std::string& line : lines_) out += "  | " + line;
    return out;
  }

 private:
  // Rare, and why the rest of the run may look as it does: not held back.
  static bool urgent(const event::Event& event) {
    if (const auto* e = std::get_if<event::Notice>(&event)) return e->level == event::Level::error;
    return std::holds_alternative<event::AppChanged>(event);
  }

  void say_kept(const event::Stamp& stamp) {
    for (const auto& [message, fix] : std::exchange(kept_, {})) {
      event::Event told(std::in_place_type<event::Notice>);
      auto& notice = std::get<event::Notice>(told);
      notice.message = message;
      notice.fix = fix;
      people_.on_event(stamp, told);
    }
  }

  Terminal& people_;
  std::vector<std::pair<std::string, std::string>> kept_;  // messages and fixes
  bool live_, quiet_, running_ = false, unseen_ = false;
  AppErrors errors_;
  std::deque<std::string> lines_;
};

}  // namespace

Result<Tested, int> run_tested(const TestOptions& options, app::CommandSpec command, const Watch* watch,
                               Colour colour) {
  auto prepared = set_up(options.run);
  if (!prepared) return prepared.error();
  Setup& setup = **prepared;
  const std::uint64_t seed = setup.emulator.engine.seed;
  const std::string sources = setup.emulator.project_dir;
  if (options.warm && !app::is_next(setup.emulator.app)) {
    print_error({"--warm compiles the routes of next dev, and another app is tested here",
                 "leave --warm out, or let vercel-sim run the project's own next dev"});
    return kUsage;
  }
  setup.emulator.warm = options.warm;
  setup.emulator.fold_starts = options.run.verbosity != Verbosity::verbose;
  command.ready_timeout = options.ready_timeout;
  setup.emulator.command = std::move(command);
  setup.emulator.isolation_required = true;  // a test of state that passes for want of it is worse than none

  const TerminalStyle style =
      style_of(options.run.verbosity, shows_colour(colour, ::isatty(STDERR_FILENO) == 1));
  app::LineWriter writer(STDERR_FILENO);
  Terminal people(writer, style, STDERR_FILENO);
  Held held(people, style.verbose, style.quiet);
  report::Collector collector;
  if (options.reports.find("--html") != nullptr) collector.keep_events();
  app::EventHub hub;
  hub.add(held);
  hub.add(collector);
  app::Live live(app::now(), [&]() -> const profile::Profile& { return setup.profile; });
  hub.add(live);
  setup.emulator.live = &live;
  setup.emulator.watches_streams = true;
  EventsFile events;
  if (options.run.events && !events.open(*options.run.events, hub)) return kUsage;
  RecordFile record;
  if (options.run.record && !record.open(*options.run.record, hub, setup.emulator)) return kUsage;
  std::optional<app::Recorder> recorder;
  if (watch != nullptr) {
    watch->build = build_of(setup.emulator);
    recorder.emplace(watch->outcomes, false);
    hub.add(*recorder);
    setup.emulator.recorder = &*recorder;
  }

  if (!style.quiet) {
    print_banner(people, options.run, setup);
    people.say(fmt::format("seed {} (repeat with --seed {})\n", seed, seed));
  }
  record.say(people);
  const bool drop_request_lines = app::is_next(setup.emulator.app);
  app::Emulator program(std::move(setup.emulator), hub, [&](const app::OutputLine& line) {
    if (drop_request_lines && is_next_request_line(line.text)) return;
    live.printed(app::now(), line);
    held.app_output(line);
  });
  const auto result = program.run();
  writer.flush();
  if (!result) print_error(result.error());
  int code = result ? *result : program.failure_code();
  if (!events.complete() && code == 0) code = kSoftware;
  if (!record.complete() && code == 0) code = kSoftware;
  const auto& end = program.command_end();
  if (!end) return code;  // it never started, and why is told

  return Tested{code, *end, setup.profile, collector.run(), seed, sources, held.unseen(), held.last_lines()};
}

Judgement judge(const Tested& tested, Expectations& expectations) {
  check::Report found;
  if (!tested.sources.empty())
    found = check_sources(tested.sources, tested.profile, process::current_environment());
  const std::string prefix =
      tested.sources.empty() ? std::string() : source_prefix(tested.sources, CheckFormat::github);
  return judge(tested.run, expectations, found, prefix);
}

int unless_unseen(int code, const Tested& tested) {
  return tested.unseen && tested.end.interrupted_by == 0 ? kSoftware : code;
}

std::string why(int code, const Tested& tested) {
  if (code == 0) return {};
  if (tested.end.interrupted_by != 0) return "interrupted";
  if (code == kSoftware && tested.unseen)
    return "functions that nobody saw begin: SIM_HANDLER_NOT_SEEN, above";
  if (code == tested.end.exit_code()) return "the command's own";
  if (code == kViolations) return "violations";
  if (code == kNothingTested) return "the command sent no request: nothing was tested";
  return "the app or vercel-sim itself failed, see above";
}

}  // namespace vsim::cli
