#include "report/collector.hpp"

#include <catch2/catch.hpp>

#include "base/ids.hpp"
#include "unit/report/sample.hpp"

using namespace vsim;
using namespace vsim::report;
using namespace std::chrono_literals;
using vsim::report::test::Sample;

namespace {
using Render = std::string (*)(const Run&, const Extras&);
constexpr Render kAll[] = {render_text, render_junit,  render_sarif,
                           render_json, render_github, render_markdown};
}  // namespace

TEST_CASE("every report of a recorded run is byte for byte that of the live one") {
  const Sample sample;
  const auto recorded = read_events(sample.lines(), "events.jsonl");
  REQUIRE(recorded);
  CHECK_FALSE(recorded->cut);
  for (const Render render : kAll) {
    CHECK(render(sample.live(), {}) == render(recorded->run, {}));
    CHECK(render(sample.live(), test::extras()) == render(recorded->run, test::extras()));
  }
}

TEST_CASE("the model counts requests, groups what was said, and follows instances") {
  const Sample sample;
  const Run& run = sample.live();
  CHECK(run.requests == 7);  // the dev server's own is not one
  CHECK(run.direct == 1);
  CHECK(run.calls.size() == 6);
  CHECK(run.length == 30s);
  CHECK(run.stopped);
  CHECK(run.command_exit == 1);
  REQUIRE(run.late_words.size() == 1);
  CHECK(run.late_words[0].problems == std::vector<std::size_t>{1});
  REQUIRE(run.problems.size() == 6);
  const Problem& slow = run.problems[0];
  CHECK(slow.count == 2);
  CHECK(slow.file == "app/api/slow/route.ts");
  CHECK(slow.line == 3);
  CHECK(slow.at == 11'100ms);
  CHECK(slow.instance == "i1");
  CHECK(run.problems[1].code == limits::Code::sim_background_work_frozen);
  CHECK(run.problems[1].target == "/api/fast");  // of the invocation it belongs to
  CHECK(run.problems[2].path == "/socket.io/");
  REQUIRE(run.instances.size() == 4);
  CHECK(run.instances[0].death == "killed by SIGKILL");
  CHECK(run.instances[0].stays.size() == 4);
  CHECK(run.instances[0].served == 1);
  REQUIRE(run.routes.size() == 3);
  CHECK(run.routes[0].invocations == 2);
  CHECK(run.routes[0].charged == 20s);
  CHECK(run.notices.size() == 1);
}

TEST_CASE("violations are what Vercel would have failed: not warnings, not an app that was away") {
  const Sample sample;
  CHECK(sample.live().violations() == 4);  // slow twice, the nasty one, maxDuration over plan
  CHECK(sample.live().warnings() == 3);    // polling, background work, the app was away
}

TEST_CASE("a recording that was cut in its last line is read without it; all other bad lines are errors") {
  const Sample sample;
  const std::string& whole = sample.lines();
  const std::string cut = whole.substr(0, whole.size() - 20);
  const auto recorded = read_events(cut, "e.jsonl");
  REQUIRE(recorded);
  CHECK(recorded->cut);
  CHECK_FALSE(recorded->run.stopped);
  CHECK_THAT(render_text(recorded->run), Catch::Contains("The events end before the run did"));

  const std::pair<std::string, std::string> rows[] = {
      {"", "e.jsonl: holds no event"},
      {"\n\n", "e.jsonl: holds no event"},
      {"{\"t\":\"run_started\"", "e.jsonl:1: not JSON: '}' is missing at byte 19"},
      {whole + "hello\n", "e.jsonl:23: not JSON: unexpected 'h' at byte 1"},
      {"{\"t\":\"run_stopped\",\"exit_code\":\"x\"}\n", "e.jsonl:1: \"exit_code\": expected a number"},
  };
  for (const auto& [text, message] : rows) {
    const auto e = read_events(text, "e.jsonl");
    REQUIRE_FALSE(e);
    if (message.find("unexpected") == std::string::npos)
      CHECK(e.error().message == message);
    else
      CHECK_THAT(e.error().message, Catch::StartsWith("e.jsonl:") && Catch::Contains("not JSON"));
    CHECK_FALSE(e.error().fix.empty());
  }
}

TEST_CASE("events of a newer version are left out and counted") {
  const auto e = read_events("{\"t\":\"dance\"}\n{\"t\":\"run_started\",\"profile\":\"pro\"}\n", "e.jsonl");
  REQUIRE(e);
  CHECK(e->unknown == 1);
  CHECK(e->run.profile == "pro");
}

TEST_CASE("no bytes crash the reader or a renderer") {
  const Sample sample;
  Rng rng(7);
  for (int i = 0; i < 300; ++i) {
    std::string broken = sample.lines();
    for (int k = 0; k < 3; ++k) broken[rng.next() % broken.size()] = static_cast<char>(rng.next());
    broken.resize(broken.size() - rng.next() % 200);
    const auto e = read_events(broken, "e.jsonl");
    if (!e) continue;
    for (const Render render : kAll) {
      const std::string out = render(e->run, test::extras());
      CHECK_FALSE(out.empty());
    }
  }
}
