// A whole file for `report` and `replay`.
#pragma once

#include <string>

#include "base/result.hpp"

namespace vsim::cli {

// "-" is standard input.
Result<std::string> read_file(const std::string& path);

}  // namespace vsim::cli
