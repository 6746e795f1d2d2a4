#include "cli/report_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/output_file.hpp"

namespace vsim::cli {
namespace {

// What stands near the start of an older report of this kind.
std::string_view ours(std::string_view name) {
  for (const Format& f : formats())
    if (f.option == name) return f.ours;
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

bool ReportOutputs::ask(const Format& format, std::string_view file) {
  if (format.value.empty()) file = "-";
  if (file.empty() || file.ends_with('/')) return false;
  std::erase_if(files_, [&](const auto& one) { return one.first == format.option; });
  files_.emplace_back(format.option, file);
  return true;
}

const std::string* ReportOutputs::find(std::string_view name) const {
  for (const auto& [option, file] : files_)
    if (option == name) return &file;
  return nullptr;
}

std::optional<std::string> ReportOutputs::take(std::string_view name) {
  const std::string* file = find(name);
  if (file == nullptr) return std::nullopt;
  std::string out = *file;
  std::erase_if(files_, [&](const auto& one) { return one.first == name; });
  return out;
}

bool ReportOutputs::to_standard_output(bool by_name) const {
  return std::any_of(formats().begin(), formats().end(), [&](const Format& f) {
    const std::string* file = find(f.option);
    return file != nullptr && *file == "-" && f.value.empty() != by_name;
  });
}

std::string ReportOutputs::problem() const {
  const auto standard =
      std::count_if(files_.begin(), files_.end(), [](const auto& one) { return one.second == "-"; });
  if (standard < 2) return {};
  for (const Format& f : formats())
    if (f.value.empty() && find(f.option) != nullptr)
      return fmt::format("{} prints to standard output: give the other reports a file", f.option);
  return "only one report can go to standard output: give the others a file";
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

Result<bool> ReportOutputs::write(const report::Run& run, const report::Extras& extras) const {
  for (const Format& f : formats()) {
    const std::string* file = find(f.option);
    if (file == nullptr) continue;
    const std::string text = f.render(run, extras);
    if (!f.value.empty()) {
      if (auto written = write_text(f.option, *file, text); !written) return written;
    } else if (const std::string problem = put(stdout, text); !problem.empty()) {
      return Error{fmt::format("{}: {}", f.option, problem)};
    }
    const char* summary = std::getenv("GITHUB_STEP_SUMMARY");
    if (f.summary == nullptr || summary == nullptr || *summary == '\0') continue;
    if (const std::string problem = put(std::fopen(summary, "ab"), f.summary(run, extras)); !problem.empty())
      return Error{fmt::format("GITHUB_STEP_SUMMARY {}: {}", summary, problem)};
  }
  return true;
}

}  // namespace vsim::cli
