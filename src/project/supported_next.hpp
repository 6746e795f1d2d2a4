// Which versions of Next vercel-sim was made for, and what is said of others. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vsim::project {

inline constexpr std::string_view kSupportedNext = "14.0 to 16.4";

// One sentence and what to do, for a Next that is too old; nullopt for others, newer ones too: those are
// looked at when they run.
std::optional<Error> check_next(std::string_view version);

// For `-- COMMAND` that is a next dev: compiling is charged there, unless a grace is given.
std::optional<std::string> compile_hint(const std::vector<std::string>& command,
                                        std::string_view next_version);

}  // namespace vsim::project
