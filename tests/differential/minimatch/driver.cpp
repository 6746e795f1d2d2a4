// Answers, for the differential test against npm's minimatch, whether a path matches a pattern. On stdin
// pairs of lines, each a JSON string: pattern, path. On stdout for each pair one line: "1", "0", or "-" when
// the pattern is too complex for us.
#include <boost/json/parse.hpp>

#include <iostream>
#include <string>

#include "routes/glob.hpp"

int main() {
  std::ios::sync_with_stdio(false);
  std::string pattern_line, path_line;
  while (std::getline(std::cin, pattern_line) && std::getline(std::cin, path_line)) {
    const std::string pattern(boost::json::parse(pattern_line).as_string());
    const std::string path(boost::json::parse(path_line).as_string());
    const vsim::routes::Glob glob(pattern);
    std::cout << (glob.too_complex() ? '-' : glob.matches(path) ? '1' : '0') << '\n';
  }
  return 0;
}
