// Reads profiles for tests: the six from the source tree, others from a map.
#pragma once

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "profile/loader.hpp"
#include "profile/schema.hpp"

namespace vsim::profile::test {

inline std::optional<std::string> file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

using Files = std::map<std::string, std::string, std::less<>>;

inline ReadFile reader(Files files = {}) {
  return [files = std::move(files)](std::string_view name) -> std::optional<std::string> {
    if (const auto it = files.find(name); it != files.end()) return it->second;
    if (is_builtin(name))
      return file_text(std::string(VSIM_SOURCE_DIR "/profiles/") + std::string(name) + ".yaml");
    return std::nullopt;
  };
}

inline LoadResult load(std::string_view name, std::vector<std::string> overrides = {}, Files files = {}) {
  return load_profile(name, overrides, reader(std::move(files)));
}

// The profile, or a failed load's diagnostics thrown as the test's failure.
inline Profile must_load(std::string_view name, std::vector<std::string> overrides = {}, Files files = {}) {
  LoadResult r = load(name, std::move(overrides), std::move(files));
  if (!r.profile) throw std::runtime_error(to_string(r.diagnostics));
  return std::move(*r.profile);
}

}  // namespace vsim::profile::test
