// Which file a command's first word is, asked before anything is started for it. Reads the file system,
// changes nothing. Called by os::launch() and by `vercel-sim test`, whose command comes only after the app.
#pragma once

#include <string>

#include "base/result.hpp"
#include "process/environment.hpp"

namespace vsim::process {

// Where execvp would find `name`, but in the PATH of `env` and seen from `cwd` (empty: ours).
Result<std::string> find_program(const std::string& name, const Environment& env, const std::string& cwd);

}  // namespace vsim::process
