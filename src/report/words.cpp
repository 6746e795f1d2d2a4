#include "report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/civil.hpp"
#include "base/place.hpp"
#include "base/text.hpp"

namespace vsim::report {

std::vector<ProblemGroup> groups(const Run& run) {
  std::vector<ProblemGroup> out;
  for (const Problem& p : run.problems) {
    auto at = std::find_if(out.begin(), out.end(), [&](const ProblemGroup& g) {
      return g.code == p.code && g.violation == is_violation(p);
    });
    if (at == out.end()) at = out.insert(out.end(), ProblemGroup{p.code, is_violation(p), 0, {}});
    at->count += p.count;
    at->places.push_back(&p);
  }
  std::stable_partition(out.begin(), out.end(), [](const ProblemGroup& g) { return g.violation; });
  return out;
}

const Expected* expected(const Problem& p, const Extras& extras) {
  for (const Expected& e : extras.expected)
    if (e.code == p.code && e.route == p.route && e.file == p.file && e.path == p.path) return &e;
  return nullptr;
}

bool foresees(const StaticFinding& f, const Problem& p) {
  if (std::find(f.codes.begin(), f.codes.end(), code_name(p)) == f.codes.end()) return false;
  // A request that no route answers (a refused handshake) has no file: the rule's word is the nearest.
  if (p.file.empty()) return true;
  if (p.file != f.file) return false;
  // The place of lost state is its variable, as check names it; other places are near each other at best.
  return p.code != limits::Code::sim_state_not_shared || p.line == 0 || f.line == 0 || p.line == f.line;
}

std::size_t times_struck(const StaticFinding& f, const Run& run) {
  std::size_t out = 0;
  for (const Problem& p : run.problems) out += foresees(f, p) ? p.count : 0;
  return out;
}

const StaticFinding* foreseen(const Problem& p, const Extras& extras) {
  for (const StaticFinding& f : extras.findings)
    if (foresees(f, p)) return &f;
  return nullptr;
}

std::string_view code_name(const Problem& p) { return limits::info(p.code).name; }

std::string message_of(const Problem& p) {
  std::string out = p.message.empty() ? std::string(limits::info(p.code).title) : p.message;
  if (!p.limit.empty() && !p.measured.empty())
    out += fmt::format(" (limit {}, measured {})", p.limit, p.measured);
  else if (!p.limit.empty() || !p.measured.empty())
    out += p.limit.empty() ? fmt::format(" ({})", p.measured) : fmt::format(" (limit {})", p.limit);
  return out;
}

std::string_view fix_of(const Problem& p) {
  return p.fix.empty() ? limits::info(p.code).fix : std::string_view(p.fix);
}

std::string_view source_of(const Problem& p) {
  return p.from.source.empty() ? limits::info(p.code).source : std::string_view(p.from.source);
}

std::string place_of(const Problem& p) {
  return !p.route.empty() ? p.route : !p.path.empty() ? p.path : !p.file.empty() ? p.file : "the project";
}

std::string file_of(const Problem& p, const Extras& extras) {
  if (p.file.empty()) return {};
  return to_string(Place{extras.prefix + p.file, p.line, p.column});
}

std::string limit_of(const Problem& p) {
  if (p.limit.empty()) return p.measured;
  std::string out = p.limit;
  if (!p.measured.empty()) out += ", measured " + p.measured;
  if (p.limit_key.empty()) return out;
  out += " (" + p.limit_key;
  if (p.from.profile == profile::kSetByUser)
    out += ", set by you";
  else if (!p.from.profile.empty())
    out += ", profile " + p.from.profile;
  if (!p.from.as_of.empty()) out += ", as of " + p.from.as_of;
  return out + ")";
}

std::string request_of(const Problem& p) {
  if (p.method.empty()) return {};
  std::string out = fmt::format("{} {} → ", p.method, p.target);
  out += p.status == 0 ? "no response" : std::to_string(p.status);
  if (!p.instance.empty()) out += " on " + p.instance;
  return out + fmt::format(", {} after the start", human_duration(std::max(p.at, Duration::zero())));
}

std::string docs_of(limits::Code code) { return fmt::format("docs/codes/{}.md", limits::info(code).name); }

std::string times(std::size_t n) { return n == 1 ? "once" : fmt::format("{} times", n); }

std::string iso_time(WallTime wall) {
  const auto [date, time] = civil(wall);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

std::string seconds(Duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  const auto size = ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
  return fmt::format("{}{}.{:03}", ms < 0 ? "-" : "", size / 1000, size % 1000);
}

std::size_t meant(const Run& run, const Extras& extras) {
  std::size_t n = 0;
  for (const Problem& p : run.problems)
    if (is_violation(p) && expected(p, extras) != nullptr) n += p.count;
  return n;
}

std::string headline(const Run& run, const Extras& extras) {
  std::string out = run.violations() == 0 ? "no violation" : counted(run.violations(), "violation");
  if (const std::size_t n = meant(run, extras); n > 0) out += fmt::format(" ({} expected)", n);
  if (run.warnings() > 0) out += ", " + counted(run.warnings(), "warning");
  return out;
}

std::string told(const Deployment& d) {
  std::string out =
      fmt::format("Deployment {} after {} met {} and {}", d.came.deployment, human_duration(d.at),
                  counted(d.came.sockets, "socket"), counted(d.came.streams, "stream"));
  const auto& s = d.score;
  if (!d.scored) return out + "; the events end before it was known how they went on.";
  std::string went;
  const auto part = [&](std::size_t n, const std::string& what) {
    if (n > 0) went += fmt::format("{}{} {}", went.empty() ? ": " : ", ", n, what);
  };
  part(s.reconnected, fmt::format("came back (slowest {})", human_duration(s.slowest)));
  part(s.ended, "had ended");
  part(s.left, "left");
  part(s.lost, s.lost == 1 ? "was lost" : "were lost");
  part(s.open, "still open");
  return out + went + ".";
}

std::string switched(const Run& run) {
  std::string out, profile = run.profile;
  double scale = run.time_scale;
  for (const SwitchRecord& s : run.switches) {
    const std::string when = fmt::format(" after {}", human_duration(s.at));
    const auto say = [&](const std::string& what) {
      out.append(out.empty() ? "Switched to " : ", to ").append(what).append(when);
    };
    if (s.profile != profile) say(s.profile);
    if (s.time_scale != scale) say(fmt::format("time scale {:g}x", s.time_scale));
    if (s.profile == profile && s.time_scale == scale) say("other values of " + s.profile);
    profile = s.profile;
    scale = s.time_scale;
  }
  return out.empty() ? out : out + ".";
}

std::string ending(const Run& run) {
  if (!run.stopped) return "The events end before the run did: it was cut off, or its recording was.";
  if (run.crashes > 0) return fmt::format("The app stopped by itself {}.", times(run.crashes));
  return {};
}

std::string xml(std::string_view text) {
  constexpr std::string_view kNoCharacter = "\xEF\xBF\xBD";  // for what XML cannot hold
  constexpr std::string_view kSpecial = "&<>\"'";
  constexpr std::string_view kEntities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    const char c = text.front();
    const auto u = static_cast<unsigned char>(c);
    if (n == 0)
      out += kNoCharacter;
    else if (const std::size_t at = kSpecial.find(c); at != std::string_view::npos)
      out += kEntities[at];
    else if (c == '\n' || c == '\t')
      out += fmt::format("&#{};", static_cast<int>(c));
    else if (u < 0x20 || u == 0x7f)
      out += kNoCharacter;
    else if (n == 3 && (text.substr(0, 3) == "\xEF\xBF\xBE" || text.substr(0, 3) == "\xEF\xBF\xBF"))
      out += kNoCharacter;  // U+FFFE and U+FFFF are no characters of XML
    else
      out += text.substr(0, n);
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

std::string markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += ' ';
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (std::string_view("\\`*_{}[]()#|~!@$").find(c) != std::string_view::npos)
      out.append(1, '\\').push_back(c);
    else
      out += c;
  }
  return out;
}

}  // namespace vsim::report
