// Rule: header values are UTF-8 (docs/platform.md section 2, MALFORMED_REQUEST_HEADER). No number, so
// no profile key. Pure.
#pragma once

#include "limits/verdict.hpp"

namespace vsim::limits::header_utf8 {

Verdict verdict();

}  // namespace vsim::limits::header_utf8
