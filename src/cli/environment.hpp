// What a deployment would have of a project's variables, and what of it can be known here: committed `.env`
// files, and a list that somebody names or has pulled from Vercel.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/emulator.hpp"
#include "base/result.hpp"
#include "process/environment.hpp"
#include "profile/profile.hpp"

namespace vsim::cli {

// The files that a deployment's variables are in, whole paths; of a name in several the first one holds:
// `given` (of --env-file), else what `vercel pull` or `vercel env pull` has written, then `.env.production`
// and `.env` as far as git has them (where there is no git: as they stand).
std::vector<std::string> deployed_env_files(const std::string& directory,
                                            const std::optional<std::string>& given);

// What is said of the sum of all variables; nothing while it is not over `most`. `deployed`: what the
// deployment is known to have, `local`: with what .env.local has besides; bytes. Pure.
std::optional<std::string> size_words(std::uint64_t deployed, std::uint64_t local, std::uint64_t most);
std::optional<std::string> environment_size(const std::string& directory, const profile::Profile&,
                                            const std::optional<std::string>& env_file);

struct LocalName {
  std::string name, where;  // "STRIPE_KEY", ".env.local"
};
// "3 variables that … : A (.env.local), B (this shell) and 1 more"; `strict`: they are not there. Pure.
std::string local_words(const std::vector<LocalName>& names, bool strict);

// What a run says once it is ready, and `check` at each place.
std::vector<app::Saying> environment_words(const std::string& directory, const profile::Profile&,
                                           const std::optional<std::string>& env_file,
                                           const process::Environment& shell,
                                           const std::atomic<bool>& stopping);

}  // namespace vsim::cli
