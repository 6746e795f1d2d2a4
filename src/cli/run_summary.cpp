#include "cli/run_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "limits/code.hpp"
#include "report/model.hpp"
#include "report/words.hpp"

namespace vsim::cli {
namespace {

constexpr std::size_t kMostRoutes = 200, kShown = 12;
constexpr std::string_view kOthers = "other routes";

}  // namespace

RunSummary::Route& RunSummary::route_of(std::string_view route, std::string_view target) {
  if (route.empty()) route = target.substr(0, std::min(target.find('?'), std::size_t{80}));
  if (const auto at = routes_.find(route); at != routes_.end()) return at->second;
  return routes_[std::string(routes_.size() < kMostRoutes ? route : kOthers)];
}

void RunSummary::count(Route& route, std::span<const limits::Verdict> verdicts) {
  for (const limits::Verdict& v : verdicts) {
    const bool violation = v.enforced && report::is_violation_code(v.code);
    ++route.told[{v.code, violation}];
    ++(violation ? violations_ : warnings_);
  }
}

void RunSummary::on_event(const event::Stamp& stamp, const event::Event& event) {
  if (std::holds_alternative<event::RunStarted>(event)) first_ = stamp.at;
  last_ = stamp.at;
  if (const auto* e = std::get_if<event::BackgroundWork>(&event))
    count(route_of(e->route, e->file), e->verdicts);
  const auto* e = std::get_if<event::InvocationEnded>(&event);
  if (e == nullptr) return;
  if (event::let_pass(*e)) return;  // the request that it stood before counts itself
  const bool asked = e->traffic != event::Traffic::internal && e->traffic != event::Traffic::direct;
  if (!asked && e->verdicts.empty()) return;
  Route& route = route_of(e->route, e->target);
  ++route.requests;
  ++requests_;
  count(route, e->verdicts);
}

std::string RunSummary::text(std::string_view events_file) const {
  if (requests_ == 0) return {};
  std::string out =
      fmt::format("\n{} to {} in {}: {}", counted(requests_, "request"),
                  routes_.contains(kOthers) ? fmt::format("more than {} routes", kMostRoutes)
                                            : counted(routes_.size(), "route"),
                  human_duration(last_ - first_),
                  violations_ == 0 ? std::string("no violation") : counted(violations_, "violation"));
  if (warnings_ > 0) out += ", " + counted(warnings_, "warning");
  out += "\n";
  std::vector<const std::pair<const std::string, Route>*> told;
  for (const auto& one : routes_)
    if (!one.second.told.empty()) told.push_back(&one);
  const auto times_told = [](const auto* one) {
    std::size_t n = 0;
    for (const auto& [what, times] : one->second.told) n += times;
    return n;
  };
  std::stable_sort(told.begin(), told.end(),
                   [&](const auto* a, const auto* b) { return times_told(a) > times_told(b); });
  for (std::size_t i = 0; i < std::min(told.size(), kShown); ++i) {
    out += fmt::format("  {}  {}", plain(told[i]->first), counted(told[i]->second.requests, "request"));
    for (const auto& [what, times] : told[i]->second.told)
      out += fmt::format("  {} {} {}", what.second ? "✗" : "!", limits::info(what.first).name,
                         report::times(times));
    out += "\n";
  }
  if (told.size() > kShown) out += fmt::format("  and {} more routes\n", told.size() - kShown);
  if (events_file.empty())
    out += told.empty()
               ? ""
               : "  vercel-sim explain CODE says more; run with --events FILE, and `vercel-sim report "
                 "FILE --html report.html` makes a page of it\n";
  else if (events_file != "-")
    out += fmt::format("  vercel-sim report {} --html report.html makes a page of it\n", plain(events_file));
  return out;
}

}  // namespace vsim::cli
