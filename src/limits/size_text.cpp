#include "limits/size_text.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace vsim::limits {

Verdict size_verdict(Code code, std::string key, const profile::Setting<std::uint64_t>& limit,
                     std::uint64_t measured) {
  Verdict v;
  v.code = code;
  v.limit_key = std::move(key);
  v.limit = human_size(limit.value);
  v.measured = human_size(measured);
  if (v.limit == v.measured) {  // a few bytes over
    v.limit = fmt::format("{} B", limit.value);
    v.measured = fmt::format("{} B", measured);
  }
  v.provenance = &limit.from;
  return v;
}

}  // namespace vsim::limits
