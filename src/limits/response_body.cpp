#include "limits/response_body.hpp"

#include "limits/size_text.hpp"

namespace vsim::limits::response_body {

Verdict verdict(const profile::Profile& p, std::uint64_t bytes, bool at_head) {
  Verdict v = size_verdict(Code::function_response_payload_too_large, "response.body_max",
                           p.response_body_max, bytes);
  v.enforced = enforced(p);
  if (!at_head) v.measured += ", sent whole here: its length was not declared";
  return v;
}

}  // namespace vsim::limits::response_body
