// Which versions of Node a deployment runs, against the one that runs here. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "project/node_version.hpp"

namespace vsim::project {

inline constexpr std::string_view kDeployedNode = "22, 24 and 26";

// engines.node of package.json leaves no version that can be deployed: the deployment fails.
std::optional<Error> check_deployable(std::string_view project_range);

// The version here is none that can be deployed: the functions will run on another one.
std::optional<Error> check_same_node(Version here);

}  // namespace vsim::project
