// The help texts, laid out by hand: at most 100 columns, every default with its unit. Pure text.
// tests/golden/cli holds them word for word, and a test holds them to the option table of options.cpp.
#pragma once

#include <span>
#include <string_view>

#include "cli/options.hpp"

namespace vsim::cli {

// Ends with a newline.
std::string_view help_text(HelpTopic);

// The commands that have a help of their own, in the order of the general help.
struct NamedTopic {
  std::string_view name;
  HelpTopic topic;
};
std::span<const NamedTopic> help_topics();

}  // namespace vsim::cli
