// Limit: length of the URL (request.url_max). Vercel's CDN answers 414 before anything else sees the request.
// Pure; asked at admission.
#pragma once

#include <cstdint>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::url_length {

// `bytes`: the request target as sent.
inline bool admits(const profile::Profile& p, std::uint64_t bytes) { return bytes <= p.url_max.value; }
Verdict verdict(const profile::Profile& p, std::uint64_t bytes);

}  // namespace vsim::limits::url_length
