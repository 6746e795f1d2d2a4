// Whole command lines against whole outputs: tests/golden/cli/*.txt hold "arguments / ---------- / exit code
// and output", the arguments one per line. VSIM_UPDATE_GOLDEN=1 writes what came out; read the difference
// before committing it.
#include "cli/options.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "cli/help.hpp"
#include "cli/option_table.hpp"

namespace fs = std::filesystem;
using namespace vsim;
using namespace vsim::cli;

namespace {

const std::string kGolden = VSIM_SOURCE_DIR "/tests/golden/cli";
constexpr std::string_view kRule = "----------\n";

std::string describe(const RunOptions& r) {
  std::string out = fmt::format("profile {}\n", r.profile);
  for (const auto& [k, v] : r.set) out += fmt::format("set {} = {}\n", k, v);
  out += fmt::format("port {}{}\nlisten", r.port, r.port_given ? " (given)" : "");
  for (const std::string& l : r.listen) out += " " + l;
  out += "\n";
  if (r.https) out += "https\n";
  if (r.open) out += "open\n";
  if (r.deploy_every != Duration::zero())
    out += fmt::format("deploy every {}\n", format_duration(r.deploy_every));
  if (!r.cwd.empty()) out += fmt::format("cwd {}\n", r.cwd);
  if (r.time_scale != 1.0) out += fmt::format("time scale {}\n", r.time_scale);
  if (r.events) out += fmt::format("events {}\n", *r.events);
  if (r.record) out += fmt::format("record {}\n", *r.record);
  if (r.isolation) out += fmt::format("isolation {}\n", profile::to_string(*r.isolation));
  if (r.placement) out += fmt::format("placement {}\n", *r.placement);
  if (r.seed) out += fmt::format("seed {}\n", *r.seed);
  if (r.compile_grace != Duration::zero())
    out += fmt::format("compile grace {}\n", format_duration(r.compile_grace));
  if (r.upstream)
    out += fmt::format("upstream {} is {} port {}\n", r.upstream->url, r.upstream->host, r.upstream->port);
  if (r.app) out += fmt::format("app {}\n", *r.app);
  for (const std::string& c : r.command) out += fmt::format("command word {}\n", c);
  if (r.verbosity != Verbosity::normal) out += r.verbosity == Verbosity::quiet ? "quiet\n" : "verbose\n";
  return out;
}

struct Describe {
  std::string operator()(const ShowHelp& h) const { return help_text(h.topic); }
  std::string operator()(const ShowVersion&) const { return "the version\n"; }
  std::string operator()(const RunOptions& r) const { return "run\n" + describe(r); }
  std::string operator()(const TestOptions& t) const {
    std::string out = "test\n" + describe(t.run);
    if (t.fail_on == FailOn::none) out += "fail on none\n";
    if (t.fail_on == FailOn::broke) out += "fail on broke\n";
    for (const Format& f : formats())
      if (const std::string* file = t.reports.find(f.option))
        out += f.value.empty() ? "github\n" : fmt::format("{} {}\n", f.option.substr(2), *file);
    out += fmt::format("ready timeout {}\n", format_duration(t.ready_timeout));
    if (t.warm) out += "warm\n";
    for (const std::string& c : t.command) out += fmt::format("tested by {}\n", c);
    return out;
  }
  std::string operator()(const ReplayOptions& r) const {
    std::string out = fmt::format("replay {}\n", r.recording);
    for (const std::string& p : r.profiles) out += fmt::format("on {}\n", p);
    return out + (*this)(r.test);
  }
  std::string operator()(const CheckOptions& c) const {
    std::string out = fmt::format("check {} on {}, format {}\n", c.directory.empty() ? "here" : c.directory,
                                  c.profile, static_cast<int>(c.format));
    for (const auto& [k, v] : c.set) out += fmt::format("set {} = {}\n", k, v);
    return out;
  }
  std::string operator()(const ProfilesList& p) const {
    return fmt::format("list the profiles{}\n", p.json ? " json" : "");
  }
  std::string operator()(const ProfilesShow& p) const {
    return fmt::format("show profile {}{}\n", p.profile, p.json ? " json" : "");
  }
  std::string operator()(const ProfilesDiff& p) const {
    return fmt::format("compare {} with {}{}\n", p.a, p.b, p.json ? " json" : "");
  }
  std::string operator()(const ExplainOptions& e) const {
    return fmt::format("explain {}{}\n", e.code, e.json ? " json" : "");
  }
  std::string operator()(const McpOptions& m) const { return fmt::format("mcp {}\n", m.url); }
  std::string operator()(const ParityOptions& p) const {
    std::string out = "parity\n";
    for (const std::string& word : p.words) out += fmt::format("word {}\n", word);
    return out;
  }
  std::string operator()(const ReportOptions& r) const {
    std::string out = fmt::format("report of {}\n", r.events);
    for (const Format& f : formats())
      if (const std::string* file = r.outputs.find(f.option))
        out += f.value.empty() ? "github\n" : fmt::format("{} to {}\n", f.option.substr(2), *file);
    return out;
  }
  std::string operator()(const DoctorOptions& d) const {
    return fmt::format("doctor {}{}\n", d.directory, d.json ? " json" : "");
  }
  std::string operator()(const CompletionOptions& c) const {
    return fmt::format("completion {}\n", static_cast<int>(c.shell));
  }
  std::string operator()(const LearnOptions& l) const {
    std::string out = "learn\n";
    for (const std::string& word : l.words) out += fmt::format("word {}\n", word);
    return out;
  }
};

std::string outcome_of(const std::vector<std::string>& words) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  const auto options = parse_options(views);
  if (!options) return "exit 64\n" + to_text(options.error());
  return std::visit(Describe{}, options->command) + (options->no_color ? "no colour\n" : "") +
         (options->color == Colour::always  ? "colour\n"
          : options->color == Colour::never ? "never colour\n"
                                            : "");
}

