// Which instance an invocation gets.
#include <algorithm>
#include <utility>

#include "instance/impl.hpp"

namespace vsim::instance {

using profile::Isolation;

std::uint32_t Scheduler::Impl::slots(GroupId g) const {
  if (options.isolation != Isolation::fluid) return 1;
  return std::max<std::uint32_t>(1, groups.max_concurrency(g).value_or(options.slots));
}

bool Scheduler::Impl::nested(const WaitingInvocation& w) const { return holders.contains(w.parent); }

bool Scheduler::Impl::nested_wait() const {
  return std::any_of(waiters.begin(), waiters.end(), [&](const WaitingInvocation& w) { return nested(w); });
}

// What was started above the cap is for the requests that the cap's holders wait for.
bool Scheduler::Impl::has_room(const Instance& i, const WaitingInvocation& w) const {
  return i.life.usable() && i.life.leases() < slots(groups.group_of(w.function)) &&
         (!i.over_cap || nested(w) || !nested_wait());
}

Seats& Scheduler::Impl::seats_of(GroupId g) {
  const auto [it, made] = seats.try_emplace(
      g, Seats{{}, {}, Rng(options.seed ^ (static_cast<std::uint64_t>(g) * 0x9e3779b97f4a7c15ull))});
  if (made) it->second.at.resize(options.spread, InstanceId::none);
  return it->second;
}

std::size_t Scheduler::Impl::next_turn(Seats& s) {
  if (s.round.empty()) {
    for (std::size_t k = 0; k < options.spread; ++k) s.round.push_back(k);
    for (std::size_t k = s.round.size(); k > 1; --k) std::swap(s.round[k - 1], s.round[s.rng.next() % k]);
  }
  const std::size_t turn = s.round.back();
  s.round.pop_back();
  return turn;
}

void Scheduler::Impl::seat(Instance& i, std::size_t place) {
  Seats& s = seats_of(i.group);
  if (place >= s.at.size()) s.at.resize(place + 1, InstanceId::none);
  s.at[place] = i.id;
}

void Scheduler::Impl::unseat(const Instance& i) {
  const auto it = seats.find(i.group);
  if (it != seats.end()) std::replace(it->second.at.begin(), it->second.at.end(), i.id, InstanceId::none);
}

Instance* Scheduler::Impl::fresh(const WaitingInvocation& w, GroupId g) {
  Instance* spare = nullptr;
  Instance* sibling = nullptr;
  for (auto& [id, i] : instances) {
    if (const auto* b = std::get_if<Bound>(&i.life.state())) {
      // A copy has its function's modules and nothing else: it belongs where the function does.
      if (i.group != g && !(i.from != InstanceId::none && b->function == w.function)) continue;
      if (b->function == w.function) return &i;
      // It has evaluated another function's modules: no matter where functions share, visible where each
      // invocation must find a clean process.
      if (sibling == nullptr && options.isolation != Isolation::invocation) sibling = &i;
    } else if (spare == nullptr && i.life.is<Spare>() && has_room(i, w)) {
      spare = &i;
    }
  }
  // A copy of the template is there before a spare has evaluated the modules.
  if (template_of(w.function) != InstanceId::none && (copies_coming(w.function) > 0 || fits(0)))
    return nullptr;
  return spare != nullptr ? spare : sibling;
}

// What is prerendered is made once, at build, and is no invocation: no visitor meets the memory of what made
// it. Middleware stands before most requests, and remembers nothing as a rule. Neither needs an instance of
// its own for each request, as long as none of them has left something in memory or behind.
bool Scheduler::Impl::may_be_kept(FunctionId f) const {
  const GroupedFunction& function = groups.function(f);
  return function.config.prerender || function.pool == Pool::middleware;
}

Instance* Scheduler::Impl::kept_for(const WaitingInvocation& w, GroupId g) {
  if (!may_be_kept(w.function)) return nullptr;
  for (auto& [id, i] : instances)
    if (i.kept && i.group == g && i.life.is<Idle>() && has_room(i, w)) return &i;
  return nullptr;
}

// One that is at work on such a request and would come back as it was. That is waited for, but no longer than
// a fresh one needs to begin: until then, nullopt: not waited for.
std::optional<TimePoint> Scheduler::Impl::waits_for_kept(const WaitingInvocation& w) const {
  if (options.isolation != Isolation::invocation || !may_be_kept(w.function) || nested(w))
    return std::nullopt;
  const TimePoint until = after(w.arrived, std::min(fresh_takes, options.kept_patience));
  const GroupId g = groups.group_of(w.function);
  const bool comes_back = std::any_of(instances.begin(), instances.end(), [&](const auto& e) {
    const Instance& i = e.second;
    return i.kept && i.group == g && i.life.template is<Leased>() &&
           keeps(i, holders.at(i.holders.front()).function);
  });
  return comes_back && until > now ? std::optional(until) : std::nullopt;
}

// One is enough for a group.
bool Scheduler::Impl::keeps(const Instance& i, FunctionId f) const {
  return may_be_kept(f) && groups.group_of(f) == i.group && !i.over_cap &&
         std::none_of(instances.begin(), instances.end(), [&](const auto& e) {
           const Instance& other = e.second;
           return other.id != i.id && other.kept && other.group == i.group && other.life.usable();
         });
}

Instance* Scheduler::Impl::with_room(const WaitingInvocation& w, GroupId g, std::size_t first) {
  const Seats& s = seats_of(g);
  for (std::size_t k = 0; k < s.at.size(); ++k) {
    Instance* i = find(s.at[(first + k) % s.at.size()]);
    if (i != nullptr && has_room(*i, w)) return i;
  }
  return nullptr;
}

// Seats it too, if it is new to its group. nullptr: wait.
Instance* Scheduler::Impl::choose(WaitingInvocation& w) {
  const GroupId g = groups.group_of(w.function);
  if (options.isolation == Isolation::invocation) {
    Instance* kept = kept_for(w, g);
    if (kept != nullptr) return kept;
    return waits_for_kept(w) ? nullptr : fresh(w, g);
  }
  Seats& s = seats_of(g);
  const bool new_group = w.group != g;
  w.group = g;
  std::size_t place = 0;
  if (options.spread > 0) {
    if (new_group) w.seat = next_turn(s);  // drawn once, in order of arrival, whatever happens meanwhile
    Instance* i = find(s.at[w.seat]);
    if (i != nullptr) {
      if (has_room(*i, w)) return i;
      if (Instance* other = with_room(w, g, w.seat + 1)) return other;
      place = static_cast<std::size_t>(std::find(s.at.begin(), s.at.end(), InstanceId::none) - s.at.begin());
    } else {
      place = w.seat;
    }
  } else {
    if (Instance* i = with_room(w, g, 0)) return i;
    place = static_cast<std::size_t>(std::find(s.at.begin(), s.at.end(), InstanceId::none) - s.at.begin());
  }
  Instance* i = fresh(w, g);
  if (i == nullptr) {
    // Taking turns gives way to the cap, or two would evict each other's instance for ever.
    return options.spread > 0 && !can_grow(g) ? with_room(w, g, w.seat) : nullptr;
  }
  i->group = g;
  seat(*i, place);
  return i;
}

void Scheduler::Impl::grant(const WaitingInvocation& w, Instance& i) {
  Start start = Start::warm;
  if (i.life.is<Bound>())
    start = w.queued && i.from != InstanceId::none ? Start::cold : Start::bound;
  else if (i.life.is<Spare>())
    start = w.queued ? Start::cold : Start::spare;
  thaw(i);
  const GroupId g = groups.group_of(w.function);
  i.group = g;
  if (i.code.empty()) i.generation = generation;
  step(i, [&](InstanceLifecycle& l) { return l.lease(slots(g)); });
  i.last_used = now;
  if (i.holders.empty()) i.heard = now;
  i.holders.push_back(w.invocation);
  const bool evaluates = std::find(i.code.begin(), i.code.end(), w.function) == i.code.end();
  if (evaluates) {
    i.code.push_back(w.function);
    if (options.init_limit != kForever)
      i.inits.push_back({w.invocation, w.function, options.init_limit, now, {}, unserved(i)});
  }
  Lease lease(ledger, w.invocation, i.id);
  Holder& h = holders[w.invocation];
  h = {.serial = ledger->granted,
       .instance = i.id,
       .function = w.function,
       .parent = w.parent,
       .depth = w.depth,
       .took_spare = start != Start::warm,
       .evaluates = evaluates,
       .placed = now};
  if (w.left) h.left = now;
  by_serial.emplace(h.serial, w.invocation);
  out->push_back(Placement{w.invocation, i.id, start, now - w.arrived, std::move(lease)});
}

bool Scheduler::Impl::try_place(WaitingInvocation& w) {
  Instance* i = choose(w);
  if (i == nullptr) {
    w.queued = true;
    return false;
  }
  grant(w, *i);
  return true;
}

void Scheduler::Impl::place_waiting() {
  const auto unused = [](const auto& entry) {
    const InstanceLifecycle& life = entry.second.life;
    return life.template is<Spare>() || life.template is<Bound>() || life.template is<Idle>();
  };
  for (auto w = waiters.begin(); w != waiters.end();) {
    if (options.isolation == Isolation::invocation &&
        std::none_of(instances.begin(), instances.end(), unused)) {
      for (; w != waiters.end(); ++w) w->queued = true;
      return;
    }
    w = try_place(*w) ? waiters.erase(w) : std::next(w);
  }
}

}  // namespace vsim::instance
