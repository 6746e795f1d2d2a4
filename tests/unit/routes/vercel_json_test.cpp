#include "routes/vercel_json.hpp"

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "routes/json_text.hpp"

using namespace vsim::routes;

namespace {

std::string findings(std::string_view text) {
  std::string out;
  for (const RouteFinding& f : parse_vercel_json(text).findings) out += format_finding(f) + "\n";
  return out;
}

}  // namespace

TEST_CASE("vercel.json: settings, their lines and their order") {
  const VercelJson v = parse_vercel_json(R"({
  "fluid": true,
  "functions": {
    "app/api/slow/route.ts": { "maxDuration": 30 },
    "app/api/**/*": {
      "memory": 1024,
      "maxDuration": "max",
      "supportsCancellation": true
    },
    "pages/**": { "runtime": "x@1", "maxConcurrency": 4, "regions": ["iad1"] }
  },
  "crons": [{ "path": "/api/cron", "schedule": "0 5 * * *" }]
})");
  CHECK(v.findings.empty());
  CHECK(v.fluid == true);
  CHECK(v.fluid_line == 2);
  REQUIRE(v.functions.size() == 3);
  CHECK(v.functions[0].pattern == "app/api/slow/route.ts");
  CHECK(v.functions[0].max_duration == 30);
  CHECK(v.functions[0].max_duration_line == 4);
  CHECK(v.functions[1].max);
  CHECK(v.functions[1].line == 5);
  CHECK(v.functions[1].max_duration_line == 7);
  CHECK(v.functions[1].memory == 1024);
  CHECK(v.functions[1].supports_cancellation == true);
  CHECK(v.functions[2].max_concurrency == 4);
  REQUIRE(v.crons.size() == 1);
  CHECK(v.crons[0].path == "/api/cron");
  CHECK(v.crons[0].line == 12);

  REQUIRE(find_settings(v, "app/api/slow/route.ts") != nullptr);
  CHECK(find_settings(v, "app/api/slow/route.ts")->max_duration == 30);
  CHECK(find_settings(v, "app/api/other/route.ts")->max);
  CHECK(find_settings(v, "app/page.tsx") == nullptr);
}

TEST_CASE("vercel.json: the first pattern in the order of the file wins, exact or not") {
  const VercelJson v =
      parse_vercel_json(R"({"functions":{"app/**":{"maxDuration":1},"app/a/route.ts":{"maxDuration":2}}})");
  CHECK(find_settings(v, "app/a/route.ts")->max_duration == 1);
  // The exact name counts where the pattern as a glob would not match it.
  const VercelJson exact = parse_vercel_json(R"({"functions":{"app/[id]/route.ts":{"maxDuration":3}}})");
  REQUIRE(find_settings(exact, "app/[id]/route.ts") != nullptr);
}

TEST_CASE("vercel.json: mistakes are all reported, with their places") {
  CHECK(findings(R"({
  "fluid": "yes",
  "functions": {
    "a": { "maxDuration": 0 },
    "b": { "maxDuration": 3601, "memory": 64 },
    "c": { "maxDuration": "10s", "maxduration": 5 },
    "/d": { "maxDuration": 1.5 },
    "e": 5
  },
  "crons": [{ "path": "/x" }]
})") == "vercel.json:4:12: error: Functions must have a maxDuration between 1 and 3600, or \"max\".\n"
        "vercel.json:5:12: error: Functions must have a maxDuration between 1 and 3600, or \"max\".\n"
        "vercel.json:5:33: error: Functions must have a memory value between 128 and 10240\n"
        "vercel.json:6:12: error: Functions must have a maxDuration between 1 and 3600, or \"max\".\n"
        "vercel.json:6:34: error: Invalid vercel.json - `functions.c` should NOT have additional property "
        "`maxduration`. Please "
        "remove it.\n"
        "vercel.json:7:5: error: The function path \"/d\" is invalid. The path must be relative to your "
        "project root and therefore "
        "cannot start with a slash.\n"
        "vercel.json:7:13: error: Functions must have a maxDuration between 1 and 3600, or \"max\".\n"
        "vercel.json:8:5: error: Invalid vercel.json - `functions.e` should be object.\n"
        "vercel.json:2:3: error: Invalid vercel.json - `fluid` should be boolean.\n"
        "vercel.json:10:13: error: Invalid vercel.json - `crons[0]` needs a `path` and a `schedule`, both "
        "strings.\n");
  // Numbers beyond what a whole number holds, with either sign, are beyond the limits as well.
  for (const char* number : {"1e23", "-1e23", "18446744073709551615", "1e308", "9223372036854775808.0"}) {
    CHECK(findings(fmt::format(R"({{"functions":{{"a":{{"memory":{}}}}}}})", number)) ==
          "vercel.json:1:20: error: Functions must have a memory value between 128 and 10240\n");
  }
  CHECK(findings(R"({"functions":[]})") ==
        "vercel.json:1:2: error: Invalid vercel.json - `functions` should be object.\n");
  CHECK(findings("[]") == "vercel.json:1:1: error: Invalid vercel.json - should be object.\n");
}

TEST_CASE("vercel.json: text that is no JSON is one finding with line and column") {
  const auto place = [](std::string_view text) {
    const VercelJson v = parse_vercel_json(text);
    REQUIRE(v.findings.size() == 1);
    CHECK(v.findings[0].message.starts_with("Couldn't parse JSON file vercel.json: "));
    return std::to_string(v.findings[0].line) + ":" + std::to_string(v.findings[0].column);
  };
  CHECK(place("{\n  \"a\": 1,\n}") == "3:1");
  CHECK(place("{\n  // comment\n}") == "2:3");
  CHECK(place("{ \"a\": 1 } x") == "1:12");
  CHECK(place("") == "1:1");
  CHECK(place("{\"a\": ") == "1:7");
}

TEST_CASE("JSON with places: keys with slashes, escapes, arrays, duplicates") {
  const JsonText t = parse_json_text("{\"a/b\": [1, {\"c\\\"d\": 2}],\n \"x\": 1, \"x\": {\"y\": []}}");
  REQUIRE_FALSE(t.error);
  CHECK(t.place(json_path({"a/b"})) == TextPlace{1, 2});
  CHECK(t.place(json_path({"a/b", "1"})) == TextPlace{1, 13});
  CHECK(t.place(json_path({"a/b", "1", "c\"d"})) == TextPlace{1, 14});
  CHECK(t.place(json_path({"x"})) == TextPlace{2, 10});
  CHECK(t.place(json_path({"x", "y"})) == TextPlace{2, 16});
  CHECK(t.place("none") == TextPlace{});
  CHECK_FALSE(parse_json_text("\xef\xbb\xbf{}").error);
}
