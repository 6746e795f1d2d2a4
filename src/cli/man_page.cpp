#include "cli/man_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command_table.hpp"
#include "cli/help.hpp"

namespace vsim::cli {
namespace {

// Text as roff takes it literally: no control lines, hyphens that can be copied.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '`')
      out += "\\(ga";
    else if (c == '\'')
      out += "\\(aq";
    else
      out += c;
  }
  // "…", the only letter outside of ASCII in the help.
  for (std::size_t at = 0; (at = out.find("\xE2\x80\xA6", at)) != std::string::npos;)
    out.replace(at, 3, "...");
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string paragraphs(std::string_view text) {
  std::string out;
  bool gap = true, block = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
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

std::string literal(std::string_view text) {
  std::string out = ".nf\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t from = std::min(line.find_first_not_of(' '), line.size());
    if (from < line.size()) out += escaped(line.substr(from)) + "\n";
  }
  return out + ".fi\n";
}

std::string option(const HelpItem& i) {
  std::string names;
  for (const std::string& n : i.names)
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", escaped(n));
  if (!i.value.empty()) names += fmt::format(" \\fI{}\\fR", escaped(i.value));
  return fmt::format(".TP\n{}\n{}\n", names, escaped(i.text));
}

}  // namespace

std::string man_page() {
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
      out += option(i);
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
