#include "cli/verdicts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "check/rule.hpp"
#include "limits/code.hpp"
#include "report/words.hpp"

namespace vsim::cli {
namespace {

report::StaticFinding finding_of(const check::Finding& f) {
  report::StaticFinding out;
  out.rule = f.rule;
  out.level = check::to_string(f.severity);
  out.file = f.file;
  out.line = f.line;
  out.column = f.column;
  out.length = f.length;
  out.message = f.message;
  if (const check::Rule* rule = check::find_rule(f.rule); rule != nullptr) {
    out.title = rule->title;
    out.explanation = rule->explanation;
    out.fix = rule->fix;
    if (!rule->docs.empty()) out.docs = rule->docs.front();
    for (const std::string& see : rule->see)
      if (limits::find_code(see) != limits::Code::none) out.codes.push_back(see);
  }
  return out;
}

}  // namespace

Judgement judge(const report::Run& run, Expectations& expectations, const check::Report& report,
                std::string prefix) {
  Judgement out;
  out.extras.prefix = std::move(prefix);
  for (const check::Finding& f : report.findings) {
    report::StaticFinding finding = finding_of(f);
    if (report::times_struck(finding, run) == 0 && f.severity >= check::Severity::warning)
      out.silent.push_back(fmt::format("{} {}{}:{}  {}  {}", f.severity == check::Severity::error ? "✗" : "!",
                                       out.extras.prefix, f.file, f.line, f.rule, f.message));
    out.extras.findings.push_back(std::move(finding));
  }
  for (const report::Problem& p : run.problems) {
    const Expectation* meant = expectations.match(p.code, p.route, p.file, p.path);
    if (meant != nullptr) {
      out.extras.expected.push_back(
          {p.code, p.route, p.file, p.path, meant->reason.empty() ? "yes" : meant->reason});
      ++out.meant;
    } else if (report::is_violation(p)) {
      ++out.failing;
    }
  }
  out.stale = expectations.stale();
  return out;
}

std::string render_closing(const report::Run& run, const Judgement& j, const Closing& c) {
  std::string out;
  if (!j.silent.empty()) {
    out += "\nfrom the sources, not seen to strike in this run (vercel-sim check tells more):\n";
    constexpr std::size_t kShown = 10;
    for (std::size_t i = 0; i < std::min(j.silent.size(), kShown); ++i) out += "  " + j.silent[i] + "\n";
    if (j.silent.size() > kShown) out += fmt::format("  and {} more\n", j.silent.size() - kShown);
  }
  if (c.stale_matters && !j.stale.empty()) {
    out += "\n";
    for (const Expectation* e : j.stale)
      out += fmt::format(
          "warning: {}:{}: {} at {} is expected and did not strike\n  fix: remove the entry if it is mended; "
          "keep it if these tests do not go there\n",
          c.config_file, e->line, limits::info(e->code).name, e->route);
  }
  if (c.by_address && !run.command.empty() && run.requests == 0)
    out += fmt::format(
        "\nwarning: the command sent no request through vercel-sim, so nothing was tested\n"
        "  fix: let it ask {} (BASE_URL in its environment)\n",
        run.url);
  out += fmt::format("\nseed {} (repeat with --seed {})\n", c.seed, c.seed);
  if (j.meant > 0)
    out += fmt::format("{} {} meant, as {} says\n", j.meant, j.meant == 1 ? "is" : "are", c.config_file);
  out += fmt::format("exit code {}{}{}\n", c.exit_code, c.exit_reason.empty() ? "" : ": ", c.exit_reason);
  return out;
}

}  // namespace vsim::cli
