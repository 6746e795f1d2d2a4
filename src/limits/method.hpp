// Rule: CONNECT and TRACE never reach a deployment (405, INVALID_REQUEST_METHOD). Pure; asked at admission.
#pragma once

#include <string_view>

#include "limits/verdict.hpp"

namespace vsim::limits::method {

inline bool admits(std::string_view name) { return name != "CONNECT" && name != "TRACE"; }
Verdict verdict(std::string_view name);

}  // namespace vsim::limits::method
