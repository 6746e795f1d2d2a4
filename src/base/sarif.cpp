#include "base/sarif.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace vsim::sarif {

std::string rule(std::string_view id, std::string_view title, std::string_view text, std::string_view fix,
                 std::string_view url, std::string_view level) {
  if (title.empty()) title = id;
  if (text.empty()) text = title;
  return fmt::format(
      "{{\"id\": {}, \"shortDescription\": {{\"text\": {}}}, \"fullDescription\": {{\"text\": {}}}, "
      "\"help\": "
      "{{\"text\": {}}}{}, \"defaultConfiguration\": {{\"level\": {}}}}}",
      json_string(id), json_string(title), json_string(text), json_string(fix.empty() ? text : fix),
      url.empty() ? "" : ", \"helpUri\": " + json_string(url), json_string(level));
}

std::string locations(std::string_view file, int line, int column, int length) {
  std::string region = fmt::format("\"startLine\": {}", std::max(line, 1));
  if (line > 0 && column > 0)
    region += fmt::format(", \"startColumn\": {}, \"endColumn\": {}", column, column + std::max(length, 1));
  return fmt::format(
      "[{{\"physicalLocation\": {{\"artifactLocation\": {{\"uri\": {}, \"uriBaseId\": \"%SRCROOT%\"}}, "
      "\"region\": {{{}}}}}}}]",
      json_string(uri_path(file)), region);
}

}  // namespace vsim::sarif
