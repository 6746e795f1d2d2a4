// What `vercel link` and `vercel pull` have left of the Vercel project: .vercel/project.json. Reads one file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vsim::project {

// When the Vercel project was made, in ms since 1970; nullopt: not known here. The link lies beside the
// package.json, or at the root of the repository when its `rootDirectory` names this project.
std::optional<std::int64_t> made_at(const std::string& root, const std::string& workspace_root);

}  // namespace vsim::project
