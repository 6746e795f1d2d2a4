// Projects written down in one text, for tests of rules.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "check/checker.hpp"
#include "unit/profile/files.hpp"

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

// A project and exactly what is found in it.
struct Case {
  const char* what;
  const char* files;
  std::vector<std::string> found;  // "rule file:line"
  const char* profile = "hobby";
};

inline void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.what);
    const auto report = check::check(project(c.files), profile::test::must_load(c.profile));
    std::vector<std::string> found;
    for (const auto& f : report.findings)
      found.push_back(f.rule + " " + f.file + ":" + std::to_string(f.line));
    CHECK(found == c.found);
  }
}

}  // namespace vsim::check::test
