// Profiles as text: what `vercel-sim profiles` prints, and the line at start. Pure; plain text without
// colours.
#pragma once

#include <span>
#include <string>

#include "profile/profile.hpp"

namespace vsim::profile {

// `vercel-sim profiles`: one line each, then their titles.
std::string render_list(std::span<const Profile>);

// `vercel-sim profiles show NAME`: every key with value, source, date, confidence and note, as YAML that
// load_profile() reads back to the same values.
std::string render_show(const Profile&);

// `vercel-sim profiles show NAME --json`, and the plan in the API: the same as one JSON object, without a
// newline; each value as --set takes it.
std::string render_json(const Profile&);

// `profiles list --json` and `profiles diff A B --json`: one JSON object each, without a newline.
std::string render_list_json(std::span<const Profile>);
std::string render_diff_json(const Profile& a, const Profile& b);

// `vercel-sim profiles diff A B`: the keys whose values differ, side by side, with where each value comes
// from.
std::string render_diff(const Profile& a, const Profile& b);

// At start, under the ready line: the limits one meets first, and what was set on the command line. Each line
// ends with a newline.
std::string render_limits_summary(const Profile&);

}  // namespace vsim::profile
