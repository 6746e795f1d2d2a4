#include "cli/main.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <vector>

#include "base/text.hpp"
#include "cli/check.hpp"
#include "cli/columns.hpp"
#include "cli/completion.hpp"
#include "cli/doctor.hpp"
#include "cli/explain.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/own_log.hpp"
#include "cli/replay.hpp"
#include "cli/report.hpp"
#include "cli/run.hpp"
#include "cli/test.hpp"
#include "learn/start.hpp"
#include "page/page.hpp"
#include "process/guardian.hpp"
#include "profile/render.hpp"
#include "profile/schema.hpp"

namespace vsim::cli {
namespace {

// A person's text fits the terminal, a tool's does not.
void print_profiles(bool json, const std::string& text) {
  if (json)
    fmt::print("{}\n", text);
  else
    print_fitted(stdout, text);
}

int list_profiles(bool json) {
  std::vector<profile::Profile> all;
  for (const auto name : profile::kBuiltinProfiles) {
    auto one = load(std::string(name), {});
    if (!one) return 70;
    all.push_back(std::move(*one));
  }
  print_profiles(json, json ? profile::render_list_json(all) : profile::render_list(all));
  return 0;
}

struct Execute {
  Colour colour;
  int operator()(const ShowHelp& o) const {
    print_fitted(stdout, help_text(o.topic));
    return 0;
  }
  int operator()(const ShowVersion&) const {
    fmt::print("vercel-sim {}\n", VSIM_VERSION);
    return 0;
  }
  int operator()(const RunOptions& o) const { return run(o, colour); }
  int operator()(const TestOptions& o) const { return test(o, colour); }
  int operator()(const ReplayOptions& o) const { return run_replay(o, colour); }
  int operator()(const CheckOptions& o) const { return run_check(o); }
  int operator()(const ProfilesList& o) const { return list_profiles(o.json); }
  int operator()(const ProfilesShow& o) const {
    const auto profile = load(o.profile, {});
    if (!profile) return kUsage;
    print_profiles(o.json, o.json ? profile::render_json(*profile) : profile::render_show(*profile));
    return 0;
  }
  int operator()(const ProfilesDiff& o) const {
    const auto a = load(o.a, {});
    const auto b = load(o.b, {});
    if (!a || !b) return kUsage;
    print_profiles(o.json, o.json ? profile::render_diff_json(*a, *b) : profile::render_diff(*a, *b));
    return 0;
  }
  int operator()(const ExplainOptions& o) const { return explain(o.code, o.json); }
  int operator()(const ReportOptions& o) const { return run_report(o); }
  int operator()(const DoctorOptions& o) const { return doctor(o); }
  int operator()(const CompletionOptions& o) const {
    fmt::print("{}", completion_script(o.shell));
    return 0;
  }
  int operator()(const LearnOptions& o) const {
    std::vector<std::string_view> words(o.words.begin(), o.words.end());
    if (colour == Colour::never) words.push_back("--no-color");
    if (colour == Colour::always) words.push_back("--color");
    return learn::start("learn", words);
  }
  int operator()(const McpOptions& o) const {
    const std::string url = "--url=" + (o.url.empty() ? "http://localhost:3000" : o.url);
    const std::string_view words[] = {url, "--version=" VSIM_VERSION};
    return learn::start("mcp", words);
  }
  int operator()(const ParityOptions& o) const {
    return learn::start("parity", std::vector<std::string_view>(o.words.begin(), o.words.end()));
  }
};

}  // namespace

int run_main(int argc, char** argv) {
  // A standard descriptor that is closed would be the number of the next socket, and so a child's input.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return 70;
  if (argc > 1 && std::strcmp(argv[1], "__guardian") == 0) return process::guardian_main(argc, argv);
  if (argc == 2 && std::strcmp(argv[1], "__lessons") == 0) return learn::print_bundle();
  if (argc == 2 && std::strcmp(argv[1], "__page") == 0) {
    fmt::print("{}", page::live());
    return 0;
  }
  if (argc >= 3 && std::strcmp(argv[1], "__yaml") == 0)
    return learn::print_yaml({argv + 2, static_cast<std::size_t>(argc - 2)});
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const auto options = parse_options(arguments);
  if (!options) {
    fmt::print(stderr, "{}", to_text(options.error()));
    return kUsage;
  }
  process::os::raise_descriptor_limit();
  const char* no_color = std::getenv("NO_COLOR");
  try {
    Colour colour = options->no_color ? Colour::never : options->color;
    if (colour == Colour::automatic && no_color != nullptr && *no_color != '\0') colour = Colour::never;
    const auto log = begin_log(*options);
    if (!log) {
      print_error(log.error());
      return kUsage;
    }
    const int code = std::visit(Execute{colour}, options->command);
    log::info(log::Logger::cli, "ends with exit code {}", code);
    return code;
  } catch (const std::exception& e) {
    // What a library throws when the machine has no more descriptors or memory; nothing of ours does.
    fmt::print(stderr, "error: vercel-sim itself failed: {}\n", e.what());
    return 70;
  }
}

}  // namespace vsim::cli
