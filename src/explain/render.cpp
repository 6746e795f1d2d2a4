#include "explain/render.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

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
  for (const std::string_view line : split(text, "\n")) {
    if (line.starts_with("```")) {
      code = !code;
      continue;
    }
    if (line.empty() || code) {
      out += line.empty() ? "\n" : fmt::format("    {}\n", line);
      continue;
    }
    std::size_t column = 0;
    for (const std::string_view word : split(line, " ")) {
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

}  // namespace

std::vector<TopicGroup> groups() {
  std::vector<TopicGroup> out(5);
  for (const Topic& t : topics()) {
    TopicGroup& g = out[t.kind == TopicKind::rule       ? 3
                        : t.kind == TopicKind::cause    ? 2
                        : t.kind == TopicKind::emulator ? 1
                        : t.emulated                    ? 0
                                                        : 4];
    g.title = group_title(t);
    g.topics.push_back(&t);
  }
  return out;
}

std::string render_line(const Topic& t) { return fmt::format("  {:<43} {}\n", t.id + status_of(t), t.title); }

std::string render_list() {
  std::string out;
  for (const TopicGroup& g : groups()) {
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

}  // namespace vsim::explain
