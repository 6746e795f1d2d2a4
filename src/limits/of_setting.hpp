// What the verdicts of a setting of the profile have in common. Pure; used by the limits of this module.
#pragma once

#include <string_view>

#include "limits/verdict.hpp"

namespace vsim::limits {

// Without what the limit is and what was measured. `key`: the setting's name.
template <class T>
Verdict of_setting(Code code, std::string_view key, const profile::Setting<T>& setting,
                   std::string_view route, std::string_view file) {
  Verdict v;
  v.code = code;
  v.limit_key = key;
  v.provenance = &setting.from;
  v.route = route;
  v.file = file;
  return v;
}

}  // namespace vsim::limits
