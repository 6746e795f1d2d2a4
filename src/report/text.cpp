#include <fmt/format.h>

#include <algorithm>

#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "report/words.hpp"

namespace vsim::report {
namespace {

void row(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out += fmt::format("    {:<9}{}\n", name, plain(text));
}

void place(std::string& out, const Problem& p, const ProblemGroup& group, const Extras& extras) {
  const std::string file = file_of(p, extras);
  row(out, group.places.size() > 1 ? times(p.count) : "route",
      file.empty() || file == place_of(p) ? place_of(p) : place_of(p) + "  " + file);
  row(out, "seen", p.message);
  row(out, p.limit.empty() ? "seen" : "limit", limit_of(p));
  row(out, "first", request_of(p));
  if (const Expected* e = expected(p, extras)) row(out, "meant", e->reason);
  for (const StaticFinding& f : extras.findings)
    if (foresees(f, p))
      row(out, "check",
          fmt::format("{} at {}{}:{}: struck {} here", f.rule, extras.prefix, f.file, f.line,
                      times(p.count)));
}

}  // namespace

std::string render_text(const Run& run, const Extras& extras) {
  std::string out = fmt::format("vercel-sim {}, profile {}", plain(run.version), plain(run.profile));
  if (!run.profile_as_of.empty()) out += fmt::format(" (as of {})", plain(run.profile_as_of));
  if (!run.isolation.empty()) out += fmt::format(", isolation {}", plain(run.isolation));
  if (run.time_scale != 1) out += fmt::format(", limits divided by {}", run.time_scale);
  out += fmt::format("\n{}: {} of functions", counted(run.requests, "request"), run.invocations);
  if (run.prerenders > 0) out += fmt::format(", {}", counted(run.prerenders, "static page"));
  if (run.direct > 0) out += fmt::format(", {} answered by the app's server itself", run.direct);
  if (run.sockets > 0) out += fmt::format(", {} opened", counted(run.sockets, "WebSocket"));
  if (!run.instances.empty()) out += fmt::format("; {}", counted(run.instances.size(), "instance"));
  out += fmt::format("; {}\n", human_duration(run.length));
  if (run.command_ended)
    out += fmt::format("{} exited with {}\n", plain(run.command), run.command_exit);
  else if (!run.command.empty())
    out += fmt::format("{} did not end\n", plain(run.command));
  for (const Deployment& d : run.deployments) out += told(d) + "\n";
  for (const std::string& said : {switched(run), ending(run)})
    if (!said.empty()) out += plain(said) + "\n";

  std::size_t routes = 0;
  for (const ProblemGroup& g : groups(run)) {
    const auto& info = limits::info(g.code);
    out += fmt::format("\n  {} {}  {}{}\n    {}\n", g.violation ? "✗" : "!", info.name, times(g.count),
                       g.violation ? "" : ", a warning", info.title);
    // What to do comes first. The fixes of the places, each once: they usually are the same.
    std::vector<std::string_view> told;
    for (const Problem* p : g.places) {
      const std::string_view fix = fix_of(*p);
      if (std::find(told.begin(), told.end(), fix) != told.end()) continue;
      told.push_back(fix);
      row(out, "fix", fix);
    }
    for (const Problem* p : g.places) place(out, *p, g, extras);
    row(out, "why", info.why);
    row(out, "source", source_of(*g.places.front()));
    row(out, "more", fmt::format("vercel-sim explain {}", info.name));
    if (g.violation) routes += g.places.size();
  }
  for (const NoticeRecord& n : run.notices) {
    if (n.level == event::Level::info) continue;
    out += fmt::format("\n  {}: {}{}\n", to_string(n.level),
                       n.file.empty() ? ""
                       : n.line > 0   ? fmt::format("{}{}:{}: ", plain(extras.prefix), plain(n.file), n.line)
                                      : fmt::format("{}{}: ", plain(extras.prefix), plain(n.file)),
                       plain(n.message));
    row(out, "fix", n.fix);
  }
  out += "\n";
  out += headline(run, extras);
  if (routes > 1) out += fmt::format(", in {} places", routes);
  return out + "\n";
}

}  // namespace vsim::report
