#include "cli/read_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vsim::cli {

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  std::string text;
  char buffer[65536];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  const bool failed = std::ferror(file) != 0;
  const int error = errno;
  if (file != stdin) std::fclose(file);
  if (failed) return Error{fmt::format("{}: {}", path, std::strerror(error))};
  return text;
}

}  // namespace vsim::cli
