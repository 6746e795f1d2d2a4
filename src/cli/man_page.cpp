#include "cli/man_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/help_items.hpp"

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

// The help's lines that describe no option: usage and prose, as they stand.
struct Rest {
  std::string usage, prose, examples, codes;
};
Rest rest_of(HelpTopic topic) {
  Rest out;
  std::string* to = &out.prose;
  std::string_view text = help_text(topic);
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (std::exchange(first, false)) continue;  // the summary
    if (line.starts_with("usage: ")) {
      to = &out.usage;
      line.remove_prefix(7);
    } else if (line.starts_with("examples:")) {
      to = &out.examples;
      continue;
    } else if (line.starts_with("exit codes:")) {
      to = &out.codes;
      line.remove_prefix(std::min<std::size_t>(line.size(), line.starts_with("exit codes: ") ? 12 : 11));
      if (line.empty()) continue;
    } else if (line.empty()) {
      if (to == &out.usage) to = &out.prose;
    }
    // Options and what continues them have a place of their own.
    if (to == &out.prose && (line.starts_with("  -") || line.starts_with("      "))) continue;
    *to += fmt::format("{}\n", line);
  }
  return out;
}

std::string paragraphs(std::string_view text, const std::vector<HelpItem>& items) {
  std::string out;
  bool gap = true, block = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool title =
        std::any_of(items.begin(), items.end(), [&](const HelpItem& i) { return i.section == line; });
    const bool indented = line.starts_with("  ");
    if (block && !indented) {
      out += ".fi\n.RE\n";
      block = false;
    }
    if (line.empty() || title) {
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
  out += fmt::format("vercel\\-sim \\- {}\n", escaped(summary(HelpTopic::general)));
  out += ".SH SYNOPSIS\n.B vercel\\-sim\n.I COMMAND\n[options]\n.SH COMMANDS\n";
  for (const NamedTopic& t : help_topics())
    out += fmt::format(".TP\n.B {}\n{}\n", escaped(t.name), escaped(summary(t.topic)));
  for (const NamedTopic& t : help_topics()) {
    const std::vector<HelpItem> items = help_items(t.topic);
    const Rest rest = rest_of(t.topic);
    out += fmt::format(".SH {}\n{}", upper(escaped(t.name)), literal(rest.usage));
    out += paragraphs(rest.prose, items);
    std::string section;
    for (const HelpItem& i : items) {
      if (i.section != section && !i.section.starts_with("usage"))
        out += fmt::format(".SS {}\n", escaped(i.section));
      section = i.section;
      out += option(i);
    }
    if (!rest.examples.empty()) out += ".SS Examples\n" + literal(rest.examples);
    if (!rest.codes.empty()) out += ".SS Exit codes\n" + paragraphs(rest.codes, {});
  }
  out += ".SH EXIT STATUS\n" + literal(rest_of(HelpTopic::general).codes);
  out +=
      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nplain text, as with \\-\\-no\\-color\n"
      ".SH SEE ALSO\nThe documentation: docs/errors.md (codes and rules), docs/profiles.md, docs/events.md,\n"
      "docs/rules.md.\n";
  return out;
}

}  // namespace vsim::cli
