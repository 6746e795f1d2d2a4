#include "cli/check.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "check/checker.hpp"
#include "check/render.hpp"
#include "cli/columns.hpp"
#include "cli/default_profile.hpp"
#include "cli/environment.hpp"
#include "cli/project_config.hpp"
#include "cli/run.hpp"
#include "learn/start.hpp"
#include "project/env_names.hpp"
#include "project/files.hpp"
#include "project/finder.hpp"
#include "project/git_files.hpp"
#include "project/next_config.hpp"

namespace vsim::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 50'000, kMaxBytes = 2u << 20;
constexpr std::chrono::milliseconds kLook{10'000};  // beside a run

// Tests, stories and build outputs are not deployed; declarations hold no code.
bool left_out(std::string_view name) {
  for (const std::string_view part : {".test.", ".spec.", ".stories.", ".cy.", ".d.ts", ".min.js"})
    if (name.find(part) != std::string_view::npos) return true;
  return false;
}
bool is_source(std::string_view name) {
  for (const std::string_view e : {".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts"})
    if (name.ends_with(e)) return !left_out(name);
  return false;
}
// Only where no route can be: app/build/page.tsx is a page like any other.
bool is_skipped_directory(std::string_view relative) {
  const std::string_view name = relative.substr(relative.rfind('/') + 1);
  if (name.starts_with('.') || name == "node_modules" || name == "__tests__" || name == "__mocks__")
    return true;
  for (const std::string_view top :
       {"out", "dist", "build", "public", "coverage", "cypress", "e2e", "storybook-static"})
    if (relative == top) return true;
  return false;
}

// What was left out, which no finding can be about.
struct Unread {
  bool more = false;  // more files than are looked at
  std::size_t files = 0;
  std::string first;
};

Unread read_sources(const std::string& root, const std::string& dist, check::Input& out) {
  Unread unread;
  std::error_code error;
  fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    const std::string relative = it->path().string().substr(root.size() + 1);
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      // A workspace inside the project is a project of its own.
      if (is_skipped_directory(relative) || relative == dist ||
          project::is_file(it->path().string() + "/package.json"))
        it.disable_recursion_pending();
      continue;
    }
    if (!is_source(it->path().filename().string())) continue;
    if (auto text = project::read_text(it->path().string(), kMaxBytes))
      out.files.emplace(relative, std::move(*text));
    else if (fs::exists(it->path(), ignored) && (unread.files++ == 0 || relative < unread.first))
      unread.first = relative;
    if (out.files.size() >= kMaxFiles) {
      unread.more = true;
      return unread;
    }
  }
  for (const char* name : {"package.json", "vercel.json", "tsconfig.json", "jsconfig.json"})
    if (auto text = project::read_text(root + "/" + name, kMaxBytes)) out.files[name] = std::move(*text);
  return unread;
}

// Names alone, without what they are set to.
std::string names_in(std::string_view text) {
  constexpr std::string_view kPulled = "# Created by Vercel CLI";
  std::string out(text.starts_with(kPulled) ? std::string(kPulled) + "\n" : "");
  for (const std::string_view name : project::env_names(text)) out.append(name).append("=\n");
  return out;
}

// What is of this machine and what of the deployment: the variables, and the files that git has.
void read_machine(const std::string& root, const process::Environment& env, const Look& look,
                  check::Input& out) {
  for (const char* name :
       {".env", ".env.production", ".env.local", ".env.development", ".env.development.local"})
    if (const auto text = project::read_text(root + "/" + name, kMaxBytes)) out.files[name] = names_in(*text);
  std::string shell, deployed;
  for (const std::string& one : env) shell += one + "\n";
  out.files[".shell"] = names_in(shell);
  for (const std::string& file : deployed_env_files(root, look.env_file))
    if (const auto text = project::read_text(file, kMaxBytes))
      for (const std::string_view name : project::env_names(*text)) deployed.append(name).append("=\n");
  out.files[".env.deployed"] = std::move(deployed);
  if (const auto files = project::git_files(root)) {
    std::string& list = out.files[".git/files"];
    for (const std::string& file : *files) list.append(file).append("\n");
  }
}

