#include "check/checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/text.hpp"
#include "check/ignore.hpp"
#include "check/predicates.hpp"
#include "profile/diagnostic.hpp"

namespace vsim::check {
namespace {

std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, std::min(text.find('\n'), text.size()));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

bool applies(const Rule& rule, const File& file) {
  for (const std::string& w : rule.where) {
    if (w == "request" && file.request) return true;
    if (w == "server" && file.server) return true;
    if (w == "custom-server" && file.custom_server) return true;
    if (w == "client" && (file.client || !file.server)) return true;
    if (w == "config" && file.ast->path().starts_with("next.config.")) return true;
    if (w == "edge" && !file.edge_entry.empty()) return true;
  }
  return false;
}

class RuleRun {
 public:
  RuleRun(const Input& input, const profile::Profile& profile, const Bounds& bounds, Queries& queries)
      : input_(input), profile_(profile), bounds_(bounds), queries_(queries), program_(input, bounds) {
    unfinished_.insert(program_.unfinished().begin(), program_.unfinished().end());
  }

  Report run(std::string_view only) {
    for (const Rule& rule : rules()) {
      if (!only.empty() && rule.id != only) continue;
      const Severity severity = rule.severity(profile_.compute.value);
      if (severity == Severity::off) continue;
      if (rule.query.empty())
        durations(rule, severity);
      else
        search(rule, severity);
    }
    ignores();
    auto& all = report_.findings;
    std::sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) {
      return std::tie(a.file, a.line, a.column, a.rule) < std::tie(b.file, b.line, b.column, b.rule);
    });
    all.erase(std::unique(all.begin(), all.end(),
                          [](const Finding& a, const Finding& b) {
                            return a.rule == b.rule && a.file == b.file && a.line == b.line &&
                                   a.column == b.column;
                          }),
              all.end());
    say_once();
    report_.files = program_.files().size();
    report_.unfinished.assign(unfinished_.begin(), unfinished_.end());
    return std::move(report_);
  }

 private:
  void search(const Rule& rule, Severity severity) {
    unsigned grammars = 0;
    for (const auto& [path, file] : program_.files())
      if (applies(rule, file)) grammars |= file.ast->typescript() ? Query::typescript : Query::tsx;
    if (grammars == 0) return;
    const Query& query = queries_.of(rule.query, grammars);
    for (const auto& entry : program_.files()) {  // not by name: clang 14 captures no structured binding
      const std::string& path = entry.first;
      const File& file = entry.second;
      if (!applies(rule, file) || is_over(path)) continue;
      const auto begin = elapsed();
      query.run(
          *file.ast,
          [&](const Captures& captures, const std::vector<Predicate>& predicates) {
            const auto at = captures.find("at");
            if (at == captures.end()) return;
            Match match{program_, file, *file.ast, captures, profile_};
            for (const Predicate& p : predicates)
              if (!holds(match, p)) return;
            std::string message = rule.message;
            replace(message, "{detail}", match.detail);
            for (const auto& [name, node] : captures)
              replace(message, "{" + name + "}", file.ast->text(node));
            Finding& f = add(rule.id, severity, file, at->second, std::move(message));
            if (const auto name = captures.find("name"); name != captures.end())
              f.name = file.ast->text(name->second);
            f.detail = std::move(match.detail);
          },
          [&] { return is_over(path, begin); });
      spent_[path] += elapsed() - begin;
    }
  }

  std::chrono::milliseconds elapsed() const {
    return bounds_.elapsed ? bounds_.elapsed() : std::chrono::milliseconds();
  }
  // Whether the time of a file, or of all, is over; `begin`: of the rule that looks at it now.
  bool is_over(const std::string& path, std::optional<std::chrono::milliseconds> begin = {}) {
    const auto now = elapsed();
    if (now <= bounds_.run && spent_[path] + (now - begin.value_or(now)) <= bounds_.file) return false;
    unfinished_.insert(path);
    return true;
  }

  static void replace(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + with.size()))
      text.replace(i, what.size(), with);
  }

  Finding& add(std::string rule, Severity severity, const File& file, int node, std::string message) {
    const std::string_view text = input_.files.find(file.ast->path())->second;
    Finding f{std::move(rule), severity, file.ast->path()};
    f.line = file.ast->line(node);
    f.source_line = line_of(text, f.line);
    const auto byte = static_cast<std::size_t>(routes::Syntax::column(file.ast->node(node)) - 1);
    const std::string_view rest =
        std::string_view(f.source_line).substr(std::min(byte, f.source_line.size()));
    const std::string_view token = file.ast->text(node).substr(0, file.ast->text(node).find('\n'));
    f.column = profile::characters(f.source_line, byte) + 1;
    f.length = std::max(1, profile::characters(rest, std::min(token.size(), rest.size())));
    f.message = std::move(message);
    return report_.findings.emplace_back(std::move(f));
  }

  // What a rule says once: at its first place, which names the next ones.
  void say_once() {
    constexpr std::size_t kNamed = 3;
    auto& all = report_.findings;
    std::vector<Finding> kept;
    std::map<std::pair<std::string, std::string>, std::pair<std::size_t, std::vector<std::string>>> places;
    for (Finding& f : all) {
      const Rule* rule = find_rule(f.rule);
      if (rule == nullptr || !rule->once) {
        kept.push_back(std::move(f));
        continue;
      }
      const auto [it, first] =
          places.try_emplace({f.rule, f.message}, kept.size(), std::vector<std::string>());
      if (first)
        kept.push_back(std::move(f));
      else
        it->second.second.push_back(fmt::format("{}:{}", f.file, f.line));
    }
    for (auto& [_, at] : places) {
      auto& [index, others] = at;
      if (others.empty()) continue;
      const std::size_t more = others.size() - std::min(others.size(), kNamed);
      others.resize(std::min(others.size(), kNamed));
      kept[index].message += fmt::format(" (also at {}{})", fmt::join(others, ", "),
                                         more > 0 ? fmt::format(" and {} more places", more) : "");
    }
    all = std::move(kept);
  }

  void durations(const Rule& rule, Severity severity) {
    const auto& vercel = program_.vercel();
    for (const routes::OverPlan& o :
         routes::over_plan(program_.functions(), profile_.duration_extended_max.value,
                           profile::to_string(profile_.plan.value), vercel ? &*vercel : nullptr)) {
      Finding f{rule.id, severity, o.file};
      f.line = o.line;
      if (const auto it = input_.files.find(o.file); it != input_.files.end())
        f.source_line = line_of(it->second, o.line);
      const std::size_t first = f.source_line.find_first_not_of(" \t");
      f.column = first == std::string::npos ? 0 : profile::characters(f.source_line, first) + 1;
      const std::size_t last = f.source_line.find_last_not_of(" \t");
      if (f.column > 0)
        f.length = profile::characters(std::string_view(f.source_line).substr(first), last - first + 1);
      f.message = rule.message;
      replace(f.message, "{detail}", o.message);
      replace(f.message, "{asked}", format_duration(o.asked));
      replace(f.message, "{most}", format_duration(profile_.duration_extended_max.value));
      report_.findings.push_back(std::move(f));
    }
  }

  void ignores() {
    std::vector<std::string_view> known;
    for (const Rule& r : rules()) known.push_back(r.id);
    std::vector<Finding> kept;
    std::map<std::string, std::vector<Ignore>, std::less<>> all;
    for (const auto& [path, file] : program_.files())
      if (auto list = read_ignores(*file.ast); !list.empty()) all.emplace(path, std::move(list));
    for (Finding& f : report_.findings) {
      bool silent = false;
      if (const auto it = all.find(f.file); it != all.end())
        for (Ignore& i : it->second)
          if (i.rule == f.rule && (i.target == f.line || i.line == f.line)) {
            i.used = true;
            silent = silent || !i.reason.empty();
          }
      if (silent)
        ++report_.ignored;
      else
        kept.push_back(std::move(f));
    }
    report_.findings = std::move(kept);
    for (const auto& [path, list] : all) {
      const File& file = *program_.find(path);
      for (const Ignore& i : list) {
        const auto say = [&](Severity s, std::string message) {
          add(std::string(kIgnoreId), s, file, i.node, std::move(message));
        };
        const Rule* rule = find_rule(i.rule);
        if (i.rule.empty()) {
          say(Severity::warning, "vercel-sim-ignore needs a rule and a reason");
        } else if (rule == nullptr) {
          const auto near = nearest_name(i.rule, known);
          say(Severity::warning, fmt::format("no rule is called \"{}\"{}", i.rule,
                                             near ? fmt::format(". Did you mean {}?", *near) : ""));
        } else if (i.reason.empty()) {
          say(Severity::warning,
              fmt::format("vercel-sim-ignore {} needs a reason behind it; without one it has no effect",
                          i.rule));
        } else if (!i.used && rule->severity(profile_.compute.value) != Severity::off) {
          say(Severity::note, fmt::format("{} finds nothing here: the ignore can go", i.rule));
        }
      }
    }
  }

  const Input& input_;
  const profile::Profile& profile_;
  const Bounds& bounds_;
  Queries& queries_;
  const Program program_;
  std::map<std::string, std::chrono::milliseconds, std::less<>> spent_;
  std::set<std::string> unfinished_;
  Report report_;
};

}  // namespace

std::size_t Report::count(Severity s) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.severity == s; }));
}

Report check(const Input& input, const profile::Profile& profile, const Bounds& bounds, Queries* queries,
             std::string_view only) {
  Queries own;
  return RuleRun(input, profile, bounds, queries != nullptr ? *queries : own).run(only);
}

}  // namespace vsim::check
