#include "limits/head.hpp"

namespace vsim::limits {

// Each in the file of its name.
namespace method {
HeadLimit over;
}
namespace url_length {
HeadLimit over;
}
namespace header_size {
HeadLimit over;
}
namespace header_count {
HeadLimit over;
}
namespace header_utf8 {
HeadLimit over;
}

std::optional<Verdict> judge(const profile::Profile& profile, const Head& head) {
  static constexpr HeadLimit* kLimits[] = {method::over, url_length::over, header_size::over,
                                           header_count::over, header_utf8::over};
  for (HeadLimit* over : kLimits)
    if (auto verdict = over(profile, head)) return verdict;
  return std::nullopt;
}

}  // namespace vsim::limits
