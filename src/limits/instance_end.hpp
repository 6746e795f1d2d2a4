// What is said when an invocation got no instance, or lost the one it had: the platform's code, and what was
// really the matter. Pure; asked at that moment.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "limits/verdict.hpp"

namespace vsim::limits::instance_end {

// The code of a notice and no limits::Code, since no request ends with it: the hooks in Next did not see a
// function begin, and nobody measures its time as the platform does.
inline constexpr std::string_view kHandlerNotSeen = "SIM_HANDLER_NOT_SEEN";

// What the client already had when the instance ended.
enum class Begun : std::uint8_t { nothing, answer, socket };

// `seen`: a function of its kind was seen to begin before, so that its own begin would have been.
// `cause`: how the instance died, in words: "process.exit(1)", "killed by signal 9 (SIGKILL)".
Verdict lost(Code code, std::string_view instance, std::string_view cause, std::string_view route,
             std::string_view file, Begun begun = Begun::nothing, bool seen = true);
Verdict not_placed(Code code, Duration waited, std::string_view route, std::string_view file);

}  // namespace vsim::limits::instance_end
