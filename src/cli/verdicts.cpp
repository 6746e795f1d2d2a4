#include "cli/verdicts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "check/rule.hpp"
#include "limits/code.hpp"

namespace vsim::cli {
namespace {

std::string_view without_line(std::string_view file) { return file.substr(0, file.find(':')); }

// What an app or a client sent must not drive the terminal.
std::string tame(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

std::string times(std::size_t n) { return n == 1 ? "once" : fmt::format("{} times", n); }
std::string number(std::size_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

std::string place(const Violation& v) {
  std::string out = v.route.empty() ? v.target : v.route;
  if (!v.file.empty()) out += (out.empty() ? "" : "  ") + v.file;
  return tame(out);
}

void row(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out += fmt::format("    {:<9}{}\n", name, text);
}

void one(std::string& out, const Violation& v) {
  const auto& info = limits::info(v.code);
  out += fmt::format("\n  {} {}  {}{}\n", v.enforced ? "✗" : "!", info.name, times(v.count),
                     v.enforced ? "" : ", observed only");
  out += fmt::format("    {}\n", v.message.empty() ? std::string(info.title) : tame(v.message));
  if (!v.limit.empty()) {
    std::string limit = v.limit;
    if (!v.measured.empty()) limit += ", measured " + v.measured;
    if (!v.limit_key.empty())
      limit += fmt::format("  ({}, profile {}{}{})", v.limit_key, v.profile,
                           v.as_of.empty() ? "" : ", as of ", v.as_of);
    row(out, "limit", limit);
  }
  row(out, "route", place(v));
  row(out, "fix", v.fix.empty() ? std::string(info.fix) : v.fix);
  if (v.finding != nullptr)
    row(out, "check", fmt::format("{} said so: {}:{}", v.finding->rule, v.finding->file, v.finding->line));
}

}  // namespace

void Verdicts::on_event(const event::Stamp&, const event::Event& event) {
  if (const auto* e = std::get_if<event::AppChanged>(&event)) {
    if (e->state == event::AppState::crashed) ++crashes_;
    return;
  }
  if (const auto* e = std::get_if<event::Notice>(&event)) {
    // A notice with a code is a verdict on the project itself: this deployment would fail.
    const limits::Code code = limits::find_code(e->code);
    if (code == limits::Code::none) return;
    Violation v;
    v.code = code;
    v.enforced = e->level == event::Level::error;
    v.file = e->line > 0 ? fmt::format("{}:{}", e->file, e->line) : std::string(e->file);
    v.message = e->message;
    v.fix = e->fix;
    return add(std::move(v));
  }
  if (const auto* e = std::get_if<event::BackgroundWork>(&event)) {
    for (const limits::Verdict& said : e->verdicts) add(said, e->route, e->file, {});
    return;
  }
  const auto* e = std::get_if<event::InvocationEnded>(&event);
  if (e == nullptr || e->traffic == event::Traffic::internal) return;
  ++requests_;
  if (e->traffic == event::Traffic::invocation || e->traffic == event::Traffic::socket) ++invocations_;
  for (const limits::Verdict& said : e->verdicts) add(said, e->route, e->file, e->target);
}

void Verdicts::add(const limits::Verdict& said, std::string_view route, std::string_view file,
                   std::string_view target) {
  Violation v;
  v.code = said.code;
  v.enforced = said.enforced;
  v.route = said.route.empty() ? std::string(route) : said.route;
  v.file = said.file.empty() ? std::string(file) : said.file;
  v.target = target.substr(0, 160);
  v.limit_key = said.limit_key;
  v.limit = said.limit;
  v.measured = said.measured;
  v.fix = said.fix;
  if (said.provenance != nullptr) {
    v.profile = said.provenance->profile;
    v.as_of = said.provenance->as_of;
  }
  add(std::move(v));
}

void Verdicts::add(Violation v) {
  v.meant = expectations_.match(v.code, v.route, v.file, v.target);
  const auto path = [](const Violation& x) {
    return std::string_view(x.target).substr(0, x.target.find('?'));
  };
  for (Violation& seen : violations_) {
    if (seen.code != v.code || seen.enforced != v.enforced || seen.route != v.route || seen.file != v.file ||
        seen.meant != v.meant || seen.message != v.message || (v.route.empty() && path(seen) != path(v)))
      continue;
    ++seen.count;
    return;
  }
  v.count = 1;
  violations_.push_back(std::move(v));
}

void Verdicts::merge(const check::Report& report) {
  for (Violation& v : violations_) {
    const std::string_view code = limits::info(v.code).name;
    for (const check::Finding& f : report.findings) {
      const check::Rule* rule = check::find_rule(f.rule);
      if (rule == nullptr || std::find(rule->see.begin(), rule->see.end(), code) == rule->see.end()) continue;
      // A request that no route answers (a refused handshake) has no file: the rule's word is the nearest.
      if (!v.file.empty() && without_line(v.file) != f.file) continue;
      v.finding = &f;
      break;
    }
  }
}

std::size_t Verdicts::failing() const {
  return static_cast<std::size_t>(
      std::count_if(violations_.begin(), violations_.end(),
                    [](const Violation& v) { return v.enforced && v.meant == nullptr; }));
}

std::string render_summary(const Verdicts& verdicts, const check::Report& report, const Outline& o) {
  const auto& all = verdicts.violations();
  std::string out = fmt::format(
      "\nvercel-sim test: {} (profile {}, as of {})\n",
      verdicts.failing() == 0 ? "no violation" : number(verdicts.failing(), "violation", "violations"),
      o.profile, o.as_of);
  for (const Violation& v : all)
    if (v.meant == nullptr) one(out, v);

  bool any = false;
  for (const Violation& v : all) {
    if (v.meant == nullptr) continue;
    if (!std::exchange(any, true)) out += fmt::format("\n  meant, as {} says:\n", o.config_file);
    out += fmt::format("  ✓ {}  {}  {}{}{}\n", limits::info(v.code).name, place(v), times(v.count),
                       v.meant->reason.empty() ? "" : ": ", v.meant->reason);
  }

  // What only `check` said: nothing of it struck in this run.
  std::vector<const check::Finding*> silent;
  for (const check::Finding& f : report.findings) {
    const bool struck =
        std::any_of(all.begin(), all.end(), [&](const Violation& v) { return v.finding == &f; });
    if (!struck && f.severity >= check::Severity::warning) silent.push_back(&f);
  }
  if (!silent.empty()) {
    out += "\n  from the sources, not seen to strike in this run (vercel-sim check tells more):\n";
    constexpr std::size_t kShown = 10;
    for (std::size_t i = 0; i < std::min(silent.size(), kShown); ++i)
      out += fmt::format("  {} {}:{}  {}  {}\n", silent[i]->severity == check::Severity::error ? "✗" : "!",
                         silent[i]->file, silent[i]->line, silent[i]->rule, silent[i]->message);
    if (silent.size() > kShown) out += fmt::format("    and {} more\n", silent.size() - kShown);
  }

  const auto stale = o.stale_matters ? verdicts.expectations().stale() : std::vector<const Expectation*>();
  if (!stale.empty()) out += "\n";
  for (const Expectation* e : stale)
    out += fmt::format(
        "warning: {}:{}: {} at {} is expected and did not strike\n  fix: remove the entry if it is mended; "
        "keep it if these tests do not go there\n",
        o.config_file, e->line, limits::info(e->code).name, e->route);

  out += "\n";
  const auto line = [&](std::string_view name, std::string_view text) {
    out += fmt::format("  {:<11}{}\n", name, text);
  };
  constexpr std::size_t kLongest = 100;  // of a command: a script in an argument is known to who wrote it
  const bool cut = o.command.size() > kLongest || o.command.find('\n') != std::string::npos;
  const std::string_view command =
      std::string_view(o.command).substr(0, std::min(kLongest, o.command.find('\n')));
  if (!o.command_end.empty())
    line("command", fmt::format("{}{}: {}", tame(command), cut ? " …" : "", o.command_end));
  line("requests", fmt::format("{}, {} of functions", verdicts.requests(), verdicts.invocations()));
  if (verdicts.crashes() > 0) line("app", fmt::format("it ended {} by itself", times(verdicts.crashes())));
  line("seed", fmt::format("{} (repeat with --seed {})", o.seed, o.seed));
  line("exit code", o.exit_reason.empty() ? std::to_string(o.exit_code)
                                          : fmt::format("{}: {}", o.exit_code, o.exit_reason));
  if (!o.command_end.empty() && verdicts.requests() == 0)
    out += fmt::format(
        "warning: the command sent no request through vercel-sim, so nothing was tested\n"
        "  fix: let it ask {} (BASE_URL in its environment)\n",
        o.url);
  return out;
}

}  // namespace vsim::cli
