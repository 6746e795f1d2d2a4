// What the commands end with beside 0; docs/ci.md and the help say when.
#pragma once

namespace vsim::cli {

inline constexpr int kViolations = 2, kNothingTested = 3, kUsage = 64, kSoftware = 70;

}  // namespace vsim::cli
