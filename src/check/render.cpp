#include "check/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/plain_text.hpp"
#include "base/sarif.hpp"
#include "base/text.hpp"

namespace vsim::check {
namespace {

std::string json_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const auto& i : items) out += (out.size() > 1 ? ", " : "") + json_string(i);
  return out + "]";
}

// One paragraph, broken at 96 columns, each line indented.
std::string paragraph(std::string_view label, std::string_view text) {
  std::string out, line = "  " + std::string(label);
  const std::string indent(line.size(), ' ');
  std::size_t used = line.size();
  bool first = true;
  std::string flat(text);
  std::replace(flat.begin(), flat.end(), '\n', ' ');
  for (const std::string_view word : split(flat, " ")) {
    if (word.empty()) continue;
    if (!first && used + 1 + word.size() > 96) {
      out += line + "\n";
      line = indent;
      used = indent.size();
      first = true;
    }
    line += first ? std::string(word) : " " + std::string(word);
    used += word.size() + (first ? 0 : 1);
    first = false;
  }
  return out + line + "\n";
}

}  // namespace

std::string render_text(const Report& report, const RenderOptions& options) {
  std::string out;
  std::set<std::string_view> explained;
  for (const Finding& f : report.findings) {
    const std::string file = plain(options.prefix + f.file);
    out += (is_log_command(file) ? "./" : "") + file;
    if (f.line > 0) out += fmt::format(":{}", f.line);
    if (f.line > 0 && f.column > 0) out += fmt::format(":{}", f.column);
    out += fmt::format(": {}: {} [{}]\n", to_string(f.severity), plain(f.message), f.rule);
    if (f.column > 0) {
      // Tabs stay tabs, so that the caret stands under its token whatever their width.
      std::string caret;
      int column = 1;
      for (std::size_t i = 0; i < f.source_line.size() && column < f.column; ++column) {
        caret += f.source_line[i] == '\t' ? '\t' : ' ';
        i += std::max<std::size_t>(1, utf8_length(std::string_view(f.source_line).substr(i)));
      }
      const std::string number = std::to_string(f.line);
      out += fmt::format("  {} | {}\n  {} | {}^{}\n", number, plain(f.source_line),
                         std::string(number.size(), ' '), caret,
                         std::string(static_cast<std::size_t>(f.length - 1), '~'));
    }
    const Rule* rule = find_rule(f.rule);
    if (rule != nullptr && explained.insert(rule->id).second) {
      out += paragraph("why: ", rule->explanation) + paragraph("fix: ", rule->fix);
      out += "  see: " + rule->docs.front() + "\n";
    }
    out += "\n";
  }
  out += fmt::format("{}, {}, {} in {}", counted(report.count(Severity::error), "error"),
                     counted(report.count(Severity::warning), "warning"),
                     counted(report.count(Severity::note), "note"), counted(report.files, "file"));
  if (report.ignored > 0) out += fmt::format(", {} ignored", report.ignored);
  return out + fmt::format(" (profile {})\n", options.profile);
}

std::string render_json(const Report& report, const RenderOptions& options) {
  std::string out = fmt::format(
      "{{\n  \"version\": 1,\n  \"profile\": {},\n  \"files\": {},\n  \"notLookedAt\": {},\n  \"ignored\": "
      "{},\n",
      json_string(options.profile), report.files, json_list(report.unfinished), report.ignored);
  out += fmt::format("  \"errors\": {},\n  \"warnings\": {},\n  \"notes\": {},\n  \"findings\": [",
                     report.count(Severity::error), report.count(Severity::warning),
                     report.count(Severity::note));
  bool first = true;
  for (const Finding& f : report.findings) {
    const Rule* rule = find_rule(f.rule);
    out += first ? "\n" : ",\n";
    first = false;
    out += fmt::format(
        "    {{\"rule\": {}, \"severity\": {}, \"file\": {}, \"line\": {}, \"column\": {}, \"endColumn\": "
        "{}, "
        "\"message\": {}, \"explanation\": {}, \"fix\": {}, \"docs\": {}}}",
        json_string(f.rule), json_string(to_string(f.severity)), json_string(options.prefix + f.file), f.line,
        f.column, f.column == 0 ? 0 : f.column + f.length, json_string(f.message),
        json_string(rule != nullptr ? rule->explanation : ""), json_string(rule != nullptr ? rule->fix : ""),
        json_list(rule != nullptr ? rule->docs : std::vector<std::string>()));
  }
  return out + (first ? "]\n}\n" : "\n  ]\n}\n");
}

std::string render_sarif(const Report& report, const RenderOptions& options) {
  std::string out(sarif::kBegin);
  out += fmt::format(", \"semanticVersion\": {}, \"rules\": [", json_string(VSIM_VERSION));
  std::map<std::string_view, std::size_t> index;
  const auto level = [](Severity s) { return s == Severity::off ? std::string_view("none") : to_string(s); };
  for (const Rule& r : rules()) {
    out += fmt::format("{}\n      {}", index.empty() ? "" : ",",
                       sarif::rule(r.id, r.title, r.explanation, r.fix, r.docs.front(), level(r.serverless)));
    index.emplace(r.id, index.size());
  }
  out +=
      ",\n      " +
      sarif::rule(
          kIgnoreId, "A vercel-sim-ignore comment that does not do what it says",
          "`vercel-sim-ignore RULE REASON` silences the findings of that rule on its own line or the next "
          "one. "
          "This one has no rule or no reason, names a rule that does not exist, or silences nothing.",
          "Name the rule as `vercel-sim check` prints it in brackets, and a reason, or remove the comment.",
          "", "warning");
  index.emplace(kIgnoreId, index.size());
  out += "\n    ]}},\n    \"results\": [";
  bool first = true;
  for (const Finding& f : report.findings)
    out += fmt::format(
        "{}\n      {{\"ruleId\": {}, \"ruleIndex\": {}, \"level\": {}, \"message\": {{\"text\": {}}}, "
        "\"locations\": {}}}",
        std::exchange(first, false) ? "" : ",", json_string(f.rule), index.at(f.rule),
        json_string(level(f.severity)), json_string(f.message),
        sarif::locations(options.prefix + f.file, f.line, f.column, f.length));
  out += first ? "]" : "\n    ]";
  return out + "\n  }]\n}\n";
}

std::string render_github(const Report& report, const RenderOptions& options) {
  std::string out;
  for (const Finding& f : report.findings) {
    const Rule* rule = find_rule(f.rule);
    const std::string_view command = f.severity == Severity::note ? "notice" : to_string(f.severity);
    out += fmt::format("::{} file={}", command, in_log_command(options.prefix + f.file, true));
    if (f.line > 0) out += fmt::format(",line={}", f.line);
    if (f.line > 0 && f.column > 0) out += fmt::format(",col={},endColumn={}", f.column, f.column + f.length);
    std::string text = f.message;
    if (rule != nullptr) text += "\nFix: " + rule->fix;
    out += fmt::format(",title={}::{}\n", in_log_command(f.rule, true), in_log_command(text, false));
  }
  return out;
}

}  // namespace vsim::check
