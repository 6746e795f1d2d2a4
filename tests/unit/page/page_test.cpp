// The page as text: what stands in it, and that no text of a run becomes anything else. What it does is
// tested in tests/page and tests/report.
#include "page/page.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "limits/code.hpp"
#include "report/collector.hpp"
#include "unit/report/sample.hpp"

using namespace vsim;
using namespace std::chrono_literals;
using report::test::extras;
using report::test::Sample;

namespace {

std::size_t times_in(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("the live page knows every code, and its policy names its script and style by hash") {
  const std::string_view page = page::live();
  CHECK(page.starts_with("<!doctype html>"));
  for (int i = 1; i < static_cast<int>(limits::Code::kCount); ++i) {
    const auto name = limits::info(static_cast<limits::Code>(i)).name;
    INFO(name);
    CHECK(page.find("\"" + std::string(name) + "\":{\"title\":") != std::string_view::npos);
  }
  CHECK(page.find("default-src 'none'; script-src 'sha256-") != std::string_view::npos);
  CHECK(page.find("_HASH") == std::string_view::npos);
  CHECK(page.find("unsafe-inline") == std::string_view::npos);
  CHECK(page.find("\nimport ") == std::string_view::npos);
  CHECK(page.find("<!--data-->") == std::string_view::npos);
  CHECK(page.size() < 110'000);
}

TEST_CASE("the page of a recorded run is byte for byte that of the live one") {
  const Sample sample;
  const auto recorded = report::read_events(sample.lines(), "events.jsonl", true);
  REQUIRE(recorded);
  CHECK(page::render_html(sample.live()) == page::render_html(recorded->run));
  CHECK(page::render_html(sample.live(), extras()) == page::render_html(recorded->run, extras()));
}

TEST_CASE("no text of a run ends its element; no secret, control character or broken byte is in the page") {
  const Sample sample;
  const std::string page = page::render_html(sample.live(), extras());
  CHECK(times_in(page, "</script") == 4);  // codes, extras, events, and the script itself
  CHECK(times_in(page, "<script") == 4);
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("s3cret") == std::string::npos);
  for (const char c : {'\xff', '\x1b', '\x01'}) CHECK(page.find(c) == std::string::npos);
  CHECK(page.find("\"rule\":\"sleep-in-route\"") != std::string::npos);
  CHECK(page.find("\"place\":\"apps/web/app/api/slow/route.ts:7\"") != std::string::npos);
}

TEST_CASE("a page of a long run stays some megabytes: what was said is kept longer than what went well") {
  report::Collector collector;
  collector.keep_events();
  const auto end = [&](std::uint64_t id, std::span<const limits::Verdict> verdicts) {
    const std::string target = "/api/number/" + std::to_string(id);
    event::InvocationEnded e;
    e.id = static_cast<InvocationId>(id);
    e.request_id = "iad1::iad1::abcde-1795384633926-aa75d5532c23";
    e.method = "GET";
    e.target = target;
    e.route = "/api/number/[id]";
    e.status = 200;
    e.verdicts = verdicts;
    collector.on_event({id, TimePoint(std::chrono::milliseconds(id)), {}}, e);
  };
  for (std::uint64_t id = 1; id < 20'000; ++id) end(id, {});
  std::vector<limits::Verdict> late(1);
  late[0].code = limits::Code::function_invocation_timeout;
  late[0].measured = "the last of all";
  end(20'000, late);
  const std::string page = page::render_html(collector.run());
  CHECK(page.size() < 5'000'000);
  CHECK(page.find("the last of all") != std::string::npos);
  CHECK(collector.run().events_left_out > 1000);
  CHECK(page.find("\"left_out\":" + std::to_string(collector.run().events_left_out)) != std::string::npos);
}