// Words as the shell takes them apart: blanks, and 'single quotes'.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> out;
  bool in_word = false, quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      in_word = false;
    } else {
      if (!in_word) out.emplace_back();
      in_word = true;
      out.back() += c;
    }
  }
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

const RunOptions& run_of(const Result<Options, UsageError>& r) {
  REQUIRE(r);
  return std::get<RunOptions>(r->command);
}

}  // namespace

TEST_CASE("command line: golden files") {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    if (entry.path().extension() != ".txt") continue;
    ++count;
    std::stringstream in;
    in << std::ifstream(entry.path()).rdbuf();
    const std::string text = in.str();
    const std::size_t rule = text.starts_with(kRule) ? 0 : text.find(fmt::format("\n{}", kRule)) + 1;
    CAPTURE(entry.path().filename().string());
    REQUIRE((rule != 0 || text.starts_with(kRule)));
    const std::string arguments = text.substr(0, rule);
    const std::string got = outcome_of(lines_of(arguments));
    if (std::getenv("VSIM_UPDATE_GOLDEN")) std::ofstream(entry.path()) << arguments << kRule << got;
    CHECK(got == text.substr(rule + kRule.size()));
  }
  CHECK(count >= 20);
}

namespace {

std::set<std::string> options_in(const std::string& help) {
  std::set<std::string> found;
  for (std::size_t at = 0; (at = help.find("--", at)) != std::string_view::npos;) {
    std::size_t end = at + 2;
    while (end < help.size() && (std::isalnum(static_cast<unsigned char>(help[end])) || help[end] == '-'))
      ++end;
    if (end > at + 2) found.insert(help.substr(at, end - at));
    at = end;
  }
  return found;
}

}  // namespace

TEST_CASE("command line: every option of run is in its help, and the help names no other") {
  const auto names = names_of(HelpTopic::run);
  CHECK(options_in(help_text(HelpTopic::run)) == std::set<std::string>(names.begin(), names.end()));
}

TEST_CASE("command line: every option of test is in its help, and the help names no other") {
  const auto names = names_of(HelpTopic::test);
  auto found = options_in(help_text(HelpTopic::test));
  CHECK(found == std::set<std::string>(names.begin(), names.end()));
}

TEST_CASE("command line: every option of replay is in its help, and the help names no other but --record") {
  const auto names = names_of(HelpTopic::replay);
  auto found = options_in(help_text(HelpTopic::replay));
  found.erase("--record");  // what wrote the recording
  CHECK(found == std::set<std::string>(names.begin(), names.end()));
}

