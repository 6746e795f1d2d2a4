#include "limits/instance_end.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace vsim::limits::instance_end {

Verdict lost(const Loss& loss, std::string_view instance, std::string_view route, std::string_view file,
             Begun begun, bool seen) {
  const auto& [code, cause, asked] = loss;
  Verdict v;
  v.code = code;
  v.enforced = !asked;
  v.measured = instance.empty() ? cause
               : cause.empty()  ? fmt::format("instance {} ended", instance)
                                : fmt::format("instance {}: {}", instance, cause);
  if (begun == Begun::answer) v.measured += "; its answer had begun and was cut off";
  if (begun == Begun::socket) v.measured += "; its WebSocket was cut off";
  v.route = route;
  v.file = file;
  if (asked)
    v.fix =
        "Nothing: the function has not crashed, its instance was ended by whoever has the link of the live "
        "page. What became of its requests is what becomes of them in a crash.";
  // A limit of time, not a crash.
  if (code == Code::function_invocation_timeout || code == Code::middleware_invocation_timeout)
    v.fix =
        "The function's modules were evaluated for too long before the handler was called. Move work at the "
        "top "
        "of modules into the handler or behind a dynamic import, and open connections when they are first "
        "used.";
  if (code == Code::function_invocation_timeout && !seen)
    v.fix +=
        " If they are quick, this Next calls handlers in a way that vercel-sim does not see (vercel-sim "
        "explain SIM_HANDLER_NOT_SEEN): none of this kind has been seen to begin in this run.";
  return v;
}

Verdict not_placed(Code code, Duration waited, std::string_view route, std::string_view file) {
  Verdict v;
  v.code = code;
  if (code == Code::infinite_loop_detected)
    v.measured = "requests of the app to itself, one inside the other";
  else if (code == Code::function_throttled)
    v.measured = "too many wait for an instance";
  else if (code == Code::function_invocation_failed || code == Code::middleware_invocation_failed)
    v.measured = "no instance starts: see its output above";
  if (waited >= std::chrono::milliseconds(1)) {
    if (!v.measured.empty()) v.measured += ", ";
    v.measured += "waited " + human_duration(waited);
  }
  v.route = route;
  v.file = file;
  return v;
}

}  // namespace vsim::limits::instance_end
