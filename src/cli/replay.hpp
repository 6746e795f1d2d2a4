// `vercel-sim replay FILE`: a recording's requests once more, behind the limits of another plan or of
// several, and what broke that had not. Starts and stops the app as `test` does, once for each profile.
#pragma once

#include "cli/options.hpp"

namespace vsim::cli {

int run_replay(const ReplayOptions& options, Colour colour);

}  // namespace vsim::cli
