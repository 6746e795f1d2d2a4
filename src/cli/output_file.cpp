#include "cli/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/plain_text.hpp"
#include "files/own_file.hpp"

namespace vsim::cli {
namespace {

// A pipe without a reader waits for one, and a person should know that it does.
int open_waiting(std::string_view option, const std::string& where, int flags, bool pipe) {
  if (pipe) {
    const int fd = ::open(where.c_str(), flags | O_NONBLOCK, 0600);
    if (fd >= 0 && ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0) return fd;
    if (fd >= 0) ::close(fd);
    if (fd < 0 && errno != ENXIO) return fd;
    fmt::print(stderr, "{} {}: waiting for somebody to read this pipe\n", option, plain(where));
  }
  return ::open(where.c_str(), flags, 0600);
}

}  // namespace

Result<int> open_output(std::string_view option, const std::string& where, std::string_view ours) {
  const bool device = where.starts_with("/dev/");
  const auto cannot = [&](std::string_view why, std::string fix) {
    return Error{fmt::format("{} {}: {}", option, where, why), std::move(fix)};
  };
  struct stat found {};
  const bool file = !device && (::lstat(where.c_str(), &found) != 0 || S_ISREG(found.st_mode));
  // Not O_TRUNC: what is there is looked at first. A pipe waits for its reader.
  if (!device && ::lstat(where.c_str(), &found) == 0 && S_ISFIFO(found.st_mode) &&
      found.st_uid != ::geteuid())
    return cannot("somebody else's pipe", "name another");
  const int flags = file ? O_RDWR | O_CREAT | O_NOFOLLOW : device ? O_WRONLY : O_WRONLY | O_NOFOLLOW;
  const int fd = open_waiting(option, where, flags | O_CLOEXEC, !file && S_ISFIFO(found.st_mode));
  if (fd < 0) {
    if (errno == ELOOP) return cannot("a symbolic link", "name the file itself");
    if (errno == ENOENT)
      return cannot("the directory does not exist", "name a file in a directory that exists");
    return cannot(std::strerror(errno), "name a file that can be written");
  }
  const bool known = ::fstat(fd, &found) == 0;
  if (!known || !S_ISREG(found.st_mode)) return fd;  // a pipe, a terminal
  const auto refuse = [&](std::string_view why, std::string fix) {
    ::close(fd);
    return cannot(why, std::move(fix));
  };
  files::OwnKind kind{{}, "a file that vercel-sim has not written"};
  if (!device) kind.is_ours = [&](std::string_view begin) { return begin.find(ours) != begin.npos; };
  if (const std::string why = files::refusal(fd, kind); !why.empty())
    return refuse(why, "remove it, or name another");
  if (!device && ::ftruncate(fd, 0) != 0) return refuse(std::strerror(errno), "name another");
  return fd;
}

}  // namespace vsim::cli
