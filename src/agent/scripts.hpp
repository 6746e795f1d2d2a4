// The scripts of src/agent/*/*.cjs, embedded in the binary: what runs inside `next dev` and inside instances.
// Written into the run directory before the app is started.
#pragma once

#include <string>

#include "base/result.hpp"

namespace vsim::agent {

// Writes all scripts into `<run_dir>/node_modules/vercel-sim/`, which it makes: below node_modules, so that
// stack traces leave them out. Returns that folder.
Result<std::string> write_scripts(const std::string& run_dir);

}  // namespace vsim::agent
