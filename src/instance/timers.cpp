// When something is due, and what is done then.
#include <algorithm>

#include "instance/impl.hpp"

namespace vsim::instance {

using limits::Code;

// Given something that has not begun, with nothing on it that has a limit of its own: what an earlier request
// has left behind may keep its event loop busy for ever, or somebody has stopped it.
bool Scheduler::Impl::waits_for_turn(const Instance& i) const {
  if (options.init_limit == kForever || i.holders.empty() || i.dev_calls > 0 || i.ping_due) return false;
  return std::none_of(i.inits.begin(), i.inits.end(), [](const Init& init) { return !init.asked; }) &&
         std::none_of(i.holders.begin(), i.holders.end(),
                      [&](InvocationId h) { return holders.at(h).begun; });
}

std::optional<TimePoint> Scheduler::Impl::due(const Instance& i) const {
  std::optional<TimePoint> at;
  const auto sooner = [&](TimePoint t) {
    if (t != TimePoint::max() && (!at || t < *at)) at = t;
  };
  if (i.life.is<Spawning>())
    sooner(after(i.spawned_at, i.from == InstanceId::none ? options.spawn_limit : options.copy_limit));
  if (i.life.is<Idle>()) sooner(after(i.last_used, options.idle_expiry));
  if (i.ping_due) sooner(*i.ping_due);
  if (waits_for_turn(i)) sooner(after(i.heard, options.turn_limit));
  if (i.dev_calls == 0)
    for (const Init& init : i.inits)
      if (!init.asked) sooner(after(init.since, init.left));
  return at;
}

void Scheduler::Impl::strike(Instance& i) {
  if (i.life.is<Spawning>()) {
    kill(i, Why::spawn_timeout, Code::none);
    if (i.from != InstanceId::none) return copy_failed(i);
    return spawn_failed(Code::sim_not_ready);  // none of the app's code has run in it
  }
  if (i.life.is<Idle>()) return kill(i, Why::idle, Code::none);
  // On the platform it has a processor of its own: what it waited for one here is not counted.
  constexpr Duration kWorthIt = std::chrono::milliseconds(50);
  if (i.ping_due && *i.ping_due <= now) {
    const Duration more = unserved(i) - i.ping_unserved;
    if (more < kWorthIt) return kill(i, Why::unresponsive, Code::function_invocation_failed);
    i.ping_unserved += more;
    i.ping_due = after(*i.ping_due, more);
    return;
  }
  const auto late = std::find_if(i.inits.begin(), i.inits.end(), [&](const Init& init) {
    return !init.asked && after(init.since, init.left) <= now;
  });
  if (late == i.inits.end()) return ask(i);
  if (const Duration more = unserved(i) - late->unserved; more >= kWorthIt) {
    late->left += more;
    late->unserved += more;
    return;
  }
  const InvocationId invocation = late->invocation;
  if (invocation == InvocationId::none) {
    cannot_bind(late->function);
    return kill(i, Why::init_timeout, Code::none);
  }
  if (i.holders.size() > 1) {
    late->asked = now;
    out->push_back(Ping{i.id});
    return;
  }
  init_failed(i, invocation);
}

void Scheduler::Impl::init_failed(Instance& i, InvocationId invocation) {
  lose(i, invocation, Code::function_invocation_timeout, Why::init_timeout);
  overdue(i, Why::init_timeout);
}

void Scheduler::Impl::answered(Instance& i) {
  i.ping_due.reset();
  i.heard = now;
  std::vector<InvocationId> hung;
  for (Init& init : i.inits) {
    if (!init.asked) continue;
    if (now - *init.asked <= options.ping_limit) {
      hung.push_back(init.invocation);
    } else {  // it had no turn before: it has one now
      init.asked.reset();
      init.left = options.init_limit;
      init.since = now;
    }
  }
  for (const InvocationId invocation : hung) init_failed(i, invocation);
}

std::optional<TimePoint> Scheduler::next_wakeup() const {
  const Impl& s = *impl_;
  if (!s.ledger->dropped.empty()) return s.now;
  std::optional<TimePoint> at = s.refill_due();
  for (const auto& due : {s.urgent_due(), s.copies_due()})
    if (due && (!at || *due < *at)) at = due;
  for (const auto& [id, i] : s.instances) {
    const auto t = s.due(i);
    if (t && (!at || *t < *at)) at = t;
  }
  for (const WaitingInvocation& w : s.waiters) {
    const auto t = s.waits_for_kept(w);
    if (t && (!at || *t < *at)) at = t;
  }
  return at ? std::optional(std::max(*at, s.now)) : std::nullopt;
}

void Scheduler::wake(TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  for (auto& [id, i] : s.instances)
    for (auto t = s.due(i); t && *t <= s.now; t = s.due(i)) s.strike(i);
  s.settle();
}

}  // namespace vsim::instance
