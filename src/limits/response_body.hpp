// Limit: size of a response that is not streamed (response.body_max, response.body_mode). On Vercel app/
// streams and has no limit; pages/ and pages/api are buffered and get a 500 (facts sections 2 and 8). Pure;
// asked at the response head, and again at the end for a body whose length was not declared: it has reached
// the client by then, which changes nothing of what the platform would have done with it.
#pragma once

#include <cstdint>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::response_body {

// `buffered`: the function is of pages/ or pages/api, and not of the edge runtime, which streams.
inline bool admits(const profile::Profile& p, bool buffered, std::uint64_t bytes) {
  return !buffered || bytes <= p.response_body_max.value || p.response_body_mode.value == profile::Mode::off;
}
inline bool enforced(const profile::Profile& p) {
  return p.response_body_mode.value == profile::Mode::enforce;
}
Verdict verdict(const profile::Profile& p, std::uint64_t bytes, bool at_head);

}  // namespace vsim::limits::response_body
