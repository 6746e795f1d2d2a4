#include "cli/replay.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "app/replay_run.hpp"
#include "base/plain_text.hpp"
#include "cli/columns.hpp"
#include "cli/default_profile.hpp"
#include "cli/read_file.hpp"
#include "cli/record_file.hpp"
#include "cli/run.hpp"
#include "cli/tested_app.hpp"
#include "replay/compare.hpp"
#include "report/render.hpp"

namespace vsim::cli {
namespace {

// Besides twice the time that an answer took when it was recorded: for another machine, a cold compile.
constexpr Duration kPatience = std::chrono::seconds(60);

struct One {
  replay::Replayed replayed;
  std::optional<Tested> tested;
  Judgement judgement;
  bool failed = false;  // something that is not meant broke, or struck
  bool empty = false;   // it ran, and not one request could be sent
};

// What broke that is not meant, told apart from what only struck. `before_too`: what had been broken in
// another way counts.
std::size_t broke(const replay::Replayed& replayed, Expectations& expectations, bool before_too) {
  std::size_t n = 0;
  for (const replay::Line& l : replayed.lines) {
    if (l.change != replay::Change::broke && !(before_too && l.change == replay::Change::other)) continue;
    const replay::RecordedOutcome& now = *l.met.outcome;
    const std::string path = l.request->target.substr(0, l.request->target.find('?'));
    bool meant = !now.codes.empty();
    for (const limits::Code code : now.codes)
      meant = meant && expectations.match(code, now.route, now.file, path) != nullptr;
    n += meant ? 0 : 1;
  }
  return n;
}

Duration give_up_after(const std::string& name, const RunOptions& run) {
  const auto profile = load(name, overrides_of(run.set));
  const Duration longest = profile ? profile->duration_max.value : Duration{};
  if (longest <= Duration::zero() || longest > std::chrono::hours(1))
    return kPatience + std::chrono::hours(1);
  return kPatience + longest;
}

One replay_on(const replay::Recording& recording, const TestOptions& options, const ProjectConfig& config,
              Colour colour) {
  One out;
  out.replayed.profile = options.run.profile;
  // Asked when the app is ready: set_up() knows it by then.
  const auto identity = std::make_shared<std::function<std::string()>>();
  app::ReplaySpeed speed;
  speed.stay = recording.about.time_scale / options.run.time_scale;
  speed.give_up_after = give_up_after(options.run.profile, options.run);
  const auto program = std::make_shared<app::ReplayRun>(
      recording, speed, [identity] { return *identity ? (*identity)() : std::string(); });
  app::CommandSpec command;
  command.name = "replay";
  command.program = program;
  const Watch watch{*program, *identity};
  auto tested = run_tested(options, std::move(command), &watch, colour);
  if (!tested) {
    out.replayed.exit_code = tested.error();
    return out;
  }
  out.replayed = replay::make_replayed(recording, options.run.profile, program->results());
  Expectations expectations(config.expect);
  out.judgement = judge(*tested, expectations);
  const bool limits = options.fail_on == FailOn::violations && out.judgement.failing > 0;
  const bool new_ones = options.fail_on != FailOn::none &&
                        broke(out.replayed, expectations, options.fail_on == FailOn::violations) > 0;
  out.failed = limits || new_ones;
  int code = tested->code;
  // Nothing was tested: no success, whatever --fail-on says.
  out.empty = code == 0 && std::none_of(out.replayed.lines.begin(), out.replayed.lines.end(),
                                        [](const replay::Line& l) { return l.met.outcome.has_value(); });
  if (code == 0 && (out.empty || out.failed)) code = out.empty ? kSoftware : kViolations;
  code = unless_unseen(code, *tested);
  out.replayed.exit_code = code;
  out.replayed.report = report::render_json(tested->run, out.judgement.extras);
  out.tested = std::move(*tested);
  return out;
}

std::string closing(const One& one, const ProjectConfig& config) {
  Closing c;
  c.config_file = config.file;
  c.seed = one.tested->seed;
  c.stale_matters = false;  // a recording is a part of what there is to do
  c.by_address = false;
  c.exit_code = one.replayed.exit_code;
  c.exit_reason = why(one.replayed.exit_code, *one.tested);
  if (c.exit_code == kViolations && one.judgement.failing == 0) c.exit_reason = "something broke";
  if (c.exit_code == kSoftware && one.empty) c.exit_reason = "nothing was sent";
  return render_closing(one.tested->run, one.judgement, c);
}

bool is_interruption(int code) { return code == 128 + 2 || code == 128 + 15 || code == 128 + 1; }

// Each reason is in the comparison.
std::string nothing_sent(const std::string& recording) {
  return fmt::format(
      "\nwarning: no request of {} could be sent, so nothing was tested\n"
      "  fix: the reasons are above; record requests that can be sent again\n",
      recording);
}

// Being interrupted comes before what failed to run, and that before what ran and failed.
int worst(int a, int b) {
  if (is_interruption(b)) return b;
  if (a == 0 || b == 0) return a + b;
  return a == kViolations ? b : a;
}

}  // namespace

int run_replay(const ReplayOptions& asked, Colour colour) {
  const auto text = read_file(asked.recording, kMostRecordedBytes);
  if (!text) {
    print_error(text.error());
    return kUsage;
  }
  const auto recording = replay::read_recording(*text, asked.recording);
  if (!recording) {
    print_error(recording.error());
    return kUsage;
  }
  if (recording->requests.empty()) {
    print_error({fmt::format("{}: no request is in it", asked.recording),
                 "record one: vercel-sim run --record FILE"});
    return kUsage;
  }
  TestOptions options = asked.test;
  ProjectConfig config;
  if (!load_project_config(options, config)) return kUsage;
  options.run.listen = {"127.0.0.1", "::1"};
  if (recording->about.url.starts_with("https://")) options.run.https = true;
  const std::optional<std::string> json = options.reports.take("--json");

  if (asked.profiles.empty() && !options.run.profile_given) {
    DefaultProfile chosen = default_profile(options.run.cwd.empty() ? "." : options.run.cwd);
    fmt::print(stderr, "note: {}\n", plain(chosen.note));
    options.run.profile = std::move(chosen.name);
  }
  options.run.profile_given = true;  // each run is on what is named here
  const std::vector<std::string> profiles =
      asked.profiles.empty() ? std::vector<std::string>{options.run.profile} : asked.profiles;
  for (const std::string& name : profiles)
    if (!load(name, {})) return kUsage;
  const bool several = profiles.size() > 1;
  std::vector<replay::Replayed> all;
  int code = 0;
  std::string empty;
  for (const std::string& name : profiles) {
    TestOptions run = options;
    run.run.profile = name;
    if (several && run.run.verbosity != Verbosity::verbose) {
      run.run.verbosity = Verbosity::quiet;
      fmt::print(stderr, "replaying on {}\n", name);
    }
    One one = replay_on(*recording, run, config, colour);
    const int its = one.replayed.exit_code;
    if (one.tested && !several) {
      if (its != 0 && its != kViolations && !one.tested->last_lines.empty())
        fmt::print(stderr, "\nwhat the app wrote last meanwhile:\n{}", one.tested->last_lines);
      print_fitted(stderr, "\n" + report::render_text(one.tested->run, one.judgement.extras));
      fmt::print("\n{}", replay::render_comparison(*recording, one.replayed));
      std::fflush(stdout);
      if (one.empty) fmt::print(stderr, "{}", nothing_sent(asked.recording));
      fmt::print(stderr, "{}", closing(one, config));
      if (options.reports.to_standard_output(false)) ::dup2(STDERR_FILENO, STDOUT_FILENO);
      if (const auto written = options.reports.write(one.tested->run, one.judgement.extras); !written) {
        print_error(written.error());
        code = kSoftware;
      }
    }
    if (one.empty) empty += (empty.empty() ? "" : ", ") + name;
    all.push_back(std::move(one.replayed));
    code = worst(code, its);
    if (is_interruption(its)) break;
  }
  if (several) {
    fmt::print("\n{}", replay::render_table(*recording, all));
    std::fflush(stdout);
    fmt::print(stderr, "\nexit code {}{}\n", code,
               code == kViolations                   ? ": violations, or something broke"
               : code == kSoftware && !empty.empty() ? ": nothing was sent on " + empty
                                                     : "");
  }
  if (!json) return code;
  const auto written = write_text("--json", *json, replay::render_json(*recording, all));
  if (!written) print_error(written.error());
  return written || code != 0 ? code : kSoftware;
}

}  // namespace vsim::cli
