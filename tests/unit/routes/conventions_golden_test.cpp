// Golden tables: tests/golden/routes/*.txt hold a project's files, a line of dashes, and the whole route
// table expected of it.
//   path                       a file without settings
//   path | text                a file with this text ("\n" starts a new line)
//   @extensions a b            next.config pageExtensions
//   @plan 60 hobby             also list what exceeds this plan
//   # …                        a remark
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "routes/resolve.hpp"
#include "routes/route_table.hpp"

using namespace vsim::routes;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string seconds(const MaxDuration& d) {
  return d.max ? "max" : fmt::format("{}s", std::chrono::duration<double>(d.value).count());
}

std::string table_of(const std::string& input) {
  std::vector<std::string> paths;
  std::map<std::string, std::string> texts;
  SourceConfigs configs;
  std::optional<VercelJson> vercel;
  ConventionOptions options;
  std::optional<std::pair<int, std::string>> plan;
  std::istringstream lines(input);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with("# ")) continue;
    if (line.starts_with("@extensions ")) {
      options.page_extensions.clear();
      std::istringstream words(line.substr(12));
      for (std::string w; words >> w;) options.page_extensions.push_back(w);
      continue;
    }
    if (line.starts_with("@plan ")) {
      std::istringstream words(line.substr(6));
      plan.emplace();
      words >> plan->first >> plan->second;
      continue;
    }
    const std::size_t bar = line.find(" | ");
    const std::string path = line.substr(0, bar);
    std::string text = bar == std::string::npos ? "" : line.substr(bar + 3);
    for (std::size_t at; (at = text.find("\\n")) != std::string::npos;) text.replace(at, 2, 1, '\n');
    if (path == "vercel.json") {
      vercel = parse_vercel_json(text);
      continue;
    }
    paths.push_back(path);
    texts[path] = text;
  }
  // Read as project/scanner.cpp reads them: what is a route, and the layouts above it.
  Conventions conventions = read_conventions(paths, options);
  const auto read = [&](const std::string& path) {
    const SourceRole role = path.find("app/") == 0 || path.find("src/app/") == 0 ? SourceRole::app
                            : path.find("pages/") != std::string::npos           ? SourceRole::pages
                                                                                 : SourceRole::middleware;
    configs[path] = read_source_config(texts[path], path, role);
  };
  for (const RouteFile& f : conventions.files) {
    read(f.file);
    for (const std::string& layout : f.layouts) read(layout);
  }
  const Resolved resolved = resolve(std::move(conventions), configs, vercel ? &*vercel : nullptr);
  std::string out;
  for (const Function& f : resolved.functions) {
    out += fmt::format("{:<10} {:<7} {}  name {}  file {}", to_string(f.kind), to_string(f.runtime), f.route,
                       f.page, f.file);
    if (f.metadata) out += "  metadata";
    if (f.supports_cancellation) out += "  cancellable";
    if (f.max_duration)
      out +=
          fmt::format("  {} by {}:{}", seconds(*f.max_duration), f.max_duration->file, f.max_duration->line);
    out += '\n';
  }
  for (const RouteFinding& f : resolved.findings) out += format_finding(f) + "\n";
  if (plan)
    for (const OverPlan& o : over_plan(resolved.functions, std::chrono::seconds(plan->first), plan->second,
                                       vercel ? &*vercel : nullptr))
      out += fmt::format("over plan {}:{}: {}\n", o.file, o.line, o.message);
  return out;
}

}  // namespace

TEST_CASE("golden: route tables of whole projects") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(VSIM_SOURCE_DIR "/tests/golden/routes"))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 8);
  for (const auto& path : files) {
    const std::string text = read_file(path);
    const std::string rule = "----------\n";
    const std::size_t at = text.find(rule);
    INFO(path.filename().string());
    REQUIRE(at != std::string::npos);
    const std::string got = table_of(text.substr(0, at));
    if (std::getenv("VSIM_UPDATE_GOLDEN") != nullptr) {
      std::ofstream(path, std::ios::binary) << text.substr(0, at) << rule << got;
    }
    CHECK(got == text.substr(at + rule.size()));
  }
}

TEST_CASE("what decides is the file's own value, then the nearest layout, then vercel.json") {
  const std::vector<std::string> paths = {"app/layout.tsx", "app/a/layout.tsx", "app/a/b/page.tsx"};
  const auto value = [&](bool page, bool near, bool root, bool json) {
    SourceConfigs configs;
    const auto put = [&](const char* file, bool set, int n) {
      configs[file] = read_source_config(set ? fmt::format("export const maxDuration = {}", n) : "", file,
                                         SourceRole::app);
    };
    put("app/a/b/page.tsx", page, 1);
    put("app/a/layout.tsx", near, 2);
    put("app/layout.tsx", root, 3);
    const VercelJson v = parse_vercel_json(R"({"functions":{"app/**":{"maxDuration":4}}})");
    const Resolved r = resolve(read_conventions(paths), configs, json ? &v : nullptr);
    REQUIRE(r.functions.size() == 1);
    return r.functions[0].max_duration ? seconds(*r.functions[0].max_duration) : "none";
  };
  CHECK(value(true, true, true, true) == "1s");
  CHECK(value(false, true, true, true) == "2s");
  CHECK(value(false, false, true, true) == "3s");
  CHECK(value(false, false, false, true) == "4s");
  CHECK(value(false, false, false, false) == "none");
}

TEST_CASE("a page is dynamic by force where it says so itself, or its nearest layout that says anything") {
  const std::vector<std::string> paths = {"app/layout.tsx", "app/a/layout.tsx", "app/a/b/page.tsx"};
  const auto forced = [&](const char* page, const char* near, const char* root) {
    SourceConfigs configs;
    configs["app/a/b/page.tsx"] = read_source_config(page, "app/a/b/page.tsx", SourceRole::app);
    configs["app/a/layout.tsx"] = read_source_config(near, "app/a/layout.tsx", SourceRole::app);
    configs["app/layout.tsx"] = read_source_config(root, "app/layout.tsx", SourceRole::app);
    return resolve(read_conventions(paths), configs, nullptr).functions.at(0).forced_dynamic;
  };
  const char* const dynamic = "export const dynamic = 'force-dynamic'";
  const char* const fixed = "export const dynamic = 'force-static'";
  CHECK(forced(dynamic, "", ""));
  CHECK(forced("", "", dynamic));
  CHECK_FALSE(forced(fixed, dynamic, ""));
  CHECK_FALSE(forced("", fixed, dynamic));
  CHECK_FALSE(forced("", "", ""));
}

TEST_CASE("Vercel's name of a function") {
  CHECK(vercel_function_name("/api/users/[id]") == "api/users/[id]");
  CHECK(vercel_function_name("/") == "index");
}
