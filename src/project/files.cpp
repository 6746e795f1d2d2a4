#include "project/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace vsim::project {

std::optional<std::string> read_text(const std::string& path, std::size_t most) {
  // O_NONBLOCK: a FIFO of that name must not stop the scan.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat st {};
  std::optional<std::string> out;
  if (::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && static_cast<std::uint64_t>(st.st_size) <= most) {
    std::string text;
    text.resize(static_cast<std::size_t>(st.st_size) + 1);
    std::size_t size = 0;
    while (true) {
      if (size == text.size()) text.resize(text.size() * 2);
      const ssize_t n = ::read(fd, text.data() + size, text.size() - size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) break;
      size += static_cast<std::size_t>(n);
      if (n == 0 || size > most) {
        text.resize(size);
        if (size <= most) out = std::move(text);
        break;
      }
    }
  }
  ::close(fd);
  return out;
}

bool is_file(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}
bool is_directory(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}
std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}
std::string real_path(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return {};
  std::string out(resolved);
  std::free(resolved);
  return out;
}
std::string repository_of(std::string directory) {
  for (;; directory = parent_directory(directory)) {
    if (::access((directory + "/.git").c_str(), F_OK) == 0) return directory;
    if (directory.empty() || directory == "/" || directory == ".") return {};
  }
}
bool lies_in(const std::string& repository, const std::string& path) {
  if (repository.empty() || repository == "/") return true;
  const std::string real = real_path(path);
  return real.empty() || real.starts_with(repository + "/");
}

}  // namespace vsim::project
