// Limits: size of one header (request.header_max) and of all of them (request.headers_max), names and values.
// 431. Pure; asked at admission.
#pragma once

#include <cstdint>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::header_size {

inline bool admits(const profile::Profile& p, std::uint64_t largest, std::uint64_t total) {
  return largest <= p.header_max.value && total <= p.headers_max.value;
}
// Names the single header when that one is too large, else the sum.
Verdict verdict(const profile::Profile& p, std::uint64_t largest, std::uint64_t total);

}  // namespace vsim::limits::header_size
