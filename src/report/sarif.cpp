// SARIF 2.1.0: one result for each problem (not for each time it struck) and for each finding of `check`.
// GitHub takes a result only with a place, a path in the repository and a line: what is of the run as a
// whole, or of a file that is none of the project's, stands at the project's package.json.
#include <fmt/format.h>

#include <algorithm>

#include "base/place.hpp"
#include "base/sarif.hpp"
#include "base/text.hpp"
#include "report/words.hpp"

namespace vsim::report {
namespace {

std::string location(const std::string& file, int line, int column, int length, std::string_view prefix) {
  if (!is_in_project(file)) return location("package.json", 1, 0, 1, prefix);
  return sarif::locations(std::string(prefix) + file, line, column, length);
}

std::string properties_of(const Problem& p, const StaticFinding* said) {
  std::string properties;
  const auto property = [&](std::string_view name, std::string_view value) {
    if (!value.empty())
      properties +=
          fmt::format("{}{}: {}", properties.empty() ? "" : ", ", json_string(name), json_string(value));
  };
  property("route", p.route);
  property("firstRequest", request_of(p));
  property("limitKey", p.limit_key);
  property("limit", p.limit);
  property("measured", p.measured);
  property("source", source_of(p));
  property("profile", p.from.profile);
  property("asOf", p.from.as_of);
  if (said != nullptr) property("foreseenBy", said->rule);
  return properties.empty() ? properties : ", \"properties\": {" + properties + "}";
}

}  // namespace

std::string render_sarif(const Run& run, const Extras& extras) {
  std::vector<std::string> rules;
  std::vector<std::string> ids;
  const auto index_of = [&](std::string_view id, const auto& make) {
    const auto at = std::find(ids.begin(), ids.end(), id);
    if (at != ids.end()) return static_cast<std::size_t>(at - ids.begin());
    ids.emplace_back(id);
    rules.push_back("        " + make());
    return ids.size() - 1;
  };
  std::vector<std::string> results;

  for (const Problem& p : run.problems) {
    const auto& info = limits::info(p.code);
    const std::string_view level = is_violation(p) ? "error" : "warning";
    const std::size_t index = index_of(info.name, [&] {
      return sarif::rule(info.name, info.title, info.why, info.fix, info.source, "error");
    });
    std::string text =
        fmt::format("{} {}: {}. Fix: {}", place_of(p), times(p.count), message_of(p), fix_of(p));
    const StaticFinding* said = foreseen(p, extras);
    if (said != nullptr)
      text += fmt::format(" vercel-sim check had said so: {} at {}{}:{}.", said->rule, extras.prefix,
                          said->file, said->line);
    std::string one = fmt::format(
        "      {{\"ruleId\": {}, \"ruleIndex\": {}, \"level\": \"{}\", \"message\": {{\"text\": {}}}, "
        "\"locations\": {}, \"occurrenceCount\": {}",
        json_string(info.name), index, level, json_string(text),
        location(p.file, p.line, p.column, 1, extras.prefix), p.count);
    if (const Expected* e = expected(p, extras))
      one += fmt::format(", \"suppressions\": [{{\"kind\": \"external\", \"justification\": {}}}]",
                         json_string(e->reason.empty() ? std::string("expected") : e->reason));
    one += properties_of(p, said);
    results.push_back(one + "}");
  }

  for (const StaticFinding& f : extras.findings) {
    const std::size_t index =
        index_of(f.rule, [&] { return sarif::rule(f.rule, f.title, f.explanation, f.fix, f.docs, f.level); });
    std::string seen;
    for (const Problem& p : run.problems)
      if (seen.empty() && foresees(f, p))
        seen = fmt::format("{} at {}, {}", code_name(p), place_of(p), times(p.count));
    std::string text = f.message;
    if (!seen.empty()) text += fmt::format(" Seen to strike in this run: {}.", seen);
    std::string one = fmt::format(
        "      {{\"ruleId\": {}, \"ruleIndex\": {}, \"level\": {}, \"message\": {{\"text\": {}}}, "
        "\"locations\": {}, \"properties\": {{\"struck\": {}{}}}}}",
        json_string(f.rule), index, json_string(f.level), json_string(text),
        location(f.file, f.line, f.column, f.length, extras.prefix), seen.empty() ? "false" : "true",
        seen.empty() ? "" : ", \"struckAs\": " + json_string(seen));
    results.push_back(std::move(one));
  }

  std::string out(sarif::kBegin);
  if (!run.version.empty()) out += fmt::format(", \"version\": {}", json_string(run.version));
  out += fmt::format(", \"rules\": [{}{}{}]}}}},\n", rules.empty() ? "" : "\n", fmt::join(rules, ",\n"),
                     rules.empty() ? "" : "\n    ");
  out += fmt::format(
      "    \"invocations\": [{{\"executionSuccessful\": {}, \"startTimeUtc\": {}}}],\n    \"properties\": "
      "{{\"profile\": {}, \"profileAsOf\": {}, \"isolation\": {}}},\n",
      run.stopped ? "true" : "false", json_string(iso_time(run.started)), json_string(run.profile),
      json_string(run.profile_as_of), json_string(run.isolation));
  out += fmt::format("    \"results\": [{}{}{}]\n  }}]\n}}\n", results.empty() ? "" : "\n",
                     fmt::join(results, ",\n"), results.empty() ? "" : "\n    ");
  return out;
}

}  // namespace vsim::report
