// Limit: size of the request body (request.body_max, request.body_mode). Vercel refuses a larger one with 413
// before any of the app's code runs (facts section 2). A body of declared length is judged at admission; one
// of unknown length is metered while it streams. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/text.hpp"
#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::request_body {

// False: the declared length is over the limit and the mode is not `off`.
inline bool admits(const profile::Profile& p, std::optional<std::uint64_t> content_length) {
  return !content_length || *content_length <= p.request_body_max.value ||
         p.request_body_mode.value == profile::Mode::off;
}
// Where the meter must strike; kUnlimited when there is nothing to meter.
inline std::uint64_t meter(const profile::Profile& p, bool unknown_length) {
  return unknown_length && p.request_body_mode.value != profile::Mode::off ? p.request_body_max.value
                                                                           : kUnlimited;
}
inline bool enforced(const profile::Profile& p) {
  return p.request_body_mode.value == profile::Mode::enforce;
}
// `measured`: the declared length, or nullopt when a body of unknown length passed the limit.
Verdict verdict(const profile::Profile& p, std::optional<std::uint64_t> measured);

}  // namespace vsim::limits::request_body
