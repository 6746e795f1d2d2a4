#include "explain/render.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vsim::explain {
namespace {

constexpr std::size_t kMostColumns = 96;

std::string status_of(const Topic& t) {
  return t.status != 0 ? fmt::format(" ({})", t.status) : std::string();
}

// Paragraphs indented by two and wrapped; fenced code indented by four, its fences gone.
std::string wrapped(std::string_view text, std::size_t columns) {
  std::string out;
  bool code = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("```")) {
      code = !code;
      continue;
    }
    if (line.empty() || code) {
      out += line.empty() ? "\n" : fmt::format("    {}\n", line);
      continue;
    }
    std::size_t column = 0;
    while (!line.empty()) {
      const std::size_t space = std::min(line.find(' '), line.size());
      const std::string_view word = line.substr(0, space);
      line.remove_prefix(std::min(space + 1, line.size()));
      if (column != 0 && column + 1 + word.size() > columns) {
        out += "\n";
        column = 0;
      }
      out += column == 0 ? "  " : " ";
      out += word;
      column += (column == 0 ? 2 : 1) + word.size();
    }
    out += "\n";
  }
  return out;
}

std::string section(std::string_view title, std::string_view text, std::size_t columns) {
  return text.empty() ? std::string() : fmt::format("\n{}\n{}", title, wrapped(text, columns));
}

std::string fenced(std::string_view language, std::string_view code) {
  return fmt::format("\n\n```{}\n{}\n```", language, code);
}

std::string_view group_title(const Topic& t) {
  if (t.kind == TopicKind::rule) return "Rules of check: found in the sources";
  if (t.kind == TopicKind::emulator) return "Said by the emulator";
  if (t.kind == TopicKind::cause) return "Messages without a code";
  return t.emulated ? "Vercel's codes that vercel-sim produces" : "Vercel's other codes, explained only";
}

// The groups in the order in which they are listed, each with its topics.
struct Group {
  std::string_view title;
  std::vector<const Topic*> topics;
};
std::vector<Group> groups() {
  std::vector<Group> out(5);
  for (const Topic& t : topics()) {
    Group& g = out[t.kind == TopicKind::rule       ? 3
                   : t.kind == TopicKind::cause    ? 2
                   : t.kind == TopicKind::emulator ? 1
                   : t.emulated                    ? 0
                                                   : 4];
    g.title = group_title(t);
    g.topics.push_back(&t);
  }
  return out;
}

std::string link(const Topic& t) { return fmt::format("[{0}]({0}.md)", t.id); }

}  // namespace

std::string render_line(const Topic& t) { return fmt::format("  {:<43} {}\n", t.id + status_of(t), t.title); }

std::string render_list() {
  std::string out;
  for (const Group& g : groups()) {
    out += fmt::format("{}{}\n", out.empty() ? "" : "\n", g.title);
    for (const Topic* t : g.topics) out += render_line(*t);
  }
  return out + "\nvercel-sim explain CODE says more; an error message works too.\n";
}

std::string render_text(const Topic& t, std::size_t columns) {
  columns = std::min(columns, kMostColumns);
  const auto part = [&](std::string_view title, std::string_view text) {
    return section(title, text, columns);
  };
  std::string out = fmt::format("{}{}\n{}", t.id, status_of(t), wrapped(t.title, columns));
  if (t.kind == TopicKind::rule) out += wrapped(t.category, columns);
  out += part("Why", t.why);
  out += part("What the client sees", t.client);
  out += part("Fix", t.fix + (t.kind != TopicKind::rule && !t.example.empty() ? fenced("", t.example) : ""));
  if (t.kind == TopicKind::rule) {
    out += part("Strikes", "```\n" + t.bad + "\n```");
    out += part("Does not", "```\n" + t.example + "\n```");
  }
  if (!t.messages.empty()) {
    out += "\nMessages people meet\n";
    for (const std::string& m : t.messages) out += fmt::format("  {}\n", m);
  }
  out += part("How vercel-sim finds it", t.found);
  out += part("When it is meant", t.silence);
  out += fmt::format("\nSource (as of {})\n", t.as_of);
  for (const std::string& s : t.sources) out += fmt::format("  {}\n", s);
  if (!t.see.empty()) out += part("See also", fmt::to_string(fmt::join(t.see, ", ")));
  return out;
}

std::string page_path(const Topic& t) { return "codes/" + t.id + ".md"; }

std::string render_page(const Topic& t) {
  std::string out = fmt::format("# {}\n\n{}. ", t.id, t.title);
  if (t.kind == TopicKind::rule)
    out += fmt::format("A rule of `vercel-sim check`: {}.", t.category);
  else if (t.kind == TopicKind::cause)
    out += "A cause that has a message and no code; no verdict says it.";
  else if (t.status != 0)
    out += fmt::format("Status {}. {}.", t.status,
                       t.kind == TopicKind::emulator ? "Said by vercel-sim only" : "Vercel's own code");
  else
    out += "The client gets no error response. Said by vercel-sim only.";
  out += fmt::format("\n\n## Why\n\n{}\n", t.why);
  if (!t.client.empty()) out += fmt::format("\n## What the client sees\n\n{}\n", t.client);
  out += fmt::format("\n## Fix\n\n{}", t.fix);
  if (t.kind == TopicKind::rule)
    out += fmt::format("\n\nStrikes:{}\n\nDoes not:{}\n", fenced(t.language, t.bad),
                       fenced(t.language, t.example));
  else
    out += (t.example.empty() ? std::string() : fenced(t.language, t.example)) + "\n";
  if (!t.messages.empty()) {
    out += "\n## Messages people meet\n\n```text\n";
    for (const std::string& m : t.messages) out += m + "\n";
    out += "```\n";
  }
  out += fmt::format("\n## How vercel-sim finds it\n\n{}\n", t.found);
  if (!t.silence.empty()) out += fmt::format("\n## When it is meant\n\n{}\n", t.silence);
  out += fmt::format("\n## Source\n\nAs of {}.\n\n", t.as_of);
  for (const std::string& s : t.sources) out += fmt::format("- <{}>\n", s);
  if (!t.see.empty()) {
    out += "\nSee also: ";
    for (std::size_t i = 0; i < t.see.size(); ++i) {
      const Topic* other = find_topic(t.see[i]);
      out += (i == 0 ? "" : ", ") + (other != nullptr ? link(*other) : t.see[i]);
    }
    out += ".\n";
  }
  return out;
}

std::string render_index() {
  std::string out =
      "# Codes and rules\n\nWhat `vercel-sim explain` knows; each has a page. Names without `SIM_` are "
      "Vercel's "
      "own identifiers (`BAD_REQUEST` has none on the wire); `SIM_…` is what only the emulator can say; "
      "names in "
      "small letters are messages without a code, and the rules of `vercel-sim check` ([how they "
      "work](rules.md)). `vercel-sim explain "
      "\"MESSAGE\"` finds the page that lists an error message.\n\nGenerated, like the pages in `codes/`, "
      "from "
      "`src/limits/code.cpp`, `codes/*.yaml` and `rules/*.yaml`: run `VSIM_UPDATE_GOLDEN=1 test_explain` "
      "after a "
      "change there.\n";
  for (const Group& g : groups()) {
    out += fmt::format("\n## {}\n\n| | status | what |\n|---|---|---|\n", g.title);
    for (const Topic* t : g.topics)
      out += fmt::format("| [{}]({}) | {} | {} |\n", t->id, page_path(*t),
                         t->status != 0 ? std::to_string(t->status) : "", t->title);
  }
  return out;
}

}  // namespace vsim::explain
