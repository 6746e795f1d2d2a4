// The rules against their own examples and the golden projects; docs/rules.md against the rules.
// VSIM_UPDATE_GOLDEN=1 writes what came out; read the difference before you commit it.
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "check/checker.hpp"
#include "check/predicates.hpp"
#include "check/query.hpp"
#include "check/render.hpp"
#include "unit/check/docs.hpp"
#include "unit/check/projects.hpp"
#include "unit/profile/files.hpp"

using namespace vsim;
using check::Input;
using check::test::project;

namespace {

const std::string kGolden = VSIM_SOURCE_DIR "/tests/golden/check";
constexpr std::string_view kRule = "----------\n";

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The first line of a golden file may name a profile: "// profile: pro-fluid".
std::string profile_of(std::string_view text) {
  constexpr std::string_view kMark = "// profile: ";
  if (!text.starts_with(kMark)) return "hobby";
  return std::string(text.substr(kMark.size(), text.find('\n') - kMark.size()));
}

std::set<std::string> struck(const check::Report& report) {
  std::set<std::string> out;
  for (const auto& f : report.findings) out.insert(f.rule);
  return out;
}

const profile::Profile& hobby() {
  static const profile::Profile p = profile::test::must_load("hobby");
  return p;
}
const profile::Profile& fluid() {
  static const profile::Profile p = profile::test::must_load("hobby-fluid");
  return p;
}

}  // namespace

TEST_CASE(
    "rules: every file of rules/ is a rule whose query compiles for both grammars and whose id is its name") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VSIM_SOURCE_DIR "/rules")) {
    INFO(entry.path());
    ++files;
    const auto rule = check::parse_rule(read(entry.path()));
    if (!rule) FAIL(rule.error().message);
    CHECK(rule->id == entry.path().stem().string());
    CHECK(rule->title.back() != '.');
    if (rule->query.empty()) continue;
    const auto query = check::Query::compile(rule->query);
    if (!query) FAIL(query.error().message);
    CHECK(rule->query.find("@at") != std::string::npos);
    // A misspelt predicate would silence its rule.
    for (std::size_t at = rule->query.find("(#"); at != std::string::npos;
         at = rule->query.find("(#", at + 1)) {
      const std::string name = rule->query.substr(at + 2, rule->query.find(' ', at) - at - 2);
      INFO(name);
      CHECK(check::find_predicate(name) != nullptr);
    }
  }
  CHECK(files == check::rules().size());
  CHECK(files >= 14);
}

TEST_CASE("rules: a bad example strikes its rule and no other, a good one strikes nothing") {
  for (const check::Rule& rule : check::rules()) {
    const profile::Profile& profile = rule.serverless == check::Severity::off ? fluid() : hobby();
    for (const std::string& bad : rule.bad) {
      INFO(rule.id << "\n" << bad);
      const auto report = check::check(project(bad), profile);
      CHECK(struck(report) == std::set<std::string>{rule.id});
    }
    for (const std::string& good : rule.good) {
      INFO(rule.id << "\n" << good);
      const auto report = check::check(project(good), profile);
      INFO(check::render_text(report, {"", "test"}));
      CHECK(report.findings.empty());
    }
  }
}

TEST_CASE("rules: a file that is no rule says what is wrong") {
  CHECK(check::parse_rule("- 1").error().message == "a rule is a map");
  CHECK(check::parse_rule("idd: x").error().message == "unknown key \"idd\"");
  CHECK(check::parse_rule("id: x").error().message.starts_with("no \""));
  CHECK(check::parse_rule("id: [").error().message.starts_with("line 1"));
}

