// `vercel-sim test`: the app behind the edge, a command that tests it, a verdict. Standard output is the
// command's alone; what we say goes to standard error, before the command starts and after it ends.
#pragma once

#include "cli/options.hpp"

namespace vsim::cli {

int test(const TestOptions& options, Colour colour);

}  // namespace vsim::cli
