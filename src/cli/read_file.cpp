#include "cli/read_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"

namespace vsim::cli {
namespace {

// Empty: it was read.
std::string read_all(int fd, std::size_t most, std::string& out) {
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::strerror(errno);
    if (n == 0) return {};
    out.append(buffer.data(), static_cast<std::size_t>(n));
    if (out.size() > most) return fmt::format("larger than {}", human_size(most));
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  std::string text;
  if (path == "-") {
    const std::string problem = read_all(STDIN_FILENO, most, text);
    if (!problem.empty()) return Error{"standard input: " + problem};
    return text;
  }
  // O_NONBLOCK: a pipe without a writer is refused, not waited for.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  struct stat st {};
  std::string problem;
  if (::fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
    problem = S_ISDIR(st.st_mode) ? "is a directory" : "not a regular file (- reads standard input)";
  if (problem.empty()) problem = read_all(fd, most, text);
  ::close(fd);
  if (!problem.empty()) return Error{fmt::format("{}: {}", path, problem)};
  return text;
}

}  // namespace vsim::cli
