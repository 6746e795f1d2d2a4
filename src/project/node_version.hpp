// Node versions and the ranges of package.json `engines`. Only parse_… and satisfies are pure;
// node_version_of runs `node --version`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vsim::project {

struct Version {
  int major = 0, minor = 0, patch = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): of clang 14 itself
  auto operator<=>(const Version&) const = default;
};
std::optional<Version> parse_version(std::string_view text);  // "v20.20.2", "16.4.6-canary.3"

// npm's ranges as `engines` use them: ">=20", "^18.18.0 || ^19.8.0 || >= 20.0.0", "20.x", "~20.9", "18 - 20",
// "*". A range that is not understood is satisfied by everything.
bool satisfies(Version version, std::string_view range);

// The first executable of this name in a PATH; "" when there is none.
std::string find_in_path(std::string_view name, std::string_view path_variable);
// What `NODE --version` prints. Waits for it.
Result<Version> node_version_of(const std::string& node);

// Whether this Node can run the project: at least 20, and what the project's `engines` and Next's own ask
// for.
std::optional<Error> check_node(Version version, std::string_view project_range, std::string_view next_range);

}  // namespace vsim::project
