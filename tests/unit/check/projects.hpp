// Projects written down in one text, for tests of rules.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "check/program.hpp"

namespace vsim::check::test {

// "// file: path" begins a file; its text is what follows, up to the next one.
inline Input project(std::string_view text) {
  Input out;
  std::string path;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    constexpr std::string_view kMark = "// file: ";
    if (line.starts_with(kMark)) {
      path = line.substr(kMark.size());
      out.files[path];
    } else if (!path.empty()) {
      out.files[path] += std::string(line) + "\n";
    }
  }
  return out;
}

}  // namespace vsim::check::test
