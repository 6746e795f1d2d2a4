// vercel-sim.yaml against whole outputs: tests/golden/project_config/*.txt hold "the file / ---------- / what
// came out". VSIM_UPDATE_GOLDEN=1 writes it; read the difference before committing it.
#include "cli/project_config.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "cli/options.hpp"

namespace fs = std::filesystem;
using namespace vsim;
using namespace vsim::cli;

namespace {

const std::string kGolden = VSIM_SOURCE_DIR "/tests/golden/project_config";
constexpr std::string_view kRule = "----------\n";

std::string outcome_of(std::string_view text) {
  TestOptions t;
  std::vector<profile::Diagnostic> problems;
  const ProjectConfig config = read_project_config("vercel-sim.yaml", "/project", text, t, problems);
  if (!problems.empty()) return profile::to_string(problems);
  std::string out = fmt::format("profile {}\n", t.run.profile);
  for (const auto& [k, v] : t.run.set) out += fmt::format("set {} = {}\n", k, v);
  out += fmt::format("port {}{}\n", t.run.port, t.run.port_given ? " (given)" : "");
  if (t.run.https) out += "https\n";
  if (t.run.app) out += fmt::format("app {}\n", *t.run.app);
  if (t.run.upstream) out += fmt::format("upstream {}\n", t.run.upstream->url);
  if (t.run.isolation) out += fmt::format("isolation {}\n", profile::to_string(*t.run.isolation));
  if (t.run.placement) out += fmt::format("placement {}\n", *t.run.placement);
  if (t.run.seed) out += fmt::format("seed {}\n", *t.run.seed);
  if (t.run.time_scale != 1) out += fmt::format("time scale {}\n", t.run.time_scale);
  if (t.fail_on == FailOn::none) out += "fail on none\n";
  out += fmt::format("ready timeout {}\n", format_duration(t.ready_timeout));
  if (t.warm) out += "warm\n";
  for (const Expectation& e : config.expect)
    out += fmt::format("line {}: {} at {}{}{}\n", e.line, limits::info(e.code).name, e.route,
                       e.reason.empty() ? "" : ": ", e.reason);
  return out;
}

}  // namespace

TEST_CASE("vercel-sim.yaml: golden files") {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    ++count;
    std::stringstream in;
    in << std::ifstream(entry.path()).rdbuf();
    const std::string text = in.str();
    const std::size_t rule = text.starts_with(kRule) ? 0 : text.find(fmt::format("\n{}", kRule)) + 1;
    CAPTURE(entry.path().filename().string());
    REQUIRE((rule != 0 || text.starts_with(kRule)));
    const std::string given = text.substr(0, rule);
    const std::string got = outcome_of(given);
    if (std::getenv("VSIM_UPDATE_GOLDEN")) std::ofstream(entry.path()) << given << kRule << got;
    CHECK(got == text.substr(rule + kRule.size()));
  }
  CHECK(count >= 8);
}

TEST_CASE("vercel-sim.yaml: what stands on the command line wins, its --set too") {
  const auto with = [](std::vector<std::string_view> words, std::string_view text) {
    const auto options = parse_options(words);
    REQUIRE(options);
    TestOptions t = std::get<TestOptions>(options->command);
    std::vector<profile::Diagnostic> problems;
    read_project_config("vercel-sim.yaml", "/project", text, t, problems);
    CHECK(problems.empty());
    return t;
  };
  const std::string_view file =
      "profile: pro\nport: 0\nfail-on: none\nset: {duration.default: 1s, duration.max: 2s}\n";
  TestOptions t = with(
      {"test", "--profile=hobby", "--port=5", "--set=duration.default=3s", "--fail-on=violations", "--", "x"},
      file);
  CHECK(t.run.profile == "hobby");
  CHECK(t.run.port == 5);
  CHECK(t.fail_on == FailOn::violations);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(t.run.set == Pairs{{"duration.default", "1s"}, {"duration.max", "2s"}, {"duration.default", "3s"}});
  CHECK(with({"test", "--", "x"}, file).run.profile == "pro");
  // What stands behind: any word of the command line replaces the file's.
  CHECK_FALSE(with({"test", "--upstream=http://a:1", "--", "x"}, "app: node x.js\n").run.app);
  CHECK_FALSE(with({"test", "--app=a", "--", "x"}, "upstream: http://a:1\n").run.upstream);
  CHECK(with({"test", "--", "x"}, "app: node x.js\n").run.app == "node x.js");
}

TEST_CASE("vercel-sim.yaml: a wrong value is told even where the command line wins") {
  const std::string_view words[] = {"test", "--port=5", "--", "x"};
  const auto options = parse_options(words);
  REQUIRE(options);
  TestOptions t = std::get<TestOptions>(options->command);
  std::vector<profile::Diagnostic> problems;
  read_project_config("vercel-sim.yaml", "", "port: many\n", t, problems);
  CHECK(problems.size() == 1);
  CHECK(t.run.port == 5);
}
