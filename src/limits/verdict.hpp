// What a limit said about one request or route, with everything a person needs to believe it and to act on
// it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "limits/code.hpp"
#include "profile/profile.hpp"

namespace vsim::limits {

struct Verdict {
  Code code = Code::none;
  bool enforced = true;   // false: observed only (a limit in mode `observe`, or a warning)
  std::string limit_key;  // "duration.default", "maxDuration", "request.body_max"
  std::string limit;      // "10s", "4.49 MB"
  std::string measured;   // "10.0s", "4.6 MB"
  const profile::Provenance* provenance = nullptr;  // lives as long as the profile
  std::string route;                                // "/api/slow"
  std::string file;                                 // "app/api/slow/route.ts", with ":line" when known
  std::string fix;                                  // specific to this case; info(code).fix when empty
};

}  // namespace vsim::limits
