// The reports against committed files, and what must hold for any text in them. Their validity against the
// official schemas is tested in tests/report/.
#include "report/render.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "limits/code.hpp"
#include "unit/limits/golden.hpp"
#include "unit/report/sample.hpp"

using namespace vsim;
using namespace vsim::report;
using vsim::report::test::extras;
using vsim::report::test::Sample;

TEST_CASE("each report, as published") {
  const Sample sample;
  const Run& run = sample.live();
  vsim::test::check_golden("report/sample.jsonl", sample.lines());
  vsim::test::check_golden("report/summary.txt", render_text(run));
  vsim::test::check_golden("report/summary_with_check.txt", render_text(run, extras()));
  vsim::test::check_golden("report/junit_with_check.xml", render_junit(run, extras()));
  vsim::test::check_golden("report/report_with_check.sarif", render_sarif(run, extras()));
  vsim::test::check_golden("report/report_with_check.json", render_json(run, extras()));
  vsim::test::check_golden("report/github.txt", render_github(run, extras()));
  vsim::test::check_golden("report/summary.md", render_markdown(run, extras()));
}

TEST_CASE("no report holds a secret, a control character, markup of a path, or bytes that are not UTF-8") {
  const Sample sample;
  const Run& run = sample.live();
  for (const auto render :
       {render_text, render_junit, render_sarif, render_json, render_github, render_markdown}) {
    const std::string out = render(run, extras());
    CHECK(out.find("s3cret") == std::string::npos);
    CHECK(out.find('\xff') == std::string::npos);
    if (render == render_github) continue;  // GitHub's own escapes are for its commands only
    CHECK(out.find('\x1b') == std::string::npos);
    CHECK(out.find('\x01') == std::string::npos);
  }
  for (const auto render : {render_junit, render_markdown}) {
    const std::string out = render(run, extras());
    CHECK(out.find("<img") == std::string::npos);
    CHECK(out.find("</script") == std::string::npos);
  }
}

TEST_CASE("annotations are one line each, and nothing in them begins a command of its own") {
  const Sample sample;
  std::istringstream in(render_github(sample.live(), extras()));
  std::size_t errors = 0, lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const bool known =
        line.starts_with("::error ") || line.starts_with("::warning ") || line.starts_with("::notice ");
    CHECK(known);
    errors += line.starts_with("::error ");
  }
  CHECK(lines == 8);   // six problems, two findings
  CHECK(errors == 2);  // the third violation is expected
}

TEST_CASE("a rule that was seen to strike says so, and a problem names the rule that foresaw it") {
  const Sample sample;
  const std::string sarif = render_sarif(sample.live(), extras());
  CHECK_THAT(
      sarif,
      Catch::Contains("Seen to strike in this run: FUNCTION_INVOCATION_TIMEOUT at /api/slow, twice") ||
          Catch::Contains("Seen to strike in this run: FUNCTION_INVOCATION_TIMEOUT at /api/slow, 2 times"));
  CHECK_THAT(sarif, Catch::Contains("\"foreseenBy\": \"sleep-in-route\""));
  CHECK_THAT(sarif, Catch::Contains("\"struck\": false"));
}

TEST_CASE("a run without a verdict gives whole reports too") {
  Run run;
  run.profile = "hobby";
  run.stopped = true;
  CHECK_THAT(render_text(run), Catch::Contains("no violation"));
  CHECK_THAT(render_junit(run), Catch::Contains("tests=\"0\" failures=\"0\""));
  CHECK(render_github(run).empty());
}

TEST_CASE("docs/reports.md names every code that is no violation") {
  std::ifstream in(std::string(VSIM_SOURCE_DIR) + "/docs/reports.md");
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  for (int i = 1; i < static_cast<int>(limits::Code::kCount); ++i) {
    const auto code = static_cast<limits::Code>(i);
    CAPTURE(limits::info(code).name);
    CHECK((text.str().find(limits::info(code).name) != std::string::npos) == !is_violation_code(code));
  }
}

TEST_CASE("what is said of an invocation later, in a batch of its own, is a span below the invocation's") {
  const Sample sample;
  std::istringstream in(sample.lines());
  std::string first, before, later;
  for (std::string line; std::getline(in, line);) {
    if (first.empty()) first = line + "\n";
    (line.find("\"background_work\"") == std::string::npos ? before : later) += line + "\n";
  }
  REQUIRE_FALSE(later.empty());
  const auto spans_of = [](const std::string& lines) {
    const auto recorded = read_events(lines, "events");
    REQUIRE(recorded);
    const std::string text = render_otlp(recorded->run), begins = "{\"traceId\"";
    std::vector<std::string> out;
    for (std::size_t at = text.find(begins), next = 0; at != std::string::npos; at = next) {
      next = text.find(begins, at + 1);
      out.push_back(text.substr(at, next == std::string::npos ? next : next - at));
    }
    return out;
  };
  const auto value = [](const std::string& span, const std::string& key) {
    const std::size_t at = span.find("\"" + key + "\":\"") + key.size() + 4;
    return span.substr(at, span.find('"', at) - at);
  };
  const auto alone = spans_of(first + later);
  REQUIRE(alone.size() == 1);
  CHECK(value(alone[0], "name") == "left running after the response");
  CHECK(value(alone[0], "startTimeUnixNano") == value(alone[0], "endTimeUnixNano"));
  CHECK(alone[0].find("SIM_BACKGROUND_WORK_FROZEN") != std::string::npos);
  std::size_t parents = 0;
  for (const std::string& span : spans_of(before)) {
    if (value(span, "spanId") != value(alone[0], "parentSpanId")) continue;
    ++parents;
    CHECK(value(span, "traceId") == value(alone[0], "traceId"));
    CHECK(span.find("/api/fast") != std::string::npos);
    CHECK(span.find("SIM_BACKGROUND_WORK_FROZEN") == std::string::npos);
  }
  CHECK(parents == 1);
}
