// The environment of an instance: the app's own, what the platform adds (docs/platform.md section 7),
// and nothing of the tools that stand around `next dev`. Pure text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process/environment.hpp"
#include "profile/profile.hpp"

namespace vsim::app {

// What Vercel sets at run time, as far as it means anything here: never NODE_ENV (a dev build needs its own),
// no AWS credentials, no path of a directory that this machine does not have. `authority`: "localhost:3000".
// `git`: what is known of the commit.
std::vector<std::pair<std::string, std::string>> platform_variables(
    const profile::Profile&, std::string_view authority,
    const std::vector<std::pair<std::string, std::string>>& git = {});
struct InstanceWish {
  bool strict = false;             // nothing of the user's but what `files` say
  std::vector<std::string> files;  // of variables, whole paths; the first that has one wins
  std::string fonts;  // the folder of a fonts.conf, in place of this machine's; empty: none is named
};
// Adds them where the user has not set one himself, and takes the words of a debugger out of NODE_OPTIONS:
// the port that they name is taken by next dev. TZ and LANG are the platform's in any case, without LC_*.
// VSIM_ENV and VSIM_HELD are for instance.cjs.
process::Environment instance_environment(process::Environment of_app,
                                          const std::vector<std::pair<std::string, std::string>>& variables,
                                          const InstanceWish& wish = {});
// NODE_OPTIONS without --inspect, --inspect-brk and their kin.
std::string without_inspector(std::string_view node_options);

}  // namespace vsim::app
