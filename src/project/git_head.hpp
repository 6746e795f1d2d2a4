// What a deployment's `VERCEL_GIT_*` would say of the commit that is checked out. Runs `git`, and no program
// of the repository's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vsim::project {

// Names and values; empty where there is no git, no repository or no commit.
std::vector<std::pair<std::string, std::string>> git_variables(const std::string& root);

// Who has the repository and what it is called, of "git@github.com:acme/web.git" or an https address.
struct Remote {
  std::string provider, owner, slug;  // provider: "github", "gitlab", "bitbucket"; "" for others
};
Remote remote_of(std::string_view url);

}  // namespace vsim::project
