// docs/errors.md and the pages of docs/codes/ from the topics; explain_test.cpp compares, and writes them.
#pragma once

#include <fmt/format.h>

#include <string>

#include "explain/render.hpp"

namespace vsim::explain {

inline std::string fenced(std::string_view language, std::string_view code) {
  return fmt::format("\n\n```{}\n{}\n```", language, code);
}
inline std::string link(const Topic& t) { return fmt::format("[{0}]({0}.md)", t.id); }

// "codes/FUNCTION_INVOCATION_TIMEOUT.md", below docs/
inline std::string page_path(const Topic& t) { return "codes/" + t.id + ".md"; }

inline std::string render_page(const Topic& t) {
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

inline std::string render_index() {
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
  for (const TopicGroup& g : groups()) {
    out += fmt::format("\n## {}\n\n| | status | what |\n|---|---|---|\n", g.title);
    for (const Topic* t : g.topics)
      out += fmt::format("| [{}]({}) | {} | {} |\n", t->id, page_path(*t),
                         t->status != 0 ? std::to_string(t->status) : "", t->title);
  }
  return out;
}

}  // namespace vsim::explain
