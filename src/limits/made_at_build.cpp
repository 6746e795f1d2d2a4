#include "limits/made_at_build.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "limits/of_setting.hpp"

namespace vsim::limits::made_at_build {
namespace {

std::string fix_of(std::string_view kind) {
  if (kind == "props")
    return "Return `revalidate: SECONDS` from getStaticProps, call `res.revalidate(path)` where the data is "
           "written, or use getServerSideProps if it must be of each request.";
  const std::string_view asks =
      kind == "handler" ? "`export const dynamic = 'force-dynamic'`"
                        : "`await connection()` (of next/server, from 15 on) in the page, or `export const "
                          "dynamic = 'force-dynamic'`,";
  return fmt::format(
      "{} if it must be of each request; else `revalidatePath()` or `revalidateTag()` where the data is "
      "written, or `export const revalidate = SECONDS`.",
      asks);
}

}  // namespace

std::optional<ContentChange> ContentLedger::look(const Made& made, TimePoint began, TimePoint now,
                                                 WallTime wall) {
  constexpr std::size_t kMostKept = 2'000;
  if (cleared_ && began <= *cleared_) return std::nullopt;  // of before or after it: nobody knows
  const auto known = kept_.find(made.key);
  if (known == kept_.end()) {
    if (kept_.size() < kMostKept)
      kept_.try_emplace(std::string(made.key), Kept{std::string(made.digest), now, wall, made.files});
    return std::nullopt;
  }
  Kept& before = known->second;
  if (before.digest == made.digest) return std::nullopt;
  const Duration after = now - before.at;
  const bool is_edit = made.read_unix_ms > before.wall.unix_ms;
  const bool is_due = made.every != kForever && after >= made.every;
  before = Kept{std::string(made.digest), now, wall, made.files};
  if (is_edit || is_due) return std::nullopt;
  return ContentChange{after};
}

void ContentLedger::edited(const std::vector<std::string>& files) {
  const auto has = [&](const std::string& file) {
    return std::find(files.begin(), files.end(), file) != files.end();
  };
  std::erase_if(kept_, [&](const auto& entry) {
    return std::any_of(entry.second.files.begin(), entry.second.files.end(), has);
  });
}

void ContentLedger::revalidated(TimePoint now) {
  kept_.clear();
  cleared_ = now;
}

Verdict changed(const profile::Profile& p, const Made& made, const ContentChange& change,
                std::string_view route, std::string_view file) {
  Verdict v = of_setting(Code::sim_made_at_build, "static.changes", p.static_changes, route, file);
  v.enforced = p.static_changes.value == profile::Strictness::enforce;
  v.limit = "answered by the build, the same for everyone until the next deployment";
  v.measured = fmt::format("changed within {}, with no edit and no revalidation between; it is static: {}",
                           human_duration(change.after), made.by);
  v.fix = fix_of(made.kind);
  return v;
}

bool is_remark(const Made& made) { return made.every != kForever; }

std::string remark(const Made& made, const ContentChange& change, std::string_view route) {
  return fmt::format(
      "{} changed within {} here; on Vercel it stays as it is for {} ({}), or until a revalidation", route,
      human_duration(change.after), format_duration(made.every), made.by);
}

}  // namespace vsim::limits::made_at_build
