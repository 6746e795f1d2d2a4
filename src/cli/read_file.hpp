// A whole file that the command line names: a profile, and what `report` and `replay` read.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"

namespace vsim::cli {

// "-" is standard input, whatever that is. All else must be a regular file (a pipe or a device may have no
// end), and nothing is larger than `most` bytes.
Result<std::string> read_file(const std::string& path, std::size_t most);

inline constexpr std::size_t kMostProfileBytes = 1u << 20;
inline constexpr std::size_t kMostRecordedBytes = 1u << 30;  // it is held in memory as a whole

}  // namespace vsim::cli