TEST_CASE("check: golden projects") {
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden)) {
    INFO(entry.path());
    const std::string text = read(entry.path());
    const std::size_t rule = text.find(kRule);
    REQUIRE(rule != std::string::npos);
    const std::string input = text.substr(0, rule);
    const std::string name = profile_of(input);
    const auto report = check::check(project(input), profile::test::must_load(name));
    for (const auto& id : struck(report)) seen.insert(id);
    std::string got;
    for (const auto& f : report.findings)
      got += f.file + ":" + std::to_string(f.line) + ":" + std::to_string(f.column) + ": " +
             std::string(check::to_string(f.severity)) + ": " + f.message + " [" + f.rule + "]\n";
    if (got.empty()) got = "nothing\n";
    if (std::getenv("VSIM_UPDATE_GOLDEN")) std::ofstream(entry.path()) << input << kRule << got;
    CHECK(got == text.substr(rule + kRule.size()));
  }
  for (const check::Rule& rule : check::rules()) {
    INFO(rule.id << " is struck by no golden project");
    CHECK(seen.contains(rule.id));
  }
}

TEST_CASE("check: severities follow the compute model") {
  const Input input = project(
      "// file: app/a/route.ts\nimport { Server } from 'socket.io';\nexport function GET() { new Server(); "
      "}\n");
  CHECK(check::check(input, hobby()).count(check::Severity::error) == 1);
  const auto on_fluid = check::check(input, fluid());
  CHECK(on_fluid.count(check::Severity::error) == 0);
  CHECK(on_fluid.count(check::Severity::warning) == 1);
}

