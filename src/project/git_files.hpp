// What git has of a project: the names of files as a build on another machine gets them. Runs `git ls-files`,
// and no hook of the repository's.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vsim::project {

// Relative to `root`, which may lie below the repository's own root. nullopt: no repository, or no git.
std::optional<std::vector<std::string>> git_files(const std::string& root);

}  // namespace vsim::project
