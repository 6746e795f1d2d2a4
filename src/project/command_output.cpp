#include "project/command_output.hpp"

#include <array>
#include <cstdio>

namespace vsim::project {

std::string shell_quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

CommandOutput output_of(const std::string& line) {
  CommandOutput out;
  FILE* pipe = ::popen((line + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 65536> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.text.append(buffer.data(), n);
  out.succeeded = ::pclose(pipe) == 0;
  return out;
}

CommandOutput git_output(const std::string& root, std::string_view words) {
  return output_of(
      "GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1 git -c core.fsmonitor=false -c core.hooksPath=/dev/null "
      "-C " +
      shell_quoted(root) + " " + std::string(words));
}

}  // namespace vsim::project
