// Names of the variables that an .env file sets. Pure.
#pragma once

#include <string_view>
#include <vector>

namespace vsim::project {

// Of lines NAME=…, with or without `export` before them, in their order. They point into `text`.
std::vector<std::string_view> env_names(std::string_view text);

}  // namespace vsim::project
