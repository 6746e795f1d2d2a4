// YAML text to Profile. Finds every mistake of a file, its bases and the overrides at once. Pure: the caller
// reads files.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profile/diagnostic.hpp"
#include "profile/profile.hpp"

namespace vsim::profile {

struct LoadResult {
  std::optional<Profile> profile;  // set if and only if there are no diagnostics
  std::vector<Diagnostic> diagnostics;
};

// Gives the text of a profile by name or path: one of kBuiltinProfiles, or the path of a file, already
// resolved against the file that extends it. nullopt: not found. Called once per file of the chain.
using ReadFile = std::function<std::optional<std::string>(std::string_view name_or_path)>;

// Anything with a '/' or ending in .yaml or .yml is a path, all else a name.
bool is_path(std::string_view name_or_path);

// Precedence: what a profile extends < the profile < set_overrides ("duration.default=15s"; the last one of a
// key wins).
LoadResult load_profile(std::string_view name_or_path, std::span<const std::string> set_overrides,
                        const ReadFile& read);

}  // namespace vsim::profile
