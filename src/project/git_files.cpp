#include "project/git_files.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace vsim::project {

std::optional<std::vector<std::string>> git_files(const std::string& root) {
  // core.fsmonitor may name a program of the repository's.
  std::string command = "git -c core.fsmonitor=false -C '";
  for (const char c : root) {
    if (c == '\'')
      command += "'\\''";
    else
      command += c;
  }
  command += "' ls-files -z 2>/dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  std::array<char, 65536> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), n);
  if (::pclose(pipe) != 0) return std::nullopt;
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace vsim::project
