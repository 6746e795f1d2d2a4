#include "project/scanner.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>

#include "project/files.hpp"
#include "routes/resolve.hpp"

namespace vsim::project {
namespace {

constexpr int kMaxDepth = 64;
using routes::RouteFinding;
using routes::RouteSeverity;
using routes::SourceRole;

bool skipped(std::string_view name) { return name.starts_with('.') || name == "node_modules"; }

SourceRole role_of(std::string_view path) {
  if (path.starts_with("src/")) path.remove_prefix(4);
  return path.starts_with("app/")     ? SourceRole::app
         : path.starts_with("pages/") ? SourceRole::pages
                                      : SourceRole::middleware;
}

std::string normal_base_path(std::string p) {
  while (p.ends_with('/')) p.pop_back();
  if (!p.empty() && p.front() != '/') p.insert(p.begin(), '/');
  return p;
}

}  // namespace

// Regular files of one directory, not below it.
void Scanner::list_here(const std::string& relative, std::vector<std::string>& out) {
  const std::string path = relative.empty() ? options_.root : options_.root + "/" + relative;
  DIR* dir = ::opendir(path.c_str());
  if (dir == nullptr) return;
  directories_.push_back(path);
  while (const dirent* e = ::readdir(dir)) {
    const std::string name = e->d_name;
    if (skipped(name) || e->d_type == DT_DIR) continue;
    out.push_back(relative.empty() ? name : fmt::format("{}/{}", relative, name));
  }
  ::closedir(dir);
}

void Scanner::list(const std::string& relative, int depth, std::vector<std::string>& out, bool& truncated) {
  if (depth > kMaxDepth || truncated) return;
  const std::string path = options_.root + "/" + relative;
  DIR* dir = ::opendir(path.c_str());
  if (dir == nullptr) return;
  struct stat st {};
  if (::fstat(::dirfd(dir), &st) != 0) {
    ::closedir(dir);
    return;
  }
  const std::pair<std::uint64_t, std::uint64_t> identity{st.st_dev, st.st_ino};
  if (std::find(open_.begin(), open_.end(), identity) != open_.end()) {
    ::closedir(dir);
    return;
  }
  open_.push_back(identity);
  directories_.push_back(path);
  std::vector<std::string> below;
  while (const dirent* e = ::readdir(dir)) {
    const std::string name = e->d_name;
    if (name == "." || name == ".." || name == ".git" || name == ".next" || name == "node_modules") continue;
    std::string child = fmt::format("{}/{}", relative, name);
    bool is_dir = e->d_type == DT_DIR;
    if (e->d_type == DT_LNK || e->d_type == DT_UNKNOWN) {  // Next follows links too
      struct stat target {};
      if (::stat((options_.root + "/" + child).c_str(), &target) != 0) continue;
      is_dir = S_ISDIR(target.st_mode);
      if (!is_dir && !S_ISREG(target.st_mode)) continue;
    }
    if (is_dir) {
      below.push_back(std::move(child));
    } else {
      out.push_back(std::move(child));
      if (out.size() >= options_.max_files) {
        truncated = true;
        break;
      }
    }
  }
  ::closedir(dir);
  for (const std::string& b : below) list(b, depth + 1, out, truncated);
  open_.pop_back();
}

void Scanner::read_sources(const std::vector<std::string>& paths,
                           std::map<std::string, routes::SourceConfig, std::less<>>& out,
                           Snapshot& snapshot) {
  for (const std::string& p : paths) {
    const std::string full = options_.root + "/" + p;
    struct stat st {};
    if (::stat(full.c_str(), &st) != 0) continue;
    const Stamp stamp{st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, st.st_ino};
    Entry& entry = entries_[p];
    if (entry.seen == 0 || entry.stamp != stamp) {
      entry.stamp = stamp;
      entry.role = role_of(p);
      const auto text = read_text(full, options_.max_file_bytes);
      entry.config = text ? routes::read_source_config(*text, p, entry.role) : routes::SourceConfig{};
      if (!text)
        entry.config.findings.push_back(
            {RouteSeverity::warning, p, 0, 0, "This file could not be read, or is too large to be read."});
      ++snapshot.parsed;
    }
    entry.seen = round_;
    out.emplace(p, entry.config);
  }
}

std::shared_ptr<Snapshot> Scanner::scan(const KnownConfig& known) {
  const auto begin = std::chrono::steady_clock::now();
  auto snapshot = std::make_shared<Snapshot>();
  ++round_;
  directories_.clear();
  open_.clear();
  std::vector<std::string> paths;
  bool truncated = false;
  list_here("", paths);
  list_here("src", paths);
  for (const char* dir : {"app", "pages", "src/app", "src/pages"}) list(dir, 0, paths, truncated);
  std::sort(paths.begin(), paths.end());
  snapshot->files = paths.size();

  snapshot->config = find_next_config(options_.root);
  routes::ConventionOptions conventions;
  const NextConfig& config = snapshot->config;
  if (known.page_extensions)
    conventions.page_extensions = *known.page_extensions;
  else if (config.page_extensions.known == Known::literal)
    conventions.page_extensions = config.page_extensions.value;
  std::string base_path = config.base_path.known == Known::literal ? config.base_path.value : "";
  if (known.base_path) base_path = *known.base_path;

  // Only what is a route, or a layout above one, is opened.
  routes::Conventions files = routes::read_conventions(paths, conventions);
  std::vector<std::string> wanted;
  for (const routes::RouteFile& f : files.files) {
    wanted.push_back(f.file);
    wanted.insert(wanted.end(), f.layouts.begin(), f.layouts.end());
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  routes::SourceConfigs configs;
  read_sources(wanted, configs, *snapshot);
  std::erase_if(entries_, [&](const auto& e) { return e.second.seen != round_; });

  if (const auto text = read_text(options_.root + "/vercel.json", options_.max_file_bytes)) {
    snapshot->vercel = routes::parse_vercel_json(*text);
  }
  routes::Resolved resolved =
      routes::resolve(std::move(files), configs, snapshot->vercel ? &*snapshot->vercel : nullptr);
  snapshot->findings = std::move(resolved.findings);
  if (snapshot->vercel && snapshot->vercel->fluid == true) {
    snapshot->findings.push_back(
        {RouteSeverity::hint, "vercel.json", snapshot->vercel->fluid_line, 0,
         "vercel.json says \"fluid\": true: Vercel runs this project on Fluid compute.",
         "Use the plan's fluid profile, such as --profile hobby-fluid."});
  }
  for (const char* name : {"vercel.ts", "vercel.mts", "vercel.js", "vercel.mjs", "vercel.cjs"}) {
    if (!std::binary_search(paths.begin(), paths.end(), std::string(name))) continue;
    snapshot->findings.push_back(
        {RouteSeverity::hint, name, 0, 0,
         "Configuration written as a program is not run: what it says about functions is not known here.",
         "Put `functions` into vercel.json, or maxDuration into the sources."});
  }
  if (truncated) {
    snapshot->findings.push_back(
        {RouteSeverity::warning, "", 0, 0,
         fmt::format("More than {} files below app/ and pages/: the rest is not looked at.",
                     options_.max_files)});
  }
  snapshot->table =
      std::make_shared<const routes::RouteTable>(std::move(resolved.functions), normal_base_path(base_path));
  snapshot->took =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  return snapshot;
}

std::string Scanner::fingerprint(const Snapshot& s) {
  std::string out = s.table->base_path();
  for (const routes::Function& f : s.table->functions()) {
    out += fmt::format("\n{}\t{}\t{}\t{}\t{}\t{}", f.route, routes::to_string(f.kind),
                       routes::to_string(f.runtime), f.file, f.page, f.supports_cancellation);
    if (f.max_duration)
      out += fmt::format("\t{} {} {}:{}", f.max_duration->max, f.max_duration->value.count(),
                         f.max_duration->file, f.max_duration->line);
  }
  for (const RouteFinding& f : s.findings) out += fmt::format("\n{}\t{}", routes::format_finding(f), f.fix);
  const auto setting = [&](const auto& v) { out += fmt::format("\n{}", static_cast<int>(v.known)); };
  setting(s.config.base_path);
  setting(s.config.asset_prefix);
  setting(s.config.page_extensions);
  setting(s.config.dist_dir);
  setting(s.config.trailing_slash);
  out += fmt::format("\n{}\t{}\t{}\t{}\t{}", s.config.file, s.config.base_path.value,
                     s.config.asset_prefix.value, s.config.dist_dir.value, s.config.trailing_slash.value);
  if (s.vercel) {
    out += fmt::format("\n{}", s.vercel->fluid ? (*s.vercel->fluid ? "fluid" : "not fluid") : "");
    for (const auto& v : s.vercel->functions)
      out += fmt::format("\n{}\t{}\t{}\t{}\t{}", v.pattern, v.max, v.max_duration.value_or(-1),
                         v.max_duration_line, v.memory.value_or(-1));
    for (const auto& c : s.vercel->crons) out += fmt::format("\n{}\t{}", c.path, c.schedule);
  }
  return out;
}

}  // namespace vsim::project
