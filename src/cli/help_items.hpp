// The options as the help texts describe them, taken apart again: for completion and the manual page, so that
// each option is described in one place. Pure text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/help.hpp"

namespace vsim::cli {

struct HelpItem {
  std::string section;             // "the plan"; "" for those outside of one
  std::vector<std::string> names;  // "-p", "--port"
  std::string value;               // "N", "FILE|-", "[ADDR]"; "" when it takes none
  std::string text;                // one line
  // "a | b | c" at the beginning of the text: the words that are its values.
  std::vector<std::string> words() const;
};

// The options that this help describes itself, in its order.
std::vector<HelpItem> help_items(HelpTopic);
// All options of a command; those that its help leaves to `run` with run's words.
std::vector<HelpItem> command_options(HelpTopic);
// "start the project's own …": the first line of the help without the command.
std::string_view summary(HelpTopic);

}  // namespace vsim::cli
