// The verdict of `vercel-sim test`, from events to the text that a person reads.
#include "cli/verdicts.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::cli;
using event::Traffic;
using limits::Code;

namespace {

const profile::Provenance kHobby = [] {
  profile::Provenance p;
  p.profile = "hobby";
  p.as_of = "2026-09-20";
  return p;
}();

limits::Verdict timeout() {
  limits::Verdict v;
  v.code = Code::function_invocation_timeout;
  v.limit_key = "duration.default";
  v.limit = "10s";
  v.measured = "10.0s";
  v.provenance = &kHobby;
  v.route = "/api/slow";
  v.file = "app/api/slow/route.ts:3";
  v.fix = "answer sooner";
  return v;
}

void ended(Verdicts& out, std::string_view target, std::vector<limits::Verdict> verdicts,
           Traffic traffic = Traffic::invocation) {
  event::InvocationEnded e;
  e.target = target;
  e.traffic = traffic;
  e.verdicts = verdicts;
  out.on_event({}, event::Event(e));
}

Outline outline() {
  Outline o;
  o.command = "npx playwright test";
  o.command_end = "exited with code 0 after 1.2s";
  o.profile = "hobby";
  o.as_of = "2026-09-20";
  o.url = "http://localhost:3000";
  o.config_file = "vercel-sim.yaml";
  o.seed = 42;
  return o;
}

}  // namespace

TEST_CASE("verdicts: one violation for each code and route, with a count") {
  Verdicts v{Expectations()};
  ended(v, "/api/slow?a", {timeout()});
  ended(v, "/api/slow?b", {timeout()});
  ended(v, "/_next/x", {timeout()}, Traffic::internal);
  ended(v, "/logo.svg", {}, Traffic::direct);
  limits::Verdict url;
  url.code = Code::url_too_long;
  ended(v, "/a?1", {url});
  ended(v, "/a?2", {url});
  ended(v, "/b", {url});
  REQUIRE(v.violations().size() == 3);
  CHECK(v.violations()[0].count == 2);
  CHECK(v.violations()[1].count == 2);
  CHECK(v.violations()[2].target == "/b");
  CHECK(v.failing() == 3);
  CHECK(v.requests() == 6);
  CHECK(v.invocations() == 5);
}

TEST_CASE("verdicts: what is observed only, or meant, is told and fails nothing") {
  Verdicts v{Expectations({{Code::function_invocation_timeout, "app/api/slow/route.ts", "on purpose", 4}})};
  ended(v, "/api/slow", {timeout()});
  limits::Verdict observed = timeout();
  observed.code = Code::function_response_payload_too_large;
  observed.enforced = false;
  ended(v, "/api/slow", {observed});
  CHECK(v.violations().size() == 2);
  CHECK(v.failing() == 0);
  CHECK(v.violations()[0].meant != nullptr);
}

TEST_CASE("verdicts: a notice of an error with a code is one, others are not") {
  Verdicts v{Expectations()};
  event::Notice e;
  e.level = event::Level::error;
  e.message = "maxDuration 900 is over the plan";
  v.on_event({}, event::Event(e));
  CHECK(v.violations().empty());
  e.code = "SIM_MAX_DURATION_OVER_PLAN";
  e.file = "app/a/route.ts";
  e.line = 7;
  v.on_event({}, event::Event(e));
  e.level = event::Level::warning;
  v.on_event({}, event::Event(e));
  REQUIRE(v.violations().size() == 2);
  CHECK(v.violations()[0].file == "app/a/route.ts:7");
  CHECK(v.failing() == 1);
}

TEST_CASE("verdicts: the summary of a clean run") {
  Verdicts v{Expectations()};
  ended(v, "/", {});
  CHECK(render_summary(v, {}, outline()) ==
        "\nvercel-sim test: no violation (profile hobby, as of 2026-09-20)\n"
        "\n"
        "  command    npx playwright test: exited with code 0 after 1.2s\n"
        "  requests   1, 1 of functions\n"
        "  seed       42 (repeat with --seed 42)\n"
        "  exit code  0\n");
}

TEST_CASE("verdicts: the summary with everything") {
  Verdicts v{Expectations({{Code::url_too_long, "/long/**", "on purpose", 4},
                           {Code::function_throttled, "app/x/route.ts", "", 7}})};
  ended(v, "/api/slow?secret\x1b[31m", {timeout()});
  ended(v, "/api/slow", {timeout()});
  limits::Verdict url;
  url.code = Code::url_too_long;
  ended(v, "/long/x", {url});
  v.on_event({}, event::Event(event::AppChanged{event::AppState::crashed, "killed"}));
  check::Report report;
  report.findings.push_back({"max-duration-over-plan", check::Severity::warning, "app/api/other/route.ts", 2,
                             1, 1, "not this", ""});
  report.findings.push_back({"long-poll-loop", check::Severity::error, "app/api/slow/route.ts", 9, 1, 1,
                             "This loop waits inside the request", ""});
  report.findings.push_back({"ws-server", check::Severity::note, "lib/a.ts", 1, 1, 1, "a note", ""});
  v.merge(report);
  Outline o = outline();
  o.exit_code = 2;
  o.exit_reason = "violations";
  const auto& info = limits::info(Code::function_invocation_timeout);
  CHECK(
      render_summary(v, report, o) ==
      "\nvercel-sim test: 1 violation (profile hobby, as of 2026-09-20)\n"
      "\n"
      "  ✗ FUNCTION_INVOCATION_TIMEOUT  2 times\n"
      "    " +
          std::string(info.title) +
          "\n"
          "    limit    10s, measured 10.0s  (duration.default, profile hobby, as of 2026-09-20)\n"
          "    route    /api/slow  app/api/slow/route.ts:3\n"
          "    fix      answer sooner\n"
          "    check    long-poll-loop said so: app/api/slow/route.ts:9\n"
          "\n"
          "  meant, as vercel-sim.yaml says:\n"
          "  ✓ URL_TOO_LONG  /long/x  once: on purpose\n"
          "\n"
          "  from the sources, not seen to strike in this run (vercel-sim check tells more):\n"
          "  ! app/api/other/route.ts:2  max-duration-over-plan  not this\n"
          "\n"
          "warning: vercel-sim.yaml:7: FUNCTION_THROTTLED at app/x/route.ts is expected and did not strike\n"
          "  fix: remove the entry if it is mended; keep it if these tests do not go there\n"
          "\n"
          "  command    npx playwright test: exited with code 0 after 1.2s\n"
          "  requests   3, 3 of functions\n"
          "  app        it ended once by itself\n"
          "  seed       42 (repeat with --seed 42)\n"
          "  exit code  2: violations\n");
}

TEST_CASE("verdicts: what a client sent does not drive the terminal") {
  Verdicts v{Expectations()};
  limits::Verdict url;
  url.code = Code::url_too_long;
  ended(v, "/a\x1b[2J\n", {url});
  const std::string text = render_summary(v, {}, outline());
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("/a?[2J?\n") != std::string::npos);
}

TEST_CASE("verdicts: tests that asked nothing are warned of, unless the command never started") {
  Verdicts v{Expectations({{Code::url_too_long, "/**", "", 2}})};
  CHECK(render_summary(v, {}, outline()).find("sent no request through vercel-sim") != std::string::npos);
  Outline o = outline();
  o.command_end.clear();
  o.stale_matters = false;
  const std::string text = render_summary(v, {}, o);
  CHECK(text.find("sent no request") == std::string::npos);
  CHECK(text.find("did not strike") == std::string::npos);
}
