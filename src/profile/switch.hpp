// What differs between two profiles, and which plan comes next: for `profiles diff`, and for a run whose plan
// is switched. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.hpp"

namespace vsim::profile {

// A key whose values differ, with its values as they are written.
struct Difference {
  std::string_view key;
  std::string from, to;
};
std::vector<Difference> differences(const Profile& from, const Profile& to);

// hobby, hobby-fluid, pro, pro-fluid, enterprise, enterprise-fluid, and again. After any other comes the
// first.
std::string_view next_plan(std::string_view name);

}  // namespace vsim::profile
