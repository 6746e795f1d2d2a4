// JUnit XML as Jenkins, GitLab and GitHub actions read it: one test case for each function that ran and had
// nothing said of it, one for each code that struck somewhere. At most one <failure> or <skipped> in a case.
// Jenkins' xUnit plugin refuses what its schema (junit-10.xsd) does not know: no `file` in a case, no
// `skipped` of all suites.
#include <fmt/format.h>

#include <algorithm>

#include "report/words.hpp"

namespace vsim::report {
namespace {

std::string details(const Problem& p, const Extras& extras) {
  const auto& info = limits::info(p.code);
  std::string out = fmt::format("{}, {}\n", message_of(p), times(p.count));
  const auto line = [&](std::string_view name, std::string_view text) {
    if (!text.empty()) out += fmt::format("{}: {}\n", name, text);
  };
  line("route", p.route);
  line("file", file_of(p, extras));
  line("limit", limit_of(p));
  line("first", request_of(p));
  line("why", info.why);
  line("fix", fix_of(p));
  line("source", source_of(p));
  if (const StaticFinding* f = foreseen(p, extras))
    line("check", fmt::format("{} said so: {}{}:{}", f->rule, extras.prefix, f->file, f->line));
  return out;
}

std::string class_name(const std::string& file, const Extras& extras) {
  return file.empty() ? "vercel-sim" : extras.prefix + file;
}

}  // namespace

std::string render_junit(const Run& run, const Extras& extras) {
  std::string cases, notes;
  std::size_t tests = 0, failures = 0, skipped = 0;
  Duration time{};
  const auto open = [&](std::string_view name, const std::string& file, Duration took) {
    ++tests;
    time += took;
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
                         xml(class_name(file, extras)), xml(name), seconds(took));
  };
  for (const Route& r : run.routes) {
    const bool failed = std::any_of(run.problems.begin(), run.problems.end(), [&](const Problem& p) {
      return is_violation(p) && p.route == r.route;  // its file may be another: where the work began
    });
    if (failed) continue;
    open(r.route, r.file, r.charged);
    cases += "/>\n";
  }
  for (const Problem& p : run.problems) {
    const auto& info = limits::info(p.code);
    if (!is_violation(p)) {
      notes += fmt::format("{} {}: {}", info.name, place_of(p), details(p, extras));
      continue;
    }
    Duration took{};
    for (const Route& r : run.routes)
      if (!p.route.empty() && r.route == p.route) took = r.charged;
    open(fmt::format("{}: {}", place_of(p), info.name), p.file, took);
    cases += ">\n";
    if (const Expected* e = expected(p, extras)) {
      ++skipped;
      cases += fmt::format("      <skipped message=\"{}\"/>\n",
                           xml("expected" + (e->reason.empty() ? std::string() : ": " + e->reason)));
    } else {
      ++failures;
      cases += fmt::format("      <failure message=\"{}\" type=\"{}\">{}</failure>\n", xml(message_of(p)),
                           info.name, xml(details(p, extras)));
    }
    cases += "    </testcase>\n";
  }
  for (const NoticeRecord& n : run.notices)
    if (n.level != event::Level::info) notes += fmt::format("{}: {}\n", to_string(n.level), n.message);

  const auto counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{}\"", tests, failures, seconds(time));
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites name=\"vercel-sim\" {}>\n", counts);
  // The schemas that are in use want a time without a zone: it is UTC.
  out += fmt::format(
      "  <testsuite name=\"vercel-sim {}\" {} skipped=\"{}\" timestamp=\"{}\" hostname=\"localhost\">\n",
      xml(run.profile), counts, skipped, iso_time(run.started).substr(0, 19));
  out += "    <properties>\n";
  const auto property = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, xml(value));
  };
  property("version", run.version);
  property("profile", run.profile);
  property("profile_as_of", run.profile_as_of);
  property("isolation", run.isolation);
  property("time_scale", fmt::format("{}", run.time_scale));
  property("command", run.command);
  out += "    </properties>\n" + cases;
  out += fmt::format("    <system-out>{}</system-out>\n    <system-err>{}</system-err>\n", xml(notes),
                     xml(ending(run)));
  return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace vsim::report
