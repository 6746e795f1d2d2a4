#include "files/own_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vsim::files {

std::string refusal(int fd, const OwnKind& kind) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return std::strerror(errno);
  if (!S_ISREG(found.st_mode)) return "not a regular file";
  if (found.st_uid != ::geteuid()) return "somebody else's file";
  if (found.st_size == 0 || !kind.is_ours) return {};
  std::array<char, 4096> begin;
  const ssize_t n = ::pread(fd, begin.data(), begin.size(), 0);
  if (n < 0) return std::strerror(errno);
  return std::string(kind.is_ours({begin.data(), static_cast<std::size_t>(n)}) ? "" : kind.otherwise);
}

Result<int> open_own(const std::string& where, int more, const OwnKind& kind) {
  const int fd = ::open(where.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | more, 0600);
  if (fd < 0) return Error{errno == ELOOP ? "a symbolic link" : std::strerror(errno), ""};
  if (std::string why = refusal(fd, kind); !why.empty()) {
    ::close(fd);
    return Error{std::move(why), ""};
  }
  return fd;
}

}  // namespace vsim::files
