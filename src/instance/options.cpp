#include "instance/options.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace vsim::instance {

SchedulerOptions options_for(const profile::Profile& p, std::uint64_t seed) {
  SchedulerOptions o;
  o.isolation = p.isolation.value;
  o.seed = seed;
  o.memory_max = p.memory_max.value;
  o.memory_mode = p.memory_mode.value;
  constexpr std::string_view kSpread = "spread:";
  const std::string_view placement = p.placement.value;
  if (placement.starts_with(kSpread))
    std::from_chars(placement.data() + kSpread.size(), placement.data() + placement.size(), o.spread);
  o.freeze_idle = o.isolation == profile::Isolation::instance;
  // A warm instance is the rule there, and a spare of the group's own only shortens the rare cold start.
  if (o.isolation != profile::Isolation::invocation) {
    o.spares = 1;
    o.bound_functions = 0;
  }
  return o;
}

std::uint64_t memory_budget_for(const profile::Profile& p, std::uint64_t machine) {
  const std::uint64_t most = SchedulerOptions{}.memory_budget;
  return p.memory_budget.value.value_or(machine == 0 ? most : std::min(most, machine / 4));
}

}  // namespace vsim::instance
