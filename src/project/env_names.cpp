#include "project/env_names.hpp"

#include <algorithm>

namespace vsim::project {

std::vector<std::string_view> env_names(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with("export ")) line.remove_prefix(7);
    const std::size_t name = std::min(line.find_first_of(" \t="), line.size());
    const std::size_t equal = std::min(line.find_first_not_of(" \t", name), line.size());
    if (name > 0 && equal < line.size() && line[equal] == '=' && line[0] != '#')
      out.push_back(line.substr(0, name));
  }
  return out;
}

}  // namespace vsim::project
