// The commands, one row each: what parses the words after it, its help, and what the Tab key offers. The
// options are rows of option_table.cpp. Private to this module.
#pragma once

#include <span>
#include <string_view>

#include "cli/option_table.hpp"

namespace vsim::cli {

// What a "--" means to a command.
enum class Dashes {
  unknown,  // nothing: as any option that there is not
  command,  // a command line follows
  words,    // what follows are words, whatever they look like
  refused,  // nothing may follow
};

struct Command {
  HelpTopic topic = HelpTopic::general;
  std::string_view name;
  std::string_view brief;    // beside the others, in the general help
  std::string_view summary;  // the first line of its help; "" when it has none of its own
  std::string_view usage;    // broken by hand, as all texts here
  std::string_view intro;    // before the options
  std::string_view outro;    // after them
  std::string_view examples;
  std::string_view exit_codes;
  std::string_view elsewhere;  // what people type who come from elsewhere
  std::string_view arguments;  // what may follow, for completion: words, and DIR FILE PROFILE CODE COMMAND
  std::size_t column = 15;     // where the texts of options begin
  Dashes dashes = Dashes::unknown;
  // A word that is no option, at its place; nullptr: it is kept in Given::words. It may say what is wrong.
  void (*word)(Given&, std::string_view) = nullptr;
  // All words are read: what the command line asks for. It may say what is wrong.
  decltype(Options::command) (*finish)(Given&) = nullptr;
};

// In the order of the general help.
std::span<const Command> command_table();
const Command& command_of(HelpTopic);
// nullptr: there is none of that name.
const Command* find_command(std::string_view name);
std::span<const std::string_view> command_names();

}  // namespace vsim::cli
