// docs/man/vercel-sim.1 from the tables of the command line; completion_test.cpp compares, and writes it.
#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/command_table.hpp"
#include "cli/help.hpp"

namespace vsim::cli {
// Text as roff takes it literally: no control lines, hyphens that can be copied.
inline std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  constexpr std::string_view kSpecial = "\\-~^`'";
  constexpr std::string_view kRoff[] = {"\\e", "\\-", "\\(ti", "\\(ha", "\\(ga", "\\(aq"};
  for (const char c : text) {
    const std::size_t at = kSpecial.find(c);
    out += at == std::string_view::npos ? std::string_view(&c, 1) : kRoff[at];
  }
  // "…", the only letter outside of ASCII in the help.
  for (std::size_t at = 0; (at = out.find("\xE2\x80\xA6", at)) != std::string::npos;)
    out.replace(at, 3, "...");
  return out;
}

inline std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

inline std::string paragraphs(std::string_view text) {
  std::string out;
  bool gap = true, block = false;
  for (const std::string_view line : split(text, "\n")) {
    const bool indented = line.starts_with("  ");
    if (block && !indented) {
      out += ".fi\n.RE\n";
      block = false;
    }
    if (line.empty()) {
      gap = true;
      continue;
    }
    if (indented && !block) {
      out += ".PP\n.RS 2\n.nf\n";
      block = true;
    } else if (gap && !indented) {
      out += ".PP\n";
    }
    gap = false;
    out += escaped(indented ? line.substr(2) : line) + "\n";
  }
  return out + (block ? ".fi\n.RE\n" : "");
}

inline std::string literal(std::string_view text) {
  std::string out = ".nf\n";
  for (const std::string_view line : split(text, "\n")) {
    const std::size_t from = std::min(line.find_first_not_of(' '), line.size());
    if (from < line.size()) out += escaped(line.substr(from)) + "\n";
  }
  return out + ".fi\n";
}

inline std::string man_option(const HelpItem& i) {
  std::string names;
  for (const std::string& n : i.names)
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", escaped(n));
  if (!i.value.empty()) names += fmt::format(" \\fI{}\\fR", escaped(i.value));
  return fmt::format(".TP\n{}\n{}\n", names, escaped(i.text));
}

inline std::string man_page() {
  std::string out =
      ".\\\" Generated from the help texts: VSIM_UPDATE_GOLDEN=1 test_cli\n"
      ".TH VERCEL\\-SIM 1 \"\" \"vercel\\-sim\" \"User Commands\"\n.SH NAME\n";
  const Command& general = command_of(HelpTopic::general);
  out += fmt::format("vercel\\-sim \\- {}\n", escaped(general.summary));
  out += ".SH SYNOPSIS\n.B vercel\\-sim\n.I COMMAND\n[options]\n.SH COMMANDS\n";
  for (const Command& c : command_table())
    if (!c.summary.empty()) out += fmt::format(".TP\n.B {}\n{}\n", escaped(c.name), escaped(c.summary));
  for (const Command& c : command_table()) {
    if (c.summary.empty()) continue;
    out += fmt::format(".SH {}\n{}", upper(escaped(c.name)), literal(c.usage));
    out += paragraphs(c.intro) + paragraphs(c.outro);
    std::string section;
    for (const HelpItem& i : help_items(c.topic)) {
      if (i.section != section && !i.section.empty()) out += fmt::format(".SS {}\n", escaped(i.section));
      section = i.section;
      out += man_option(i);
    }
    out += ".SS Examples\n" + literal(c.examples);
    if (!c.exit_codes.empty()) out += ".SS Exit codes\n" + paragraphs(c.exit_codes);
  }
  out += ".SH EXIT STATUS\n" + literal(general.exit_codes);
  out +=
      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nplain text, as with \\-\\-no\\-color\n"
      ".SH SEE ALSO\nThe documentation: docs/errors.md (codes and rules), docs/profiles.md, docs/events.md,\n"
      "docs/rules.md.\n";
  return out;
}

}  // namespace vsim::cli