// As for `run`: the command line, else vercel-sim.yaml, else what the project's own files say.
std::optional<profile::Profile> profile_of(const CheckOptions& options, const std::string& directory) {
  TestOptions asked;
  asked.run.cwd = directory;
  asked.run.profile = options.profile;
  asked.run.profile_given = options.profile_given;
  asked.run.set = options.set;
  if (options.profile_given) asked.run.given.emplace_back("--profile");
  ProjectConfig config;
  if (!load_project_config(asked, config)) return std::nullopt;
  if (!asked.run.profile_given) {
    DefaultProfile chosen = default_profile(directory);
    asked.run.profile = std::move(chosen.name);
    fmt::print(stderr, "note: {}\n", plain(chosen.note));
  }
  return load(asked.run.profile, overrides_of(asked.run.set));
}

}  // namespace

std::string source_prefix(const std::string& root, CheckFormat format) {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const std::string relative = error ? std::string() : fs::path(root).lexically_relative(here).string();
  if (relative == ".") return {};
  if (!relative.empty() && !relative.starts_with("..")) return relative + "/";
  return format == CheckFormat::text ? root + "/" : std::string();
}

check::Report check_sources(const std::string& root, const profile::Profile& profile,
                            const process::Environment& shell, const Look& look) {
  const bool is_silent = !look.only.empty();
  check::Input input;
  const project::NextConfig config = project::find_next_config(root);
  if (config.page_extensions.known == project::Known::literal)
    input.page_extensions = config.page_extensions.value;
  const std::string dist = config.dist_dir.known == project::Known::literal ? config.dist_dir.value : ".next";
  const Unread unread = read_sources(root, dist, input);
  read_machine(root, shell, look, input);
  if (unread.more && !is_silent)
    fmt::print(stderr, "warning: more than {} source files: the rest is not looked at\n", kMaxFiles);
  if (unread.files > 0 && !is_silent)
    fmt::print(stderr, "warning: {}{} not looked at: larger than {}, no regular file or not to be read\n",
               plain(unread.first),
               unread.files == 1 ? " is" : fmt::format(" and {} more files are", unread.files - 1),
               human_size(kMaxBytes));
  check::Bounds bounds;
  if (is_silent) bounds.run = kLook;
  bounds.elapsed = [begin = std::chrono::steady_clock::now(), stopping = look.stopping] {
    if (stopping != nullptr && *stopping) return std::chrono::milliseconds::max();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  };
  check::Report report = check::check(input, profile, bounds, nullptr, look.only);
  if (is_silent) return report;
  if (const auto words = environment_size(root, profile, look.env_file))
    fmt::print(stderr, "warning: {}\n", *words);
  if (const std::size_t n = report.unfinished.size(); n > 0)
    fmt::print(stderr, "warning: {}{} not looked at in full: that would take too long\n",
               plain(report.unfinished.front()),
               n == 1 ? " is" : fmt::format(" and {} more files are", n - 1));
  return report;
}

int run_check(const CheckOptions& options) {
  const std::string directory = project::real_path(options.directory.empty() ? "." : options.directory);
  if (directory.empty() || !project::is_directory(directory)) {
    print_error({fmt::format("{}: no such directory", options.directory), ""});
    return kUsage;
  }
  const auto profile = profile_of(options, directory);
  if (!profile) return kUsage;
  // Nothing is run here, so a project whose packages are not installed is as good as any.
  std::string root = directory;
  if (const auto found = project::find_project(directory)) {
    root = found->source_root;
  } else if (!project::is_file(directory + "/package.json")) {
    print_error(found.error());
    return kUsage;
  }

  if (options.size) {
    const project::NextConfig config = project::find_next_config(root);
    const std::string dist =
        config.dist_dir.known == project::Known::literal ? config.dist_dir.value : ".next";
    const std::uint64_t most = profile->bundle_max.value;
    const std::string limit = std::to_string(most == kUnlimited ? 0 : most);
    const std::string_view words[] = {root, dist, limit,
                                      options.format == CheckFormat::json ? "json" : "text"};
    return learn::start("size", words);
  }
  const check::Report report = check_sources(root, *profile, process::current_environment());
  const check::RenderOptions render{source_prefix(root, options.format), profile->name};
  switch (options.format) {
    case CheckFormat::text:
      print_fitted(stdout, check::render_text(report, render));
      break;
    case CheckFormat::json:
      fmt::print("{}", check::render_json(report, render));
      break;
    case CheckFormat::sarif:
      fmt::print("{}", check::render_sarif(report, render));
      break;
    case CheckFormat::github:
      fmt::print("{}", check::render_github(report, render));
      break;
  }
  return report.count(check::Severity::error) > 0 ? kViolations : 0;
}

}  // namespace vsim::cli
