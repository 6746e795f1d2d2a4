// Rule: what one instance remembers does not exist in another (docs/platform.md section 8). Nothing
// is refused: the app itself fails, and the verdict says why, where it can be told. Pure.
#pragma once

#include <string_view>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::shared_state {

// engine.io answers 400 {"code":1,"message":"Session ID unknown"} where a session is not its own
// (facts 4a). Bodies are not read: a request with `EIO` and `sid` in its query that gets a 400 is taken for
// it.
bool session_unknown(std::string_view target, int status);
inline constexpr std::string_view kSessionUnknown =
    "Socket.IO session unknown: it was opened on another instance";

// `evidence`: what was seen, in words.
Verdict verdict(const profile::Profile& p, profile::Isolation isolation, std::string_view evidence,
                std::string_view route, std::string_view file);

// Between middleware and functions, or between two requests of middleware.
Verdict of_middleware(const profile::Profile& p, std::string_view evidence, std::string_view route,
                      std::string_view file);

}  // namespace vsim::limits::shared_state
