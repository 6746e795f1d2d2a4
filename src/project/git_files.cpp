#include "project/git_files.hpp"

#include <algorithm>

#include "project/command_output.hpp"

namespace vsim::project {

std::optional<std::vector<std::string>> git_files(const std::string& root) {
  const CommandOutput said = git_output(root, {"ls-files", "-z"});
  if (!said.succeeded) return std::nullopt;
  const std::string& text = said.text;
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace vsim::project
