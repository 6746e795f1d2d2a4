// The help texts, laid out from command_table.cpp and option_table.cpp, and their parts for completion and
// the manual page. Pure text; tests/golden/cli holds it word for word.
#pragma once

#include <string>
#include <vector>

#include "cli/options.hpp"

namespace vsim::cli {

// Ends with a newline.
std::string help_text(HelpTopic);

struct HelpItem {
  std::string section;             // "the plan"; "" for those outside of one
  std::vector<std::string> names;  // "-p", "--port"
  std::string value;               // "N", "FILE|-", "[ADDR]"; "" when it takes none
  std::string text;                // one line
  std::vector<std::string> words;  // that are its values: "pack", "spread:N"
};

// The options that this help describes itself, in its order.
std::vector<HelpItem> help_items(HelpTopic);
// All options of a command; those that its help leaves to `run` with run's words.
std::vector<HelpItem> command_options(HelpTopic);

}  // namespace vsim::cli
