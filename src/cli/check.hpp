// `vercel-sim check [DIR]`: finds the project, reads its sources, runs the rules of check/, prints. Starts
// nothing.
#pragma once

#include "cli/options.hpp"

namespace vsim::cli {

// 0, 2 (an error was found) or 64 (DESIGN section 6).
int run_check(const Check& options);

}  // namespace vsim::cli
