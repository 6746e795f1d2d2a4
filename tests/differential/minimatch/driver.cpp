// Answers, for the differential test against npm's minimatch, whether a path matches a pattern. On stdin
// pairs of lines, each a JSON string: pattern, path. On stdout for each pair one line: "1", "0", or "-" when
// the pattern is too complex for us.
#include <boost/json/parse.hpp>

#include <iostream>
#include <optional>
#include <string>

#include "routes/glob.hpp"

int main() {
  std::ios::sync_with_stdio(false);
  std::string pattern_line, path_line, compiled_line;
  std::optional<vsim::routes::Glob>
      glob;  // of the pattern that came last: pairs of one pattern follow each other
  while (std::getline(std::cin, pattern_line) && std::getline(std::cin, path_line)) {
    if (!glob || pattern_line != compiled_line) {
      glob.emplace(std::string(boost::json::parse(pattern_line).as_string()));
      compiled_line = pattern_line;
    }
    const std::string path(boost::json::parse(path_line).as_string());
    std::cout << (glob->too_complex() ? '-' : glob->matches(path) ? '1' : '0') << '\n';
  }
  return 0;
}
