#include "cli/report_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/output_file.hpp"
#include "page/page.hpp"

namespace vsim::cli {
namespace {

constexpr std::array<std::string_view, 5> kNames{"--html", "--junit", "--sarif", "--json", "--github"};

std::optional<std::string> ReportOutputs::*slot(std::string_view name) {
  if (name == "--html") return &ReportOutputs::html;
  if (name == "--junit") return &ReportOutputs::junit;
  if (name == "--sarif") return &ReportOutputs::sarif;
  if (name == "--json") return &ReportOutputs::json;
  return nullptr;
}

// What stands near the start of an older report of this kind.
std::string_view ours(std::string_view name) {
  if (name == "--json") return "\"vercel-sim-re";  // a report, or a replay
  if (name == "--junit") return "<testsuites name=\"vercel-sim\"";
  if (name == "--sarif") return "\"name\": \"vercel-sim\"";
  return "vercel-sim";
}

std::string reason() { return errno != 0 ? std::strerror(errno) : "the write failed"; }

// Empty when all of `text` is in the file.
std::string put(std::FILE* file, std::string_view text) {
  errno = 0;
  if (file == nullptr) return reason();
  const bool written =
      std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  std::string problem = written ? std::string() : reason();
  if (file != stdout && std::fclose(file) != 0 && problem.empty()) problem = reason();
  return problem;
}

}  // namespace

std::span<const std::string_view> report_option_names() { return kNames; }

bool report_option_takes_value(std::string_view name) { return slot(name) != nullptr; }

std::string set_report_output(ReportOutputs& out, std::string_view name, std::string_view value) {
  if (name == "--github") {
    out.github = true;
    return {};
  }
  const auto member = slot(name);
  if (member == nullptr || value.empty() || value.ends_with('/'))
    return fmt::format("{} expects a file, or - for standard output; got \"{}\"", name, value);
  out.*member = std::string(value);
  return {};
}

std::string problem_with(const ReportOutputs& out) {
  int standard = out.github ? 1 : 0;
  for (const auto* file : {&out.html, &out.junit, &out.sarif, &out.json})
    if (*file && **file == "-") ++standard;
  if (standard > 1 && out.github) return "--github prints to standard output: give the other reports a file";
  if (standard > 1) return "only one report can go to standard output: give the others a file";
  return {};
}

Result<bool> write_text(std::string_view name, const std::string& file, std::string_view text) {
  if (file != "-") {
    const auto folder = std::filesystem::path(file).parent_path();
    std::error_code ignored;  // the write says what is wrong
    if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  }
  std::FILE* out = stdout;
  if (file != "-") {
    const auto fd = open_output(name, file, ours(name));
    if (!fd) return fd.error();
    out = ::fdopen(*fd, "wb");
  }
  if (const std::string problem = put(out, text); !problem.empty())
    return Error{fmt::format("{} {}: {}", name, file, problem), "Name a file that can be written."};
  return true;
}

Result<bool> write_reports(const report::Run& run, const ReportOutputs& outputs,
                           const report::Extras& extras) {
  using Render = std::string (*)(const report::Run&, const report::Extras&);
  const std::pair<std::string_view, Render> kinds[] = {{"--html", page::render_html},
                                                       {"--junit", report::render_junit},
                                                       {"--sarif", report::render_sarif},
                                                       {"--json", report::render_json}};
  for (const auto& [name, render] : kinds) {
    const auto& file = outputs.*slot(name);
    if (!file) continue;
    if (auto written = write_text(name, *file, render(run, extras)); !written) return written;
  }
  if (!outputs.github) return true;
  if (const std::string problem = put(stdout, report::render_github(run, extras)); !problem.empty())
    return Error{fmt::format("--github: {}", problem)};
  const char* summary = std::getenv("GITHUB_STEP_SUMMARY");
  if (summary == nullptr || *summary == '\0') return true;
  if (const std::string problem = put(std::fopen(summary, "ab"), report::render_markdown(run, extras));
      !problem.empty())
    return Error{fmt::format("GITHUB_STEP_SUMMARY {}: {}", summary, problem)};
  return true;
}

}  // namespace vsim::cli
