// Copies that wait for requests to come. One is made in some 10 ms, which requests that follow each other
// would have to share with it: what a burst needs is there before it, and what it has taken is made anew
// behind it.
#include <algorithm>

#include "instance/impl.hpp"

namespace vsim::instance {

using profile::Isolation;

// What waits for bursts has half of the budget.
bool Scheduler::Impl::shares_room(FunctionId f) const {
  std::uint64_t bytes = weight_bound(f);
  for (const auto& [id, i] : instances)
    if (i.from != InstanceId::none && (i.life.is<Bound>() || i.life.is<Spawning>())) bytes += weight(i);
  return bytes <= options.memory_budget / 2;
}

// One of each template waits, so that the next request does not wait for it; and in a lull some of the one
// used last, or as many as came together lately. What is made beside a request takes a processor from
// it.
FunctionId Scheduler::Impl::to_copy(bool in_lull) const {
  if (!started || stopped || !waiters.empty()) return FunctionId::none;
  for (std::size_t k = 0; k < std::min<std::size_t>(recent.size(), options.bound_functions); ++k) {
    const FunctionId f = recent[k];
    if (template_of(f) == InstanceId::none || copies_coming(f) > 0) continue;
    const std::size_t least = k == 0 ? options.copies_ahead : 1;
    // Where an instance goes on, requests that follow each other need one and no more.
    const std::size_t burst = options.isolation == Isolation::invocation ? bursts.of(f) : 0;
    const std::size_t most = std::max(least, std::min<std::size_t>(burst, options.copies_most));
    std::size_t there = 0;
    for (const auto& [id, i] : instances) {
      if (std::find(i.code.begin(), i.code.end(), f) == i.code.end()) continue;
      if (i.life.is<Bound>()) ++there;
      if (i.kept && i.life.usable()) there = most;
    }
    if (there >= (in_lull ? most : 1) || (there >= least && !shares_room(f))) continue;
    return fits(options.memory_budget / 10) ? f : FunctionId::none;
  }
  return FunctionId::none;
}

TimePoint Scheduler::Impl::lull_since() const {
  return std::max(quiet_at, after(bursts.last(), options.refill_delay));
}

std::optional<TimePoint> Scheduler::Impl::copies_due() const {
  if (lull_since() <= now || to_copy(true) == FunctionId::none) return std::nullopt;
  return lull_since();
}

void Scheduler::Impl::copy_ahead() {
  const bool in_lull = lull_since() <= now;
  for (FunctionId f = to_copy(in_lull); f != FunctionId::none; f = to_copy(in_lull))
    copy(template_of(f), true, false);
}

}  // namespace vsim::instance
