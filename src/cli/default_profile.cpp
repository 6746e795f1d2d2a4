#include "cli/default_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cli/run.hpp"
#include "profile/schema.hpp"
#include "project/files.hpp"
#include "project/finder.hpp"
#include "project/vercel_link.hpp"
#include "routes/vercel_json.hpp"

namespace vsim::cli {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;
// Fluid compute is the default of projects made since then.
constexpr std::chrono::year_month_day kSince{std::chrono::year{2025}, std::chrono::April,
                                             std::chrono::day{23}};
constexpr std::string_view kAnother = "--profile, or `profile:` in vercel-sim.yaml, chooses another";

std::chrono::sys_days day_of(std::int64_t ms) {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms)));
}

std::optional<routes::VercelJson> vercel_json(const std::string& root) {
  const auto text = project::read_text(root + "/vercel.json", kMostBytes);
  if (!text) return std::nullopt;
  return routes::parse_vercel_json(*text);
}

}  // namespace

DefaultProfile choose_profile(const ProjectFacts& facts, int most) {
  if (facts.fluid)
    return {*facts.fluid ? "hobby-fluid" : "hobby",
            fmt::format("profile {}, since vercel.json says `fluid: {}`; {}",
                        *facts.fluid ? "hobby-fluid" : "hobby", *facts.fluid, kAnother)};
  if (facts.made_ms) {
    const auto made = day_of(*facts.made_ms);
    const std::chrono::year_month_day date{made};
    const bool fluid = made >= std::chrono::sys_days{kSince};
    return {
        fluid ? "hobby-fluid" : "hobby",
        fmt::format("profile {}, since the project was made on {}-{:02}-{:02} (.vercel/project.json): {} {}",
                    fluid ? "hobby-fluid" : "hobby", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    fluid ? "since 23 April 2025 Fluid compute is on unless it was turned off;"
                          : "before 23 April 2025 Fluid compute was off unless it was turned on since;",
                    kAnother)};
  }
  std::string note =
      "hobby is a project without Fluid compute, as those made before 23 April 2025 are by default. "
      "A newer one is on Fluid: --profile hobby-fluid, or `profile: hobby-fluid` in vercel-sim.yaml";
  if (facts.longest > most)
    note += fmt::format(". vercel.json asks for {} s, which is deployed only with Fluid or a paid plan",
                        facts.longest);
  return {"hobby", std::move(note)};
}

DefaultProfile default_profile(const std::string& directory) {
  const auto found = project::find_project(directory);
  const std::string root = found ? found->root : directory;
  ProjectFacts facts;
  if (const auto vercel = vercel_json(root)) {
    facts.fluid = vercel->fluid;
    for (const auto& f : vercel->functions)
      facts.longest = std::max(facts.longest, f.max_duration.value_or(0));
  }
  facts.made_ms = project::made_at(root, found ? found->workspace_root : root);
  const auto hobby = load("hobby", {});
  const auto most =
      hobby ? std::chrono::duration_cast<std::chrono::seconds>(hobby->duration_max.value).count() : 0;
  return choose_profile(facts, static_cast<int>(most));
}

std::optional<std::string> project_region(const std::string& directory) {
  const auto found = project::find_project(directory);
  const auto vercel = vercel_json(found ? found->root : directory);
  if (!vercel || vercel->regions.empty()) return std::nullopt;
  const std::string& first = vercel->regions.front();
  return profile::find_key("region")->legal(first) ? std::optional(first) : std::nullopt;
}

}  // namespace vsim::cli
