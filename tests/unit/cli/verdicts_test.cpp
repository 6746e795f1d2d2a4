// The verdict of `vercel-sim test`: what is meant, what fails, what `check` had said, and the end of the
// summary.
#include "cli/verdicts.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::cli;
using limits::Code;

namespace {

report::Problem problem(Code code, std::string route, std::string file, std::string path = {}) {
  report::Problem p;
  p.code = code;
  p.route = std::move(route);
  p.file = std::move(file);
  p.path = std::move(path);
  p.count = 1;
  return p;
}

report::Run run_of(std::vector<report::Problem> problems) {
  report::Run run;
  run.command = "npx playwright test";
  run.command_ended = true;
  run.url = "http://localhost:3000";
  run.requests = 3;
  run.problems = std::move(problems);
  return run;
}

check::Finding finding(std::string rule, check::Severity severity, std::string file, int line) {
  return {std::move(rule), severity, std::move(file), line, 1, 1, "the message", ""};
}

}  // namespace

TEST_CASE("verdicts: violations fail by place; what is observed, meant or not the app's does not") {
  Expectations expectations({{Code::function_invocation_timeout, "app/meant/route.ts", "on purpose", 4}});
  report::Run run =
      run_of({problem(Code::function_invocation_timeout, "/a", "app/a/route.ts"),
              problem(Code::function_invocation_timeout, "/meant", "app/meant/route.ts"),
              problem(Code::sim_not_ready, "", "", "/x"), problem(Code::url_too_long, "", "", "/b")});
  run.problems.push_back(problem(Code::function_response_payload_too_large, "/c", "app/c/route.ts"));
  run.problems.back().enforced = false;
  const Judgement j = judge(run, expectations, {}, "apps/web/");
  CHECK(j.failing == 2);
  CHECK(j.meant == 1);
  CHECK(j.stale.empty());
  CHECK(j.extras.prefix == "apps/web/");
  REQUIRE(j.extras.expected.size() == 1);
  CHECK(j.extras.expected[0].file == "app/meant/route.ts");
  CHECK(j.extras.expected[0].reason == "on purpose");
}

TEST_CASE(
    "verdicts: a finding whose rule foresees the code in that file was seen to strike, others are silent") {
  Expectations none;
  check::Report report;
  report.findings = {finding("long-poll-loop", check::Severity::error, "app/slow/route.ts", 9),
                     finding("long-poll-loop", check::Severity::error, "app/other/route.ts", 2),
                     finding("module-level-mutable-state", check::Severity::warning, "app/slow/route.ts", 1),
                     finding("socket-io-server", check::Severity::error, "server.js", 5),
                     finding("ws-server", check::Severity::note, "lib/a.ts", 1)};
  const report::Run run = run_of({problem(Code::function_invocation_timeout, "/slow", "app/slow/route.ts"),
                                  problem(Code::sim_websocket_refused, "", "", "/socket.io/")});
  const Judgement j = judge(run, none, report, "web/");
  REQUIRE(j.extras.findings.size() == 5);
  CHECK(j.extras.findings[0].codes == std::vector<std::string>{"FUNCTION_INVOCATION_TIMEOUT"});
  CHECK_FALSE(j.extras.findings[0].title.empty());
  REQUIRE(j.silent.size() == 2);
  CHECK(j.silent[0] == "✗ web/app/other/route.ts:2  long-poll-loop  the message");
  CHECK(j.silent[1] == "! web/app/slow/route.ts:1  module-level-mutable-state  the message");
}

TEST_CASE("verdicts: of two variables of one file the one that lost its memory was seen to strike") {
  Expectations none;
  check::Report report;
  report.findings = {finding("module-level-mutable-state", check::Severity::warning, "lib/rooms.ts", 3),
                     finding("module-level-mutable-state", check::Severity::warning, "lib/rooms.ts", 4)};
  report::Problem lost = problem(Code::sim_state_not_shared, "/api/rooms", "lib/rooms.ts");
  lost.line = 4;
  lost.count = 3;
  const report::Run run = run_of({lost});
  const Judgement j = judge(run, none, report, "");
  REQUIRE(j.silent.size() == 1);
  CHECK(j.silent[0] == "! lib/rooms.ts:3  module-level-mutable-state  the message");
  const std::string text = report::render_text(run, j.extras);
  CHECK(text.find("module-level-mutable-state at lib/rooms.ts:4: struck 3 times here") != std::string::npos);
  CHECK(text.find("lib/rooms.ts:3") == std::string::npos);
}

TEST_CASE("verdicts: the end of the summary, of a clean run and with everything") {
  Closing c;
  c.config_file = "vercel-sim.yaml";
  c.seed = 42;
  Expectations none;
  CHECK(render_closing(run_of({}), judge(run_of({}), none, {}, ""), c) ==
        "\nseed 42 (repeat with --seed 42)\nexit code 0\n");

  Expectations some({{Code::url_too_long, "/long/**", "on purpose", 4},
                     {Code::function_throttled, "app/x/route.ts", "", 7}});
  const report::Run run = run_of({problem(Code::url_too_long, "", "", "/long/x"),
                                  problem(Code::function_invocation_timeout, "/a", "app/a/route.ts")});
  check::Report report;
  report.findings = {finding("ws-server", check::Severity::error, "lib/a.ts", 3)};
  c.exit_code = 2;
  c.exit_reason = "violations";
  CHECK(render_closing(run, judge(run, some, report, ""), c) ==
        "\nfrom the sources, not seen to strike in this run (vercel-sim check tells more):\n"
        "  ✗ lib/a.ts:3  ws-server  the message\n"
        "\nwarning: vercel-sim.yaml:7: FUNCTION_THROTTLED at app/x/route.ts is expected and did not strike\n"
        "  fix: remove the entry if it is mended; keep it if these tests do not go there\n"
        "\nseed 42 (repeat with --seed 42)\n"
        "1 is meant, as vercel-sim.yaml says\n"
        "exit code 2: violations\n");
}

TEST_CASE("verdicts: tests that asked nothing are warned of; after a command that failed nothing is stale") {
  Expectations some({{Code::url_too_long, "/**", "", 2}});
  report::Run run = run_of({});
  run.requests = 0;
  Closing c;
  c.stale_matters = false;
  CHECK(render_closing(run, judge(run, some, {}, ""), c) ==
        "\nwarning: the command sent no request through vercel-sim, so nothing was tested\n"
        "  fix: let it ask http://localhost:3000 (BASE_URL in its environment)\n"
        "\nseed 0 (repeat with --seed 0)\nexit code 0\n");
  c.by_address = false;  // a replay asks by itself
  CHECK(render_closing(run, judge(run, some, {}, ""), c).find("sent no request") == std::string::npos);
  c.by_address = true;
  run.command.clear();  // it was not started
  CHECK(render_closing(run, judge(run, some, {}, ""), c).find("sent no request") == std::string::npos);
}