TEST_CASE("check: broken, empty and deep sources are read without complaint") {
  CHECK(check::check(Input{}, hobby()).findings.empty());
  Input input;
  input.files["app/a/route.ts"] = "";
  input.files["app/b/route.ts"] = "export function GET( { let x = ; import from";
  input.files["app/c/route.ts"] = "\xff\xfe\x00 const";
  input.files["app/d/route.ts"] = std::string(2'000, '(');
  std::string nested = "let n = 0; export function GET() { ";
  for (int i = 0; i < 2000; ++i) nested += "if (n) { ";
  input.files["app/e/route.js"] = nested + "n++";
  input.files["tsconfig.json"] =
      "{ \"compilerOptions\": { // comment\n \"paths\": { \"@/*\": [3, \"../../x/*\"] }, } }";
  input.files["package.json"] = "[]";
  input.files["vercel.json"] = "{";
  CHECK(check::check(input, hobby()).files == 5);
}

TEST_CASE("check: a file whose time is over is left and named, and the others are looked at") {
  Input input = project(
      "// file: app/api/a/route.ts\n"
      "let a = 0;\n"
      "export function GET() { return Response.json(a++); }\n"
      "// file: app/api/b/route.ts\n"
      "let b = 0;\n"
      "export function GET() { return Response.json(b++); }\n");
  REQUIRE(check::check(input, hobby()).findings.size() == 2);
  std::chrono::milliseconds now{0};
  int asked = 0;
  check::Bounds bounds;
  SECTION("of one file") {
    bounds.file = std::chrono::seconds(10);
    bounds.run = std::chrono::hours(24);
    bounds.elapsed = [&] { return now += std::chrono::milliseconds(asked++ < 2 ? 0 : 4000); };
    const auto report = check::check(input, hobby(), bounds);
    CHECK(report.unfinished == std::vector<std::string>{"app/api/a/route.ts", "app/api/b/route.ts"});
    CHECK(report.files == 2);
  }
  SECTION("of all") {
    bounds.run = std::chrono::seconds(0);
    bounds.elapsed = [&] { return now += std::chrono::milliseconds(1); };
    const auto report = check::check(input, hobby(), bounds);
    CHECK(report.unfinished == std::vector<std::string>{"app/api/a/route.ts", "app/api/b/route.ts"});
    CHECK(report.findings.empty());
  }
  SECTION("none is over") {
    bounds.elapsed = [&] { return now; };
    const auto report = check::check(input, hobby(), bounds);
    CHECK(report.unfinished.empty());
    CHECK(report.findings.size() == 2);
  }
}

TEST_CASE("check: a node of more children than 16 bits count, as unclosed brackets make one") {
  Input input;
  input.files["app/a/route.ts"] = "export const a = " + std::string(70'000, '(');
  input.files["app/b/route.ts"] = "let n = 0; export function GET() { return Response.json(n++); }";
  check::Bounds bounds;
  std::chrono::milliseconds now{0};
  bounds.elapsed = [&] { return ++now; };
  bounds.file = std::chrono::milliseconds(120);
  const auto report = check::check(input, hobby(), bounds);
  CHECK(report.files == 2);
  CHECK(report.unfinished == std::vector<std::string>{"app/a/route.ts"});
  CHECK(report.findings.size() == 1);
}

TEST_CASE("syntax: a text that takes longer to read than one has patience for is given up") {
  const std::string quotes(200'000, '\'');
  const routes::Syntax syntax(quotes, true, std::chrono::milliseconds(1));
  CHECK(syntax.given_up());
  REQUIRE(syntax.first_error());
  CHECK(routes::Syntax::line(*syntax.first_error()) == 1);
  CHECK_FALSE(routes::Syntax("let a = 1", true).given_up());
}

TEST_CASE("ast: a name is local where a function, block, loop or catch around it declares it") {
  const std::string text =
      "let x = 0, all = [], y = 1;\n"
      "function f(a, { b: [c] }, d = y) { use(a); use(c); use(b); use(y); }\n"
      "const g = function own() { use(own); { let x = 1; use(x); } use(x); };\n"
      "function h() { for (x of all) { const z = x; use(x); use(z); } for (var v of all) use(v); use(v); }\n"
      "function k() { try {} catch (e) { use(e); } use(e); for (let i = 0; i < 1; i++) use(i); }\n";
  const check::Ast ast("a.ts", text);
  std::vector<std::string> local;
  for (int i = 0; i < ast.size(); ++i)
    if (ast.is(i, "call_expression")) {
      const int name = ast.children(ast.field(i, "arguments")).front();
      local.push_back(std::string(ast.text(name)) + (ast.is_local(name, ast.text(name)) ? "+" : "-"));
    }
  CHECK(local == std::vector<std::string>{"a+", "c+", "b-", "y-", "own+", "x+", "x-", "x-", "z+", "v+", "v-",
                                          "e+", "e-", "i+"});
}

TEST_CASE("render: text, JSON, SARIF and GitHub annotations of one report") {
  Input input = project(
      "// file: app/api/[id]/route.ts\n"
      "/* é */ let n\xC3\xA9 = 0;\n"
      "export function GET() {\n"
      "\treturn Response.json(n\xC3\xA9++);\n"
      "}\n"
      "// file: pages/api/x.ts\n"
      "import { Server } from \"socket.io\";\n"
      "export default function handler(req, res) {\n"
      "  new Server();\n"
      "  // vercel-sim-ignore res-socket-server\n"
      "  res.socket.server.y = 1;\n"
      "}\n");
  const auto report = check::check(input, hobby());
  const check::RenderOptions options{"apps/web, x/", "hobby"};
  const std::string got = check::render_text(report, options) + std::string(kRule) +
                          check::render_json(report, options) + std::string(kRule) +
                          check::render_github(report, options) + std::string(kRule) +
                          check::render_sarif(report, options);
  const std::string path = VSIM_SOURCE_DIR "/tests/golden/check_render.txt";
  if (std::getenv("VSIM_UPDATE_GOLDEN")) std::ofstream(path) << got;
  CHECK(got == read(path));
}

TEST_CASE("docs: docs/rules.md is what the rules say") {
  const std::string path = VSIM_SOURCE_DIR "/docs/rules.md";
  if (std::getenv("VSIM_UPDATE_GOLDEN")) std::ofstream(path) << check::render_docs();
  CHECK(check::render_docs() == read(path));
}

TEST_CASE("check: a maxDuration in the plan's beta range is deployed, and past it the most is named") {
  const auto found = [](const char* seconds) {
    const auto report =
        check::check(project(std::string("// file: app/a/route.ts\nexport const maxDuration = ") + seconds +
                             ";\nexport function GET() {}\n"),
                     profile::test::must_load("pro-fluid"));
    std::string out;
    for (const auto& f : report.findings) out += f.rule + ": " + f.message + "\n";
    return out;
  };
  CHECK(found("1800").empty());
  const std::string over = found("1801");
  CHECK(over.starts_with("max-duration-over-plan: "));
  CHECK(over.find("between 1 and 1800") != std::string::npos);
}
