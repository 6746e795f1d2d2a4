// `vercel-sim completion bash|zsh|fish`: the script, made from the help's options, the profiles, the keys of
// profiles and the pages of explain. Pure text; tests run it in the shells.
#pragma once

#include <string>

#include "cli/options.hpp"

namespace vsim::cli {

std::string completion_script(Shell);

}  // namespace vsim::cli
