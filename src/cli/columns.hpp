// The width of what a person reads on.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace vsim::cli {

// Columns of the terminal that `fd` is, 60 at least and 200 at most; 0 when it is none, and nothing is to be
// broken.
std::size_t columns_of(int fd);
// Writes `text` to `file`, broken to its width when it is a terminal.
void print_fitted(std::FILE* file, std::string_view text);

}  // namespace vsim::cli
