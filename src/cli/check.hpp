// `vercel-sim check [DIR]`: finds the project, reads its sources, runs the rules of check/, prints. Starts
// nothing.
#pragma once

#include <string>

#include "check/checker.hpp"
#include "cli/options.hpp"
#include "profile/profile.hpp"

namespace vsim::cli {

// What the rules say of the project whose sources lie below `root`.
check::Report check_sources(const std::string& root, const profile::Profile& profile);

// 0, 2 (an error was found) or 64 (DESIGN section 6).
int run_check(const Check& options);

}  // namespace vsim::cli
