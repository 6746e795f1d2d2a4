// The one place that reads the machine's clocks.
#pragma once

#include <chrono>

#include "base/time.hpp"

namespace vsim::app {

inline TimePoint now() { return TimePoint(std::chrono::steady_clock::now().time_since_epoch()); }
inline std::chrono::steady_clock::time_point to_steady(TimePoint t) {
  return std::chrono::steady_clock::time_point(t.time_since_epoch());
}
inline WallTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::milliseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

// The wall time of `at`, which is now() or a moment ago. Reads the second clock only now and then: on the
// path of every request.
inline WallTime wall_at(TimePoint at) {
  constexpr Duration kTrusted = std::chrono::milliseconds(50);
  static thread_local TimePoint read_at{};
  static thread_local std::chrono::system_clock::time_point read;
  if (at - read_at > kTrusted || at < read_at) {
    read_at = at;
    read = std::chrono::system_clock::now();
  }
  return {std::chrono::duration_cast<std::chrono::milliseconds>(read.time_since_epoch() + (at - read_at))
              .count()};
}

}  // namespace vsim::app
