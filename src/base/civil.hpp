// The date and the time of day of a moment, in UTC. Pure.
#pragma once

#include <chrono>

#include "base/time.hpp"

namespace vsim {

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
};

inline Civil civil(WallTime wall) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(wall.unix_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss(at - day)};
}

}  // namespace vsim
