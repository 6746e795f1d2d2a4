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

// The project's directory as the reader would type it from here: "apps/web/", "" for here. Elsewhere people
// get the whole path, and machines names relative to the project, since SARIF and GitHub know only what lies
// below the checkout.
std::string source_prefix(const std::string& root, CheckFormat format);

// 0, 2 (an error was found) or 64 (vercel-sim(1), EXIT STATUS).
int run_check(const Check& options);

}  // namespace vsim::cli
