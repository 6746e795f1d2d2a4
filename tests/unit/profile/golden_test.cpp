// tests/golden/profile/*.txt: a profile as a user writes it, a line of ten dashes, and everything the loader
// says about it. A case is a file. Lines "--set key=value" at the top are overrides; "=== path" begins
// another file. VSIM_REGENERATE=1 writes what the loader says now; read the difference before you commit it.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "unit/profile/files.hpp"

namespace vsim::profile {
namespace {

constexpr std::string_view kRule = "----------\n";

struct Case {
  std::vector<std::string> overrides;
  test::Files files;
};

Case parse_case(std::string_view input) {
  Case c;
  std::string* file = nullptr;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size() - 1) + 1;
    const std::string line(input.substr(0, end));
    input.remove_prefix(end);
    if (file == nullptr && line.starts_with("--set ")) {
      c.overrides.push_back(line.substr(6, line.size() - 7));
    } else if (line.starts_with("=== ")) {
      file = &c.files[line.substr(4, line.size() - 5)];
    } else {
      if (file == nullptr) file = &c.files["my.yaml"];
      *file += line;
    }
  }
  return c;
}

std::string outcome(const Case& c) {
  const LoadResult r = test::load("my.yaml", c.overrides, c.files);
  if (!r.profile) return to_string(r.diagnostics);
  std::string out = "ok: " + r.profile->name + " (" + r.profile->title + ")\n";
  for (const Key& key : keys()) {
    const Provenance& from = provenance_of(*r.profile, key);
    if (!is_builtin(from.profile))
      out += std::string(key.name) + " = " + value_text(*r.profile, key) + " [" + from.profile + " " +
             from.file + ":" + std::to_string(from.line) + (from.note.empty() ? "" : ", " + from.note) +
             "]\n";
  }
  return out;
}

TEST_CASE("Golden: what the loader says about profiles with mistakes") {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VSIM_SOURCE_DIR "/tests/golden/profile")) {
    if (entry.path().extension() != ".txt") continue;
    ++cases;
    const std::string whole = test::file_text(entry.path().string()).value();
    const std::size_t rule = whole.find(kRule);
    INFO(entry.path().filename().string());
    REQUIRE(rule != std::string::npos);
    const std::string input = whole.substr(0, rule), expected = whole.substr(rule + kRule.size());
    const std::string got = outcome(parse_case(input));
    if (std::getenv("VSIM_REGENERATE") != nullptr)
      std::ofstream(entry.path(), std::ios::binary) << input << kRule << got;
    else
      CHECK(got == expected);
  }
  CHECK(cases >= 20);
}

}  // namespace
}  // namespace vsim::profile
