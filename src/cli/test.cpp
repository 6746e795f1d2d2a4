#include "cli/test.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <deque>

#include "cli/check.hpp"
#include "cli/project_config.hpp"
#include "cli/run.hpp"
#include "cli/verdicts.hpp"
#include "report/collector.hpp"
#include "report/render.hpp"

namespace vsim::cli {
namespace {

constexpr int kViolations = 2, kUsage = 64, kSoftware = 70;
// Of what the app wrote while the command ran: enough for a stack trace and what led to it.
constexpr std::size_t kKeepLines = 60;

// People's lines, but none while the command runs: a reporter that moves the cursor, and whoever reads its
// output, must not meet them. Verdicts come with the summary, what went wrong with the app after it.
class Held final : public event::Sink {
 public:
  Held(Terminal& people, bool live) : people_(people), live_(live) {}

  void on_event(const event::Stamp& stamp, const event::Event& event) override {
    if (const auto* e = std::get_if<event::CommandRun>(&event)) running_ = !e->ended;
    if (!running_ || live_ || urgent(event)) people_.on_event(stamp, event);
  }
  void on_pause() override { people_.on_pause(); }
  void app_output(std::string_view line) {
    if (!running_ || live_) return people_.app_output(line);
    if (lines_.empty() && line.find_first_not_of(" \r\n") == std::string_view::npos) return;
    lines_.emplace_back(line);
    if (lines_.size() > kKeepLines) lines_.pop_front();
  }
  // What the app wrote last while the command ran.
  std::string last_lines() const {
    std::string out;
    for (const std::string& line : lines_) out += "  " + line;
    return out;
  }

 private:
  // Rare, and why the rest of the run may look as it does: not held back.
  static bool urgent(const event::Event& event) {
    if (const auto* e = std::get_if<event::Notice>(&event)) return e->level == event::Level::error;
    return std::holds_alternative<event::AppChanged>(event);
  }

  Terminal& people_;
  bool live_, running_ = false;
  std::deque<std::string> lines_;
};

// As one would type it again.
std::string shell_line(const std::vector<std::string>& words) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

std::string why(int code, const app::CommandEnd& end) {
  if (code == 0) return {};
  if (end.interrupted_by != 0) return "interrupted";
  if (code == end.exit_code()) return "the command's own";
  if (code == kViolations) return "violations";
  return "the app or vercel-sim itself failed, see above";
}

}  // namespace

int test(const Test& asked, bool no_color) {
  Test options = asked;
  ProjectConfig config;
  if (!load_project_config(options, config)) return kUsage;
  auto prepared = set_up(options.run);
  if (!prepared) return prepared.error();
  Setup& setup = **prepared;
  const std::uint64_t seed = setup.emulator.engine.seed;
  const std::string sources = setup.emulator.project_dir;
  app::CommandSpec command;
  command.argv = options.command;
  command.name = shell_line(options.command);
  command.env = process::current_environment();
  command.ready_timeout = options.ready_timeout;
  setup.emulator.command = std::move(command);
  setup.emulator.isolation_required = true;  // a test of state that passes for want of it is worse than none

  TerminalStyle style;
  style.colour = !no_color && ::isatty(STDERR_FILENO) == 1;
  style.quiet = options.run.verbosity == Verbosity::quiet;
  style.verbose = options.run.verbosity == Verbosity::verbose;
  app::LineWriter writer(STDERR_FILENO);
  Terminal people(writer, setup.profile, style);
  Held held(people, style.verbose);
  report::Collector collector;
  app::EventHub hub;
  hub.add(held);
  hub.add(collector);
  EventsFile events;
  if (options.run.events && !events.open(*options.run.events, hub)) return kUsage;

  if (!style.quiet) {
    print_banner(people, options.run, setup);
    people.app_output(fmt::format("seed {} (repeat with --seed {})\n", seed, seed));
  }
  const bool drop_request_lines = setup.emulator.app.next;
  app::Emulator program(std::move(setup.emulator), hub, [&](std::string_view line) {
    if (!drop_request_lines || !is_next_request_line(line)) held.app_output(line);
  });
  const auto result = program.run();
  writer.flush();
  if (!result) print_error(result.error());
  int code = result ? *result : program.failure_code();
  if (!events.complete() && code == 0) code = kSoftware;
  const auto& end = program.command_end();
  if (!end) return code;  // it never started, and why is told

  const report::Run& run = collector.run();
  Expectations expectations(config.expect);
  check::Report found;
  if (!sources.empty()) found = check_sources(sources, setup.profile);
  const std::string prefix = sources.empty() ? std::string() : source_prefix(sources, CheckFormat::github);
  const Judgement judgement = judge(run, expectations, found, prefix);
  const bool passed = code == 0;
  if (passed && options.fail_on == FailOn::violations && judgement.failing > 0) code = kViolations;

  Closing closing;
  closing.config_file = config.file;
  closing.seed = seed;
  closing.stale_matters = passed;
  closing.exit_code = code;
  closing.exit_reason = why(code, *end);
  if (const std::string last = held.last_lines(); !passed && !last.empty())
    fmt::print(stderr, "\nwhat the app wrote last while the command ran:\n{}", last);
  fmt::print(stderr, "\n{}{}", report::render_text(run, judgement.extras),
             render_closing(run, judgement, closing));
  // GitHub reads annotations on either stream; standard output stays the command's own.
  if (options.reports.github) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  if (const auto written = write_reports(run, options.reports, judgement.extras); !written) {
    print_error(written.error());
    if (code == 0) code = kSoftware;
  }
  return code;
}

}  // namespace vsim::cli
