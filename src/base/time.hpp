// Time as an argument. The pure modules see only these types and never a clock: `SimClock` has no now(). One
// file in app/ reads the machine's monotonic clock and hands moments in; tests make their own. Wall time is
// for display and ids, never for intervals.
#pragma once

#include <chrono>
#include <cstdint>

namespace vsim {

using Duration = std::chrono::nanoseconds;

struct SimClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SimClock>;
  static constexpr bool is_steady = true;
};
using TimePoint = SimClock::time_point;  // a moment on the monotonic axis

// Milliseconds since 1970-01-01 UTC, for people and for x-vercel-id.
struct WallTime {
  std::int64_t unix_ms = 0;
};

// Stands for "no limit". Larger than any duration a profile may hold.
inline constexpr Duration kForever = Duration::max();

// now + d without overflow: TimePoint::max() when d is kForever.
constexpr TimePoint after(TimePoint now, Duration d) {
  return d >= TimePoint::max() - now ? TimePoint::max() : now + d;
}

}  // namespace vsim
