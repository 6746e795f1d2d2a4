// What is said of a response that ended before it was whole: by the function itself (`res.destroy()`, a
// stream that failed), or because its connection broke. Before the head it is the platform's
// NO_RESPONSE_FROM_FUNCTION, a violation; after it a warning, since the client gets the same piece of it here
// and there. Pure; asked when a connection to the app has failed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "limits/verdict.hpp"

namespace vsim::limits::broken_off {

// What the function told; `message` may be empty, `source` too ("app/x/route.ts:3:9").
struct Cause {
  std::string message, source;
};

enum class How : std::uint8_t { nothing, garbage, truncated };  // what had come of the response

// `cause`: null where only a broken connection was seen.
Verdict verdict(How how, const Cause* cause, std::string_view route, std::string_view file);

}  // namespace vsim::limits::broken_off
