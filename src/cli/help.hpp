// The help texts, laid out by hand: at most 100 columns, every default with its unit. Pure text.
// tests/golden/cli holds them word for word, and a test holds them to the option table of options.cpp.
#pragma once

#include <string_view>

#include "cli/options.hpp"

namespace vsim::cli {

// Ends with a newline.
std::string_view help_text(HelpTopic);

}  // namespace vsim::cli
