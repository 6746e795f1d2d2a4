#include "cli/columns.hpp"

#include <algorithm>
#include <string>

#include "base/fit_columns.hpp"
#include "process/os.hpp"

namespace vsim::cli {

std::size_t columns_of(int fd) {
  if (fd < 0) return 0;
  const auto size = process::os::terminal_size(fd);
  if (!size || size->columns == 0) return 0;
  return std::clamp<std::size_t>(size->columns, 60, 200);
}

void print_fitted(std::FILE* file, std::string_view text) {
  const std::string fitted = fit_columns(text, columns_of(::fileno(file)));
  std::fwrite(fitted.data(), 1, fitted.size(), file);
}

}  // namespace vsim::cli
