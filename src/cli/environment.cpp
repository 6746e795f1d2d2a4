#include "cli/environment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/check.hpp"
#include "project/env_names.hpp"
#include "project/files.hpp"
#include "project/git_files.hpp"

namespace vsim::cli {
namespace {

constexpr std::size_t kMostBytes = 2u << 20, kNamed = 4;
constexpr std::string_view kPulled = "# Created by Vercel CLI";

bool is_pulled(const std::string& file) {
  const auto text = project::read_text(file, kMostBytes);
  return text && text->starts_with(kPulled);
}

using Sizes = std::map<std::string, std::size_t, std::less<>>;

std::uint64_t sum(const Sizes& sizes) {
  std::uint64_t out = 0;
  for (const auto& [name, bytes] : sizes) out += bytes;
  return out;
}

// What is there already holds.
void add_sizes(Sizes& sizes, const std::string& file) {
  if (const auto text = project::read_text(file, kMostBytes)) sizes.merge(project::env_sizes(*text));
}

}  // namespace

std::vector<std::string> deployed_env_files(const std::string& directory,
                                            const std::optional<std::string>& given) {
  std::vector<std::string> out;
  if (given) {
    out.push_back(*given);
  } else {
    for (const char* name : {".vercel/.env.preview.local", ".vercel/.env.production.local", ".env.local"})
      if (const std::string file = directory + "/" + name; is_pulled(file)) {
        out.push_back(file);
        break;
      }
  }
  const auto files = project::git_files(directory);
  for (const char* name : {".env.production", ".env"}) {
    const std::string file = directory + "/" + name;
    if (files ? std::find(files->begin(), files->end(), name) != files->end() : project::is_file(file))
      out.push_back(file);
  }
  return out;
}

std::optional<std::string> size_words(std::uint64_t deployed, std::uint64_t local, std::uint64_t most) {
  if (local <= most) return std::nullopt;
  if (deployed > most)
    return fmt::format("the variables of the deployment take about {}, and {} is all that it may have",
                       human_size(deployed), format_size(most));
  return fmt::format(
      "the variables of the .env files take about {}, and {} is all that a deployment may have: it fails if "
      "the project's settings have what .env.local has",
      human_size(local), format_size(most));
}

std::optional<std::string> environment_size(const std::string& directory, const profile::Profile& profile,
                                            const std::optional<std::string>& env_file) {
  Sizes sizes;
  for (const std::string& file : deployed_env_files(directory, env_file)) add_sizes(sizes, file);
  const std::uint64_t deployed = sum(sizes);
  add_sizes(sizes, directory + "/.env.local");
  return size_words(deployed, sum(sizes), profile.environment_max.value);
}

std::string local_words(const std::vector<LocalName>& names, bool strict) {
  std::string list;
  const std::size_t shown = std::min(names.size(), kNamed);
  for (std::size_t i = 0; i < shown; ++i)
    list += fmt::format("{}{} ({}{})", list.empty() ? "" : ", ", names[i].name, names[i].where,
                        strict && names[i].name.starts_with("NEXT_PUBLIC_")
                            ? "; but written out, it is in what next dev has compiled"
                            : "");
  if (names.size() > shown) list += fmt::format(" and {} more", names.size() - shown);
  const bool one = names.size() == 1;
  return fmt::format("{} variable{} that the app reads {}: {}", names.size(), one ? "" : "s",
                     strict
                         ? fmt::format("{} not there (environment.strict), and only this machine defines {}",
                                       one ? "is" : "are", one ? "it" : "them")
                         : fmt::format("{} defined on this machine alone", one ? "is" : "are"),
                     list);
}

std::vector<app::Saying> environment_words(const std::string& directory, const profile::Profile& profile,
                                           const std::optional<std::string>& env_file,
                                           const process::Environment& shell,
                                           const std::atomic<bool>& stopping) {
  std::vector<app::Saying> out;
  if (auto words = environment_size(directory, profile, env_file))
    out.push_back({true, std::move(*words), "keep large values in a file of the project or in a store"});
  const Look look{"env-only-local", &stopping, env_file};
  const check::Report report = check_sources(directory, profile, shell, look);
  std::vector<LocalName> names;
  for (const check::Finding& f : report.findings)
    if (f.rule == look.only && std::none_of(names.begin(), names.end(),
                                            [&](const LocalName& known) { return known.name == f.name; }))
      names.push_back({f.name, f.detail});
  if (stopping || names.empty()) return out;
  const bool strict = profile.environment_strict.value == profile::Switch::on;
  std::string fix =
      "a deployment has them if the project's settings do (`vercel env add`); `vercel-sim check` "
      "says where each is read";
  if (!report.unfinished.empty())
    fix += fmt::format("; {} of {} source files were not looked at in the time given",
                       report.unfinished.size(), report.files);
  out.push_back({false, local_words(names, strict), std::move(fix)});
  return out;
}

}  // namespace vsim::cli
