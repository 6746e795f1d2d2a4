// The command line as a value (vercel-sim(1)). Decides what the words mean and nothing else: it opens no
// file, reads no environment and prints nothing. Called by main.cpp, which runs what comes out and turns a
// UsageError into exit code 64.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/report_outputs.hpp"
#include "log/log.hpp"
#include "profile/profile.hpp"

namespace vsim::cli {

// What a command's help is about; `general` for `vercel-sim` alone.
enum class HelpTopic {
  general,
  run,
  test,
  replay,
  check,
  profiles,
  explain,
  report,
  doctor,
  completion,
  learn,
  mcp,
  parity
};

struct ShowHelp {
  HelpTopic topic = HelpTopic::general;
};
struct ShowVersion {};

// http://HOST[:PORT], the server of --upstream.
struct UpstreamOption {
  std::string url;   // as typed, for whoever takes it apart again
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 80;
  bool operator==(const UpstreamOption&) const = default;
};

// Of a collector: `path` is what requests ask for, "/v1/traces" below that of the address.
struct OtlpOption {
  UpstreamOption at;
  std::string path;
  bool operator==(const OtlpOption&) const = default;
};

enum class Verbosity { quiet, normal, verbose };

struct RunOptions {
  std::string profile =
      "hobby";  // a name, or the path of a file when it has a slash or ends in .yaml or .yml
  std::vector<std::pair<std::string, std::string>>
      set;                    // --set in the order given; keys are the profile module's to judge
  std::uint16_t port = 3000;  // 0: any free one
  bool port_given = false;    // else the default, which may give way to the dev script's own
  std::vector<std::string> listen = {"127.0.0.1", "::1"};
  bool https = false;
  bool profile_given = false;  // on the command line or in vercel-sim.yaml; else vercel.json may choose
  std::string allowed_hosts;   // names with commas between them, as engine::Door takes them
  std::string cwd;             // empty: ours
  double time_scale = 1.0;
  std::optional<std::string> events;  // a file, "-" for standard output
  std::optional<std::string> record;  // a file
  std::optional<OtlpOption> otlp;     // where spans go while it runs
  std::optional<log::LogLevel> log_level;
  std::optional<std::string> log_file;
  std::optional<profile::Isolation> isolation;
  std::optional<std::string> placement;  // "pack" or "spread:N"
  std::optional<std::uint64_t> seed;
  bool inspect_instance = false;
  std::optional<std::string> env_file;  // of variables that a deployment has
  Duration deploy_every{};              // zero: no deployments
  bool open = false;                    // the browser, once the app is ready
  bool notice = true;                   // on the app's own page, of what was cut or refused
  Duration compile_grace{};
  std::optional<UpstreamOption> upstream;  // at most one of upstream, app, command
  std::optional<std::string> app;          // a line for the shell
  std::vector<std::string> command;        // after "--"; not empty if given
  Verbosity verbosity = Verbosity::normal;
  std::vector<std::string> given;  // names of the options that stood on the command line, with their dashes
};

// `broke`: only what had worked in the recording; of replay alone.
enum class FailOn { violations, broke, none };
struct TestOptions {
  RunOptions run;                    // its `command` stays empty: the app's is run.app
  std::vector<std::string> command;  // what tests, after "--"; not empty
  FailOn fail_on = FailOn::violations;
  ReportOutputs reports;                             // none of them to standard output
  Duration ready_timeout = std::chrono::minutes(2);  // Playwright's webServer gives 1, for warm machines
  bool warm = false;                                 // compile every route before the command starts
};

struct ReplayOptions {
  TestOptions test;  // its `command` stays empty
  std::string recording;
  std::vector<std::string> profiles;  // --profiles; empty: the one of test.run
};

enum class CheckFormat { text, json, sarif, github };
struct CheckOptions {
  std::string profile = "hobby";
  bool profile_given = false;
  std::vector<std::pair<std::string, std::string>> set;
  std::string directory;  // empty: ours
  CheckFormat format = CheckFormat::text;
  bool size = false;  // what functions weigh, instead of the rules
};

struct ProfilesList {
  bool json = false;
};
struct ProfilesShow {
  std::string profile;
  bool json = false;
};
struct ProfilesDiff {
  std::string a, b;
  bool json = false;
};
struct ExplainOptions {
  std::string code;  // a code, a rule or an error message, as typed; empty: all of them
  bool json = false;
};
struct ReportOptions {
  std::string events;  // the file that --events wrote; "-": standard input
  ReportOutputs outputs;
};
struct DoctorOptions {
  std::string directory;  // empty: ours
  bool json = false;
};
enum class Shell { bash, zsh, fish };
struct CompletionOptions {
  Shell shell = Shell::bash;
};

struct LearnOptions {
  std::vector<std::string> words;  // of the command line, checked; the runner of the lessons reads them
};

struct McpOptions {
  std::string url;  // of a run; empty: http://localhost:3000
};

struct ParityOptions {
  std::vector<std::string> words;  // record or compare, what follows and the options, checked
};

// `automatic`: where a terminal shows it, and NO_COLOR does not say otherwise.
enum class Colour { automatic, always, never };

struct Options {
  std::variant<ShowHelp, ShowVersion, RunOptions, TestOptions, ReplayOptions, CheckOptions, ProfilesList,
               ProfilesShow, ProfilesDiff, ExplainOptions, ReportOptions, DoctorOptions, CompletionOptions,
               LearnOptions, McpOptions, ParityOptions>
      command;
  bool no_color = false;             // --no-color
  Colour color = Colour::automatic;  // --color
};

// Everything wrong with a command line, in its order.
struct UsageError {
  std::string command;  // "vercel-sim run": begins each line
  std::vector<std::string> problems;
  std::string help;  // "vercel-sim run --help"
};

// `arguments` is without the program's name. No argument at all asks for help.
Result<Options, UsageError> parse_options(std::span<const std::string_view> arguments);

// Lines for standard error, each ended by a newline.
std::string to_text(const UsageError&);

// What a vercel-sim.yaml may say; names without the dashes.
std::vector<std::string_view> file_option_names();
// Gives `name` the value of a vercel-sim.yaml. What was expected when the value is wrong; the options of the
// command line are left as they are (RunOptions::given).
std::optional<std::string> set_default(TestOptions&, std::string_view name, std::string_view value);

}  // namespace vsim::cli
