// Which profile is meant when nobody has named one. Whether a project is on Fluid compute stands in
// vercel.json or in Vercel's dashboard only, and which is the default depends on the day the project was made
// (https://vercel.com/docs/fluid-compute). The plan stands nowhere. choose_profile is pure;
// default_profile reads vercel.json and .vercel/project.json. Asked by run, test, replay and check.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vsim::cli {

struct ProjectFacts {
  std::optional<bool> fluid;            // of vercel.json
  std::optional<std::int64_t> made_ms;  // when the Vercel project was made
  int longest = 0;                      // the longest maxDuration in `functions` of vercel.json, in seconds
};

struct DefaultProfile {
  std::string name;
  std::string note;  // one line: why this one, and how to choose another
};

// `most`: seconds that hobby allows a function.
DefaultProfile choose_profile(const ProjectFacts&, int most);
// `directory`: in the project or below it.
DefaultProfile default_profile(const std::string& directory);
// The first of `regions` in its vercel.json: where a deployment's functions run, unless they say otherwise
// themselves (https://vercel.com/docs/functions/configuring-functions/region).
std::optional<std::string> project_region(const std::string& directory);

}  // namespace vsim::cli
