// What is said when an invocation got no instance, or lost the one it had: the platform's code, and what was
// really the matter. Pure; asked at that moment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "limits/verdict.hpp"

namespace vsim::limits::instance_end {

// The code of a notice and no limits::Code, since no request ends with it: the hooks in Next did not see a
// function begin, and nobody measures its time as the platform does.
inline constexpr std::string_view kHandlerNotSeen = "SIM_HANDLER_NOT_SEEN";

// What the client already had when the instance ended.
enum class Begun : std::uint8_t { nothing, answer, socket };

// What an invocation lost its instance by.
struct Loss {
  Code code = Code::none;  // what the client gets; none: nobody waits for an answer
  std::string cause;       // in words: "process.exit(1)", "killed by signal 9 (SIGKILL)"
  bool asked = false;      // a person ended it, by the live page or the API: no fault of the app
};

// `seen`: a function of its kind was seen to begin before, so that its own begin would have been.
Verdict lost(const Loss&, std::string_view instance, std::string_view route, std::string_view file,
             Begun begun = Begun::nothing, bool seen = true);
Verdict not_placed(Code code, Duration waited, std::string_view route, std::string_view file);

}  // namespace vsim::limits::instance_end
