#include "limits/request_body.hpp"

#include <fmt/format.h>

#include "limits/size_text.hpp"

namespace vsim::limits::request_body {

Verdict verdict(const profile::Profile& p, std::optional<std::uint64_t> measured) {
  Verdict v = size_verdict(Code::function_payload_too_large, "request.body_max", p.request_body_max,
                           measured.value_or(p.request_body_max.value));
  if (!measured) {
    v.limit = human_size(p.request_body_max.value);
    v.measured = fmt::format("more than {}", v.limit);
  }
  v.enforced = enforced(p);
  return v;
}

}  // namespace vsim::limits::request_body
