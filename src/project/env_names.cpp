#include "project/env_names.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace vsim::project {

std::vector<std::string_view> env_names(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::string_view line : split(text, "\n")) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with("export ")) line.remove_prefix(7);
    const std::size_t name = std::min(line.find_first_of(" \t="), line.size());
    const std::size_t equal = std::min(line.find_first_not_of(" \t", name), line.size());
    if (name > 0 && equal < line.size() && line[equal] == '=' && line[0] != '#')
      out.push_back(line.substr(0, name));
  }
  return out;
}

std::map<std::string, std::size_t, std::less<>> env_sizes(std::string_view text) {
  std::map<std::string, std::size_t, std::less<>> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto names = env_names(text.substr(0, end));
    if (names.empty()) {
      text.remove_prefix(std::min(end + 1, text.size()));
      continue;
    }
    const std::size_t equal = text.find('=');
    std::string_view value = text.substr(equal + 1, end - equal - 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    std::size_t taken = end;
    // In quotes it may have several lines.
    if (!value.empty() && (value[0] == '"' || value[0] == '\'' || value[0] == '`')) {
      const auto begin = static_cast<std::size_t>(value.data() - text.data()) + 1;
      const std::size_t close = text.find(value[0], begin);
      value = close == std::string_view::npos ? value.substr(1) : text.substr(begin, close - begin);
      if (close != std::string_view::npos) taken = std::min(text.find('\n', close), text.size());
    } else {
      value = value.substr(0, value.find_last_not_of(" \t\r") + 1);
    }
    out.insert_or_assign(std::string(names.front()), names.front().size() + value.size());
    text.remove_prefix(std::min(taken + 1, text.size()));
  }
  return out;
}

}  // namespace vsim::project
