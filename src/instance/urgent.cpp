// Templates that do not wait for a pause. Requests of a function that follow each other, or come together,
// each evaluate its modules for themselves as long as it has no template; and while they do, there is no
// pause in which the store would be refilled. So its template is begun beside them: as a process of its own,
// since the spares belong to those requests, and at normal priority, since at a low one it would come last of
// all.
#include <algorithm>

#include "instance/impl.hpp"

namespace vsim::instance {

// Somebody evaluates its modules, or waits for an instance that may have to: the next one like him would have
// a copy.
bool Scheduler::Impl::evaluates(FunctionId f) const {
  return std::any_of(holders.begin(), holders.end(),
                     [&](const auto& e) {
                       const Holder& h = e.second;
                       return h.function == f && h.evaluates && !h.begun;
                     }) ||
         std::any_of(waiters.begin(), waiters.end(),
                     [&](const WaitingInvocation& w) { return w.function == f; });
}

bool Scheduler::Impl::may_have_template(FunctionId f) const {
  return options.templates && !uncopied.contains(f) && !unbindable.contains(f) && !served().contains(f);
}

// Of the functions used last the first that evaluates again. Whoever is the first to evaluate its code, which
// may have to be compiled too, has the machine for himself. One at a time; where room is short, none.
FunctionId Scheduler::Impl::urgent() const {
  if (!started || stopped || options.isolation == profile::Isolation::none) return FunctionId::none;
  if (std::any_of(instances.begin(), instances.end(), [](const auto& e) {
        const Instance& i = e.second;
        return i.destined != FunctionId::none &&
               (i.life.template is<Spawning>() || i.life.template is<Binding>());
      }))
    return FunctionId::none;
  for (std::size_t k = 0; k < std::min<std::size_t>(recent.size(), options.bound_functions); ++k) {
    const FunctionId f = recent[k];
    if (!evaluated.contains(f) || !evaluates(f) || !may_have_template(f)) continue;
    const std::uint64_t weighs = weight_bound(f);
    if (fits(options.memory_budget / 10 + weighs - std::min(weighs, options.memory_estimate))) return f;
  }
  return FunctionId::none;
}

std::optional<TimePoint> Scheduler::Impl::urgent_due() const {
  if (urgent() == FunctionId::none) return std::nullopt;
  return std::max({calm_at, spawn_after, urgent_after, now});
}

// After those that wait have got what can be started for them.
void Scheduler::Impl::hasten() {
  for (auto& [id, i] : instances) {
    const auto* binding = std::get_if<Binding>(&i.life.state());
    if (binding == nullptr || i.raised || !options.templates || uncopied.contains(binding->function) ||
        !evaluates(binding->function))
      continue;
    i.raised = true;
    out->push_back(Raise{id});
  }
  const auto due = urgent_due();
  if (!due || *due > now) return;
  const FunctionId f = urgent();
  spawn(groups.group_of(f), false, false);
  instances.at(static_cast<InstanceId>(last_id)).destined = f;
}

// If that is still wanted. Else it is a spare like others.
void Scheduler::Impl::bind_destined(Instance& i) {
  const FunctionId f = i.destined;
  const std::uint64_t weighs = weight_bound(f);
  const std::uint64_t more = weighs - std::min(weighs, options.memory_estimate);
  const bool is_wanted = !stopped && now >= calm_at && evaluated.contains(f) && may_have_template(f);
  if (is_wanted && total_weight() + more <= options.memory_budget) return bind(i, f, false);
  i.destined = FunctionId::none;
}

// Somebody has to have its room, and would not have waited for it if it had not been begun. It is not begun
// again at once, nor where there is no room for what it was seen to weigh, since it would be given up again.
Instance* Scheduler::Impl::give_up_urgent() {
  for (auto& [id, i] : instances) {
    if (i.destined == FunctionId::none || !(i.life.is<Spawning>() || i.life.is<Binding>())) continue;
    urgent_after = after(now, options.refill_patience);
    std::uint64_t& weighs = bound_weights.try_emplace(i.destined, options.memory_estimate).first->second;
    weighs = std::max(weighs, i.memory);
    return &i;
  }
  return nullptr;
}

}  // namespace vsim::instance
