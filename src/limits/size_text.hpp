// How sizes are written in verdicts. Pure; used by the size limits of this module.
#pragma once

#include <cstdint>
#include <string>

#include "limits/verdict.hpp"

namespace vsim::limits {

// A verdict of a size limit: texts for limit and measured value that never read the same when the numbers
// differ.
Verdict size_verdict(Code code, std::string key, const profile::Setting<std::uint64_t>& limit,
                     std::uint64_t measured);

}  // namespace vsim::limits
