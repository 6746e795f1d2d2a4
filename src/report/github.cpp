// GitHub: annotations as workflow commands, and the job summary as markdown. GitHub shows ten annotations of
// a kind and step, so violations come first.
#include <fmt/format.h>

#include "base/place.hpp"
#include "base/plain_text.hpp"
#include "base/text.hpp"
#include "report/words.hpp"

namespace vsim::report {
namespace {

void annotate(std::string& out, std::string_view command, const Place& place, std::string_view title,
              std::string_view text) {
  out += fmt::format("::{} ", command);
  if (!place.file.empty()) {
    out += fmt::format("file={},", in_log_command(place.file, true));
    if (place.line > 0) out += fmt::format("line={},", place.line);
    if (place.column > 0) out += fmt::format("col={},", place.column);
  }
  out += fmt::format("title={}::{}\n", in_log_command(title, true), in_log_command(text, false));
}

}  // namespace

std::string render_github(const Run& run, const Extras& extras) {
  std::string out;
  for (const ProblemGroup& g : groups(run))
    for (const Problem* p : g.places) {
      const Expected* meant = expected(*p, extras);
      std::string text =
          fmt::format("{}: {}, {}\nFix: {}", place_of(*p), message_of(*p), times(p->count), fix_of(*p));
      if (const std::string first = request_of(*p); !first.empty()) text += "\nFirst: " + first;
      if (meant != nullptr) text.insert(0, fmt::format("Expected: {}\n", meant->reason));
      annotate(out,
               meant != nullptr ? "notice"
               : g.violation    ? "error"
                                : "warning",
               is_in_project(p->file) ? Place{extras.prefix + p->file, p->line, p->column} : Place{},
               code_name(*p), text);
    }
  for (const StaticFinding& f : extras.findings)
    annotate(out, f.level == "error" || f.level == "warning" ? f.level : "notice",
             Place{extras.prefix + f.file, f.line, f.column}, f.rule,
             f.message + (f.fix.empty() ? "" : "\nFix: " + f.fix));
  return out;
}

std::string render_markdown(const Run& run, const Extras& extras) {
  std::string out = "## vercel-sim: " + headline(run, extras);
  out += fmt::format("\n\nProfile **{}**", markdown(run.profile));
  if (!run.profile_as_of.empty()) out += fmt::format(", as of {}", markdown(run.profile_as_of));
  out += fmt::format(": {}, {} of functions, {}.\n", counted(run.requests, "request"), run.invocations,
                     human_duration(run.length));
  if (run.command_ended)
    out += fmt::format("\n{} exited with {}.\n", markdown(run.command), run.command_exit);
  for (const Deployment& d : run.deployments) out += fmt::format("\n{}\n", told(d));
  for (const std::string& said : {switched(run), ending(run)})
    if (!said.empty()) out += fmt::format("\n{}\n", markdown(said));
  if (!run.problems.empty()) {
    out += "\n| | code | where | what | times |\n|---|---|---|---|---:|\n";
    for (const ProblemGroup& g : groups(run))
      for (const Problem* p : g.places) {
        const std::string file = file_of(*p, extras);
        out += fmt::format("| {} | {} | {}{} | {} | {} |\n",
                           expected(*p, extras) != nullptr ? "➖ expected"
                           : g.violation                   ? "❌ violation"
                                                           : "⚠️ warning",
                           markdown(code_name(*p)), markdown(place_of(*p)),
                           file.empty() || file == place_of(*p) ? "" : "<br>" + markdown(file),
                           markdown(message_of(*p)), p->count);
      }
    for (const ProblemGroup& g : groups(run)) {
      const auto& info = limits::info(g.code);
      out += fmt::format("\n<details><summary>{}: {}</summary>\n\n{}\n\n", info.name, markdown(info.title),
                         markdown(info.why));
      out += fmt::format("**Fix.** {}\n\n", markdown(fix_of(*g.places.front())));
      if (const std::string first = request_of(*g.places.front()); !first.empty())
        out += fmt::format("First: {}\n\n", markdown(first));
      out += fmt::format("Source: <{}>\n\n</details>\n", source_of(*g.places.front()));
    }
  }
  return out;
}

}  // namespace vsim::report
