#include "routes/resolve.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace vsim::routes {
namespace {

constexpr double kLongest =
    1e9;  // seconds, about 31 years: larger values would overflow nanoseconds and mean the same

Duration to_duration(double seconds) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::clamp(seconds, -kLongest, kLongest)));
}

// The nearest file of the chain (the page itself, then its layouts) that says something.
template <class Member>
auto nearest(const SourceConfigs& configs, const RouteFile& f, Member member)
    -> std::pair<const typename std::remove_reference_t<decltype(std::declval<SourceConfig>().*member)>*,
                 const std::string*> {
  const auto look = [&](const std::string& file) {
    const auto found = configs.find(file);
    return found != configs.end() && found->second.*member ? &(found->second.*member) : nullptr;
  };
  if (const auto* own = look(f.file)) return {own, &f.file};
  for (const std::string& layout : f.layouts)
    if (const auto* inherited = look(layout)) return {inherited, &layout};
  return {nullptr, nullptr};
}

}  // namespace

Resolved resolve(Conventions conventions, const SourceConfigs& configs, const VercelJson* vercel) {
  Resolved out;
  out.findings = std::move(conventions.findings);
  std::set<std::string> used;
  for (RouteFile& file : conventions.files) {
    const auto own = configs.find(file.file);
    if (file.metadata && own != configs.end()) finish_metadata_route(file, own->second.has_ids);
    Function f;
    f.route = file.route;
    f.kind = file.kind;
    f.file = file.file;
    f.page = file.page;
    f.metadata = file.metadata;
    if (const auto [runtime, from] = nearest(configs, file, &SourceConfig::runtime); runtime != nullptr) {
      f.runtime = (*runtime)->value;
    } else if (file.kind == Kind::middleware && !file.page.ends_with("/proxy")) {
      f.runtime =
          Runtime::edge;  // middleware.ts runs there unless it says otherwise; proxy.ts is Node.js only
    }
    if (file.kind == Kind::middleware && file.page.ends_with("/proxy")) f.runtime = Runtime::nodejs;
    const auto [dynamic, by] = nearest(configs, file, &SourceConfig::dynamic);
    f.forced_dynamic = dynamic != nullptr && (*dynamic)->value == "force-dynamic";
    const auto [seconds, from] = nearest(configs, file, &SourceConfig::max_duration);
    const FunctionSettings* settings = vercel != nullptr ? find_settings(*vercel, file.file) : nullptr;
    if (seconds != nullptr) {
      f.max_duration = MaxDuration{false, to_duration((*seconds)->value), *from, (*seconds)->line};
    } else if (settings != nullptr && settings->max) {
      f.max_duration = MaxDuration{true, {}, vercel->file, settings->max_duration_line};
    } else if (settings != nullptr && settings->max_duration) {
      f.max_duration = MaxDuration{false, std::chrono::seconds(*settings->max_duration), vercel->file,
                                   settings->max_duration_line};
    }
    if (settings != nullptr) {
      f.supports_cancellation = settings->supports_cancellation.value_or(false);
      used.insert(settings->pattern);
    }
    out.functions.push_back(std::move(f));
  }
  for (const auto& [name, config] : configs)
    out.findings.insert(out.findings.end(), config.findings.begin(), config.findings.end());
  if (vercel != nullptr) {
    out.findings.insert(out.findings.end(), vercel->findings.begin(), vercel->findings.end());
    for (const FunctionSettings& s : vercel->functions) {
      if (used.contains(s.pattern)) continue;
      out.findings.push_back(
          {RouteSeverity::warning, vercel->file, s.line, 0,
           fmt::format(
               "The pattern \"{}\" defined in `functions` doesn't match any function of this project.",
               s.pattern),
           "Patterns are matched against source files, such as app/api/hello/route.ts, and need the src/ "
           "prefix when there is one; "
           "an earlier pattern that matches takes precedence."});
    }
  }
  return out;
}

std::vector<OverPlan> over_plan(const std::vector<Function>& functions, Duration plan_max,
                                std::string_view plan_name, const VercelJson* vercel) {
  std::vector<OverPlan> out;
  if (plan_max == kForever) return out;
  const auto most = std::chrono::duration_cast<std::chrono::seconds>(plan_max).count();
  const auto fits = [&](Duration d) { return d >= std::chrono::seconds(1) && d <= plan_max; };
  const std::string json_words = fmt::format(
      "The value for maxDuration must be between 1 second and {} seconds, in order to increase this limit "
      "upgrade your plan: "
      "https://vercel.com/pricing",
      most);
  for (const Function& f : functions) {
    if (!f.max_duration || f.max_duration->max || f.runtime == Runtime::edge || f.kind == Kind::middleware)
      continue;
    const MaxDuration& d = *f.max_duration;
    if (fits(d.value)) continue;
    OverPlan o{f.route, d.file, d.line, d.value, json_words};
    if (!d.file.ends_with("vercel.json")) {
      o.message = fmt::format(
          "Builder returned invalid maxDuration value for Serverless Function \"{}\". Serverless Functions "
          "must have a "
          "maxDuration between 1 and {} for plan {}.",
          vercel_function_name(f.route), most, plan_name);
    }
    out.push_back(std::move(o));
  }
  if (vercel != nullptr) {
    for (const FunctionSettings& s : vercel->functions) {
      if (!s.max_duration || fits(std::chrono::seconds(*s.max_duration))) continue;
      out.push_back(
          {s.pattern, vercel->file, s.max_duration_line, std::chrono::seconds(*s.max_duration), json_words});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const OverPlan& a, const OverPlan& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  // One wrong line of vercel.json may concern many functions; Vercel says it once. A layout's may too, but
  // each function is named.
  const auto same = [](const OverPlan& a, const OverPlan& b) {
    return a.file == b.file && a.line == b.line && a.message == b.message;
  };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  return out;
}

std::string vercel_function_name(std::string_view route) {
  while (route.starts_with('/')) route.remove_prefix(1);
  return route.empty() ? "index" : std::string(route);
}

}  // namespace vsim::routes
