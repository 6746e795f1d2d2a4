// Names of the variables that an .env file sets, and how much they take. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vsim::project {

// Of lines NAME=…, with or without `export` before them, in their order. They point into `text`.
std::vector<std::string_view> env_names(std::string_view text);

// Name → bytes of name and value, without the quotes around it. What a value makes of `$NAME` and of escapes
// is not known: about as much.
std::map<std::string, std::size_t, std::less<>> env_sizes(std::string_view text);

}  // namespace vsim::project