TEST_CASE("command line: help is at most 100 columns wide, without tabs or trailing blanks") {
  for (HelpTopic t :
       {HelpTopic::general, HelpTopic::run, HelpTopic::test, HelpTopic::replay, HelpTopic::check,
        HelpTopic::profiles, HelpTopic::explain, HelpTopic::report, HelpTopic::doctor, HelpTopic::completion,
        HelpTopic::learn, HelpTopic::mcp, HelpTopic::parity}) {
    CHECK(help_text(t).ends_with("\n"));
    for (const std::string& line : lines_of(help_text(t))) {
      CAPTURE(line);
      std::size_t columns = 0;
      for (char c : line) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      CHECK(columns <= 100);
      CHECK(line.find('\t') == std::string::npos);
      CHECK_FALSE(line.ends_with(' '));
    }
  }
}

TEST_CASE("command line: the examples in the help parse") {
  std::size_t count = 0;
  for (HelpTopic t : {HelpTopic::general, HelpTopic::run, HelpTopic::test, HelpTopic::replay,
                      HelpTopic::check, HelpTopic::profiles, HelpTopic::explain, HelpTopic::report,
                      HelpTopic::doctor, HelpTopic::completion}) {
    const std::string text = help_text(t);
    const std::size_t examples = text.find("\nexample");
    REQUIRE(examples != std::string::npos);
    for (std::string line : lines_of(text.substr(examples))) {
      if (!line.starts_with("  vercel-sim ")) continue;
      line = line.substr(2);
      line = line.substr(0, line.find("   "));
      std::vector<std::string> words = shell_words(line);
      words.erase(words.begin());
      CAPTURE(line);
      CHECK(outcome_of(words).find("exit 64") == std::string::npos);
      ++count;
    }
  }
  CHECK(count >= 30);
}

TEST_CASE("command line: the bounds of numbers are exact") {
  auto ok = [](std::string_view option) {
    const std::string_view words[] = {"run", option};
    return static_cast<bool>(parse_options(words));
  };
  for (auto v : {"--port=0", "--port=65535", "--time-scale=0.5", "--time-scale=1000", "--time-scale=60X",
                 "--placement=spread:1", "--placement=spread:64", "--placement=pack",
                 "--seed=18446744073709551615", "--upstream=http://[::1]:80", "--upstream=http://localhost",
                 "--upstream=HTTP://a-b.c:65535/", "--host=::", "--host=[fe80::1]", "--host=localhost",
                 "--set=a=b=c", "--events=-", "--isolation=none"}) {
    CAPTURE(v);
    CHECK(ok(v));
  }
  for (auto v : {"--port=-1",
                 "--port=65536",
                 "--port=",
                 "--port=3000x",
                 "--port= 3000",
                 "--time-scale=0",
                 "--time-scale=-1",
                 "--time-scale=1001",
                 "--time-scale=x",
                 "--time-scale=nan",
                 "--time-scale=inf",
                 "--placement=spread:0",
                 "--placement=spread:65",
                 "--placement=spread:",
                 "--placement=",
                 "--seed=18446744073709551616",
                 "--seed=-1",
                 "--upstream=localhost:3000",
                 "--upstream=https://localhost",
                 "--upstream=http://",
                 "--upstream=http:///",
                 "--upstream=http://a:0",
                 "--upstream=http://a:65536",
                 "--upstream=http://a/path",
                 "--upstream=http://u@h",
                 "--upstream=http://[::1",
                 "--upstream=http://[zz]:1",
                 "--host=",
                 "--host=example.com",
                 "--host=256.1.1.1",
                 "--set==b",
                 "--set=a",
                 "--set=a=",
                 "--events=",
                 "--profile=",
                 "--cwd=",
                 "--app=",
                 "--isolation=",
                 "--isolation=all"}) {
    CAPTURE(v);
    CHECK_FALSE(ok(v));
  }
}

TEST_CASE(
    "command line: a value may be attached or follow, a repeated option's last value counts, --set adds up") {
  const std::string_view words[] = {"run", "--port", "1", "--port=2", "--set", "a=1", "--set=b=2"};
  const auto options = parse_options(words);
  const RunOptions& r = run_of(options);
  CHECK(r.port == 2);
  CHECK(r.set == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("command line: what follows -- is the command's, options and all") {
  const std::string_view words[] = {"run", "--https", "--", "node", "--port", "9", "--help", "--", ""};
  const auto options = parse_options(words);
  const RunOptions& r = run_of(options);
  CHECK(r.command == std::vector<std::string>{"node", "--port", "9", "--help", "--", ""});
  CHECK(r.port == 3000);
}
