// --log-level and --log-file: the program's own diagnostics, while a command that runs an app lasts.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "cli/options.hpp"
#include "log/log.hpp"

namespace vsim::cli {

// Nothing for a command that runs no app, or if none is asked for. The error: why there can be none.
Result<std::unique_ptr<log::LogSession>> begin_log(const Options& options);

}  // namespace vsim::cli
