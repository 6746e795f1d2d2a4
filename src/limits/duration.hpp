// Limit: how long a function may run (duration.*, edge.*, and the function's own maxDuration). Vercel counts
// from the start of the handler to the last byte of the response (facts section 1). Pure: computes limits and
// words verdicts; the invocation keeps the time.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::duration {

// What the function's configuration asks for.
struct Ask {
  std::optional<Duration> value;  // maxDuration
  bool max = false;               // maxDuration: "max"
  bool edge = false;              // runtime = 'edge': maxDuration plays no part
};

enum class LimitOrigin : std::uint8_t {
  profile_default,  // duration.default
  function,         // maxDuration
  capped,           // maxDuration above the plan's maximum: the maximum
  edge,             // edge.first_byte and edge.duration_max
};

struct Limit {
  Duration first_byte = kForever;  // no response head by then: 504; kForever: only `total` counts
  Duration total = kForever;       // the response must have ended by then
  LimitOrigin from = LimitOrigin::profile_default;
  Duration asked{};  // of `capped`: what maxDuration said
  bool operator==(const Limit&) const = default;
};

// The plan's ceiling is duration.extended_max where it is above duration.max: maxDuration in code or
// vercel.json may ask for it (facts 1.1). "max" is duration.max, which needs no opting in to a beta.
Limit limit_for(const profile::Profile& p, const Ask& ask);

// limit / scale, but never below one second of real time, unless it already was shorter. kForever stays.
Duration scaled(Duration limit, double scale);

// An invocation whose limit has passed.
struct Strike {
  Limit limit;               // not scaled
  bool before_head = false;  // decides which bound of an edge function it was
  bool tunnel = false;       // a WebSocket: SIM_WEBSOCKET_CLOSED_AT_LIMIT
  Duration charged{};
  bool busy = false;  // the event loop, all the time before that
  double scale = 1;
  Duration grace{};  // compile grace that was added
  std::string_view route, file;
  std::string_view config_file;  // where maxDuration stands, when `from` is function or capped
  int config_line = 0;
  std::string_view kind;  // routes::to_string(Kind): picks the syntax of the fix
};
Verdict verdict(const profile::Profile& p, const Strike& strike);

}  // namespace vsim::limits::duration
