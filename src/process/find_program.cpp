#include "process/find_program.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vsim::process {

Result<std::string> find_program(const std::string& name, const Environment& env, const std::string& cwd) {
  auto seen_from_child = [&](const std::string& path) {
    return path.starts_with('/') || cwd.empty() ? path : cwd + "/" + path;
  };
  if (name.find('/') != std::string::npos) {
    const std::string path = seen_from_child(name);
    struct stat st;
    if (::stat(path.c_str(), &st) != 0)
      return Error{fmt::format("cannot start {}: {}", name,
                               errno == ENOENT ? "there is no such file" : strerror(errno)),
                   "check the path; it is relative to the directory the command runs in"};
    if (S_ISDIR(st.st_mode)) return Error{fmt::format("cannot start {}: it is a directory", name), {}};
    if (::access(path.c_str(), X_OK) != 0)
      return Error{fmt::format("cannot start {}: the file is not executable", name),
                   fmt::format("chmod +x {}", path)};
    return name;
  }
  const std::string_view path = get_env(env, "PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t colon = std::min(path.find(':', at), path.size());
    std::string candidate(colon == at ? "." : path.substr(at, colon - at));
    at = colon + 1;
    candidate += "/" + name;
    const std::string full = seen_from_child(candidate);
    struct stat st;
    if (::stat(full.c_str(), &st) == 0 && S_ISREG(st.st_mode) && ::access(full.c_str(), X_OK) == 0)
      return candidate;
  }
  return Error{fmt::format("cannot start {}: no such program in PATH", name),
               fmt::format("install it, or give its path, such as ./node_modules/.bin/{}", name)};
}

}  // namespace vsim::process
