#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/command_table.hpp"

namespace vsim::cli {
namespace {

constexpr std::size_t kListWidth = 92;  // of names that refer to run

// "  --port N   port (default: 3000)", continued below the text.
std::string laid_out(const Option& o, const OptionHelp& help, std::size_t column) {
  std::string out = fmt::format("  {}", o.names);
  if (!o.value.empty()) out += fmt::format(" {}", o.value);
  out.append(std::max(column, out.size() + 2) - out.size(), ' ');
  out += o.choices;
  return out + fmt::format("{}\n", fmt::join(split(help.text, "\n"), "\n" + std::string(column, ' ')));
}

// The names of what is as in run.
std::string as_in_run(HelpTopic topic) {
  std::string out, line = " ";
  for (const Option& o : option_table()) {
    if ((o.commands & in(topic)) == 0 || o.help_in(topic) != nullptr) continue;
    if (line.size() + o.name().size() + 2 > kListWidth) {
      out += line + "\n";
      line = " ";
    }
    line += fmt::format(" {},", o.name());
  }
  line.pop_back();
  return out + line + "\n";
}

std::string options_of(const Command& command) {
  std::string out, section = "-";
  for (const Option& o : option_table()) {
    const OptionHelp* help = (o.commands & in(command.topic)) != 0 ? o.help_in(command.topic) : nullptr;
    if (help == nullptr) continue;
    if (section != help->section) {
      section = help->section;
      out += section.empty() ? "\n" : fmt::format("\n{}\n", section);
      if (section == kAsInRun) out += as_in_run(command.topic);
    }
    out += laid_out(o, *help, command.column);
  }
  return out;
}

std::string command_list() {
  std::string out = "\n";
  for (const Command& c : command_table()) {
    out += fmt::format("  {:<12}{}", c.name, c.brief.empty() ? c.summary : c.brief);
    if (c.topic == HelpTopic::report)
      for (const Format& f : formats())
        out += fmt::format("{}{}", &f == formats().data() ? "" : ", ", f.title);
    out += "\n";
  }
  return out;
}

HelpItem item_of(const Option& o, const OptionHelp& help) {
  HelpItem out;
  out.section = help.section;
  for (const std::string_view name : split(o.names, ", ")) out.names.emplace_back(name);
  out.value = o.value;
  out.text = fmt::format("{}{}", o.choices, help.text);
  std::replace(out.text.begin(), out.text.end(), '\n', ' ');
  for (const std::string_view word : split(o.choices, " | ")) out.words.emplace_back(word);
  return out;
}

}  // namespace

std::string help_text(HelpTopic topic) {
  const Command& c = command_of(topic);
  std::string out =
      fmt::format("vercel-sim{}{}: {}\n\nusage: {}\n", c.name.empty() ? "" : " ", c.name, c.summary, c.usage);
  if (topic == HelpTopic::general) out += command_list();
  if (!c.intro.empty()) out += fmt::format("\n{}\n", c.intro);
  out += options_of(c);
  if (!c.outro.empty()) out += fmt::format("\n{}\n", c.outro);
  out += fmt::format("\nexamples:\n{}\n", c.examples);
  if (!c.exit_codes.empty())
    out += fmt::format("\nexit codes:{}{}\n", c.exit_codes.starts_with('\n') ? "" : " ", c.exit_codes);
  return out;
}

std::vector<HelpItem> help_items(HelpTopic topic) {
  std::vector<HelpItem> out;
  for (const Option& o : option_table())
    if ((o.commands & in(topic)) != 0)
      if (const OptionHelp* help = o.help_in(topic)) out.push_back(item_of(o, *help));
  return out;
}

std::vector<HelpItem> command_options(HelpTopic topic) {
  std::vector<HelpItem> out = help_items(topic);
  for (const Option& o : option_table())
    if ((o.commands & in(topic)) != 0 && o.help_in(topic) == nullptr)
      if (const OptionHelp* help = o.help_in(HelpTopic::run)) out.push_back(item_of(o, *help));
  return out;
}

}  // namespace vsim::cli
