#include "cli/test.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/columns.hpp"
#include "cli/run.hpp"
#include "cli/tested_app.hpp"
#include "event/mask.hpp"
#include "process/find_program.hpp"
#include "project/command_output.hpp"
#include "report/render.hpp"

namespace vsim::cli {
namespace {

// As one would type it again, but for its secrets: it stands in events and reports.
std::string shell_line(const std::vector<std::string>& words) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
  std::string out;
  std::string_view before;
  for (const std::string& plain_word : words) {
    const std::string word = event::mask_word(plain_word, before);
    before = plain_word;
    if (!out.empty()) out += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      out += word;
      continue;
    }
    out += project::shell_quoted(word);
  }
  return out;
}

}  // namespace

int test(const TestOptions& asked, Colour colour) {
  TestOptions options = asked;
  ProjectConfig config;
  if (!load_project_config(options, config)) return kUsage;
  app::CommandSpec command;
  command.argv = options.command;
  command.name = shell_line(options.command);
  command.env = process::current_environment();
  // The app takes its time to get ready: a slip of the pen is not told only after it.
  if (const auto found = process::find_program(command.argv.front(), command.env, ""); !found) {
    print_error(found.error());
    return kUsage;
  }
  const auto tested = run_tested(options, std::move(command), nullptr, colour);
  if (!tested) return tested.error();

  Expectations expectations(config.expect);
  const report::Run& run = tested->run;
  const Judgement judgement = judge(*tested, expectations);
  int code = tested->code;
  const bool passed = code == 0;
  if (passed && options.fail_on == FailOn::violations && judgement.failing > 0) code = kViolations;
  if (code == 0 && options.fail_on != FailOn::none && run.requests == 0) code = kNothingTested;
  code = unless_unseen(code, *tested);

  Closing closing;
  closing.config_file = config.file;
  closing.seed = tested->seed;
  closing.stale_matters = passed;
  closing.exit_code = code;
  closing.exit_reason = why(code, *tested);
  if (!passed && !tested->last_lines.empty())
    fmt::print(stderr, "\nwhat the app wrote last while the command ran:\n{}", tested->last_lines);
  print_fitted(stderr,
               "\n" + report::render_text(run, judgement.extras) + render_closing(run, judgement, closing));
  // GitHub reads annotations on either stream; standard output stays the command's own.
  if (options.reports.to_standard_output(false)) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  if (const auto written = options.reports.write(run, judgement.extras); !written) {
    print_error(written.error());
    if (code == 0) code = kSoftware;
  }
  return code;
}

}  // namespace vsim::cli
