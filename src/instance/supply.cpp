// Which instances there are: started for those that wait, kept in store for those to come, given up when room
// is needed.
#include <algorithm>
#include <set>
#include <utility>

#include "instance/impl.hpp"

namespace vsim::instance {

using profile::Isolation;

namespace {

// A heap does so by itself in the first hundred requests.
constexpr std::uint64_t kHeapMoves = 64'000'000;

template <class S, class Map>
std::size_t count(const Map& instances) {
  return static_cast<std::size_t>(std::count_if(
      instances.begin(), instances.end(), [](const auto& e) { return e.second.life.template is<S>(); }));
}

}  // namespace

// How many instances those that wait could use, besides the ones there are.
std::size_t Scheduler::Impl::demand() const {
  if (options.isolation == Isolation::invocation)
    return static_cast<std::size_t>(std::count_if(
        waiters.begin(), waiters.end(), [&](const WaitingInvocation& w) { return !waits_for_kept(w); }));
  std::set<std::pair<GroupId, std::size_t>> turns;  // empty seats waited for
  std::map<GroupId, std::size_t> others;
  for (const WaitingInvocation& w : waiters) {
    const auto s = seats.find(w.group);
    if (options.spread > 0 && s != seats.end() && s->second.at[w.seat] == InstanceId::none)
      turns.emplace(w.group, w.seat);
    else
      ++others[groups.group_of(w.function)];
  }
  std::size_t n = turns.size();
  for (const auto& [g, waiting] : others) n += (waiting + slots(g) - 1) / slots(g);
  return n;
}

// What a copy shares counts with its template as long as that is there, and then in each.
std::uint64_t Scheduler::Impl::measured(const Instance& i) const {
  if (i.memory == 0) return options.memory_estimate;
  return i.memory - (instances.contains(i.from) ? i.shared : 0);
}

// The room of one that goes because it has grown, as soon as the others let it, is as good as there: they are
// not to wait for it. There is one such at a time.
std::uint64_t Scheduler::Impl::weight(const Instance& i) const {
  const auto* retired = std::get_if<Retired>(&i.life.state());
  if (retired != nullptr && retired->why == Why::grown) return 0;
  const std::uint64_t known = measured(i);
  const auto* binding = std::get_if<Binding>(&i.life.state());
  return binding == nullptr ? known : std::max(known, weight_bound(binding->function));
}

std::uint64_t Scheduler::Impl::weight_bound(FunctionId f) const {
  const auto known = bound_weights.find(f);
  return known == bound_weights.end() ? options.memory_estimate : known->second;
}

std::uint64_t Scheduler::Impl::total_weight() const {
  std::uint64_t bytes = 0;
  for (const auto& [id, i] : instances) bytes += weight(i);
  return bytes;
}

// One more, with `reserve` bytes to spare. The first one always does.
bool Scheduler::Impl::fits(std::uint64_t reserve) const {
  if (instances.empty()) return true;
  return instances.size() < options.max_instances &&
         total_weight() + options.memory_estimate + reserve <= options.memory_budget;
}

bool Scheduler::Impl::all_holders_wait() const {
  return !holders.empty() && std::all_of(holders.begin(), holders.end(), [](const auto& e) {
    return e.second.children > 0 || e.second.waits;
  });
}

// It leaks, or keeps what it has made: where room is needed a fresh one is the better one, and the others
// should not go for its sake.
bool Scheduler::Impl::has_grown(const Instance& i) const {
  return i.life.usable() && i.memory_at_first > 0 &&
         i.memory > i.memory_at_first + std::max(kHeapMoves, options.memory_budget / 4);
}

Instance* Scheduler::Impl::most_grown() {
  Instance* most = nullptr;
  for (auto& [id, i] : instances)
    if (has_grown(i) && (most == nullptr || i.memory > most->memory)) most = &i;
  return most;
}

Instance* Scheduler::Impl::least_recently_used() {
  Instance* oldest = nullptr;
  for (auto& [id, i] : instances) {
    if (!(i.life.usable() || i.life.is<Template>()) || i.life.leases() > 0 || i.over_cap) continue;
    if (oldest == nullptr || i.last_used < oldest->last_used) oldest = &i;
  }
  return oldest;
}

Instance* Scheduler::Impl::least_wanted() {
  Instance* best = nullptr;
  TimePoint best_left{};
  for (auto& [id, i] : instances) {
    if (!i.life.living() || i.holders.empty()) continue;
    TimePoint last = TimePoint::min();
    for (const InvocationId h : i.holders)
      last = std::max(last, holders.at(h).left.value_or(TimePoint::max()));
    if (last == TimePoint::max()) continue;
    if (best == nullptr || last < best_left) {
      best = &i;
      best_left = last;
    }
  }
  return best;
}

// Whether waiting can bring the group another instance without taking one of its own.
bool Scheduler::Impl::can_grow(GroupId g) const {
  if (fits(0)) return true;
  return std::any_of(instances.begin(), instances.end(), [&](const auto& e) {
    const InstanceLifecycle& l = e.second.life;
    return l.template is<Spawning>() || l.template is<Dying>() || l.template is<Binding>() ||
           l.template is<Template>() ||
           (l.usable() && l.leases() == 0 && e.second.group != g && !e.second.over_cap);
  });
}

void Scheduler::Impl::spawn(GroupId likely, bool background, bool over_cap) {
  const auto id = static_cast<InstanceId>(++last_id);
  Instance& i = instances[id];
  i.id = id;
  i.spawned_at = i.last_used = now;
  i.over_cap = over_cap;
  out->push_back(Spawn{id, likely, background});
}

InstanceId Scheduler::Impl::template_of(FunctionId f) const {
  for (const auto& [id, i] : instances)
    if (i.life.is<Template>() && i.code.front() == f) return id;
  return InstanceId::none;
}

std::size_t Scheduler::Impl::copies_coming(FunctionId f) const {
  return static_cast<std::size_t>(std::count_if(instances.begin(), instances.end(), [f](const auto& e) {
    const Instance& i = e.second;
    return i.life.template is<Spawning>() && i.from != InstanceId::none && i.code.front() == f;
  }));
}

// It has what its template has, and is as old as that: a change of the code finds it while it starts.
void Scheduler::Impl::copy(InstanceId id, bool background, bool over_cap) {
  Instance& of = instances.at(id);
  const GroupId group = groups.group_of(of.code.front());  // may be another one than when it began
  spawn(group, background, over_cap);
  Instance& i = instances.at(static_cast<InstanceId>(last_id));
  i.from = id;
  i.group = group;
  i.generation = of.generation;
  i.code = of.code;
  i.files = of.files;
  i.files_told = of.files_told;
  of.last_used = now;
  std::get<Spawn>(out->back()).from = id;
}

void Scheduler::Impl::spawn_for(FunctionId f, bool background, bool over_cap) {
  if (const InstanceId t = template_of(f); t != InstanceId::none) return copy(t, background, over_cap);
  spawn(groups.group_of(f), background, over_cap);
}

void Scheduler::Impl::meet_demand() {
  if (waiters.empty() || stopped) return;
  const std::size_t need = demand();
  const std::size_t wanted = std::min<std::size_t>(need, std::max<std::uint32_t>(1, options.spawns_at_once));
  std::map<FunctionId, std::size_t> copies;  // that come
  std::size_t spares = 0;                    // the same
  for (const auto& [id, i] : instances) {
    if (!i.life.is<Spawning>() || i.destined != FunctionId::none) continue;
    ++(i.from == InstanceId::none ? spares : copies[i.code.front()]);
  }
  const bool spares_come = spares > 0;
  std::vector<FunctionId> wants;  // of those whom nothing that comes is for
  std::size_t coming = 0;
  for (const WaitingInvocation& w : waiters) {
    if (waits_for_kept(w)) continue;
    std::size_t& copied = copies[w.function];
    // Who can have a copy takes no spare (fresh()), though one may have been begun for him before there was a
    // template.
    const bool takes_spare = copied == 0 && !(template_of(w.function) != InstanceId::none && fits(0));
    std::size_t& comes = takes_spare ? spares : copied;
    if (comes == 0) {
      wants.push_back(w.function);
    } else {
      --comes;
      ++coming;
    }
  }
  for (auto f = wants.begin(); coming < wanted && f != wants.end() && fits(0); ++coming, ++f)
    spawn_for(*f, false, false);
  // The room of those that are dying is as good as there.
  for (coming += count<Dying>(instances); coming < wanted; ++coming) {
    Instance* i = most_grown();
    Why why = Why::grown;
    if (i == nullptr || i->life.leases() > 0) {
      i = least_recently_used();
      why = Why::memory;
    }
    if (i == nullptr) i = give_up_urgent();
    if (i == nullptr) {
      i = least_wanted();
      why = Why::abandoned;
    }
    if (i == nullptr) break;
    kill(*i, why, limits::Code::none);
  }
  // Nothing will ever be free: each one that holds an instance waits for one that has none.
  if (coming == 0 && !spares_come && count<Binding>(instances) == 0 && all_holders_wait()) {
    const auto first =
        std::find_if(waiters.begin(), waiters.end(), [&](const WaitingInvocation& w) { return nested(w); });
    spawn_for((first == waiters.end() ? waiters.front() : *first).function, false, true);
  }
}

void Scheduler::Impl::trim() {
  const bool above = instances.size() > options.max_instances || total_weight() > options.memory_budget;
  const auto kept = recent.begin() + static_cast<std::ptrdiff_t>(
                                         std::min<std::size_t>(recent.size(), options.bound_functions));
  for (auto& [id, i] : instances) {
    if (i.over_cap && !above) i.over_cap = false;
    if (i.over_cap && i.life.usable() && i.life.leases() == 0 && !nested_wait())
      kill(i, Why::surplus, limits::Code::none);
    if (!i.life.is<Bound>() && !i.life.is<Template>()) continue;
    if (std::find(recent.begin(), kept, i.code.front()) == kept) kill(i, Why::surplus, limits::Code::none);
  }
}

// What was measured may be more than was thought when it was started.
void Scheduler::Impl::keep_memory() {
  for (;;) {
    std::uint64_t bytes = 0;
    std::size_t living = 0;
    bool one_goes = false;
    for (const auto& [id, i] : instances) {
      if (!i.life.living()) continue;
      const std::uint64_t counted = weight(i);
      one_goes |= counted == 0;
      living += counted > 0;
      bytes += counted;
    }
    if (bytes <= options.memory_budget) return;
    if (Instance* i = most_grown(); i != nullptr && (i->life.leases() == 0 || !one_goes)) {
      retire(*i, Why::grown);
      continue;
    }
    Instance* i = living < 2 ? nullptr : least_recently_used();
    if (i == nullptr && living >= 2) i = give_up_urgent();
    if (i == nullptr) return;
    kill(*i, Why::memory, limits::Code::none);
  }
}

void Scheduler::Impl::used(FunctionId f) {
  const auto it = std::find(recent.begin(), recent.end(), f);
  if (it == recent.end())
    recent.insert(recent.begin(), f);
  else
    std::rotate(recent.begin(), it, it + 1);
}

std::set<FunctionId> Scheduler::Impl::served() const {
  std::set<FunctionId> found;
  for (const auto& [id, i] : instances) {
    if (i.life.is<Binding>() || i.life.is<Template>()) found.insert(i.code.front());
    if (i.life.is<Spawning>()) found.insert(i.destined);
    if (i.kept && i.life.usable()) found.insert(i.code.begin(), i.code.end());
  }
  return found;
}

// The next thing to put in store. A spare is started only where it leaves a tenth of the budget free, with
// what it will weigh when it is bound, so that what was given up for lack of room is not started again at
// once.
Scheduler::Impl::Refill Scheduler::Impl::missing() const {
  using Kind = Refill::Kind;
  if (!started || stopped || options.isolation == Isolation::none) return {};
  const std::set<FunctionId> are_served = served();
  std::set<FunctionId> bound_now;
  std::size_t spares = 0;
  for (const auto& [id, i] : instances) {
    if (i.life.is<Bound>()) bound_now.insert(i.code.front());
    const bool comes = i.life.is<Spawning>() && i.from == InstanceId::none && i.destined == FunctionId::none;
    if (!i.over_cap && (i.life.is<Spare>() || comes)) ++spares;
  }
  const std::uint64_t reserve = options.memory_budget / 10;
  for (std::size_t k = 0; k < std::min<std::size_t>(recent.size(), options.bound_functions); ++k) {
    const bool by_copies = options.templates && !uncopied.contains(recent[k]);
    if (are_served.contains(recent[k]) || unbindable.contains(recent[k])) continue;
    if (!by_copies && bound_now.contains(recent[k])) continue;
    const std::uint64_t weighs = weight_bound(recent[k]);
    const std::uint64_t more = weighs - std::min(weighs, options.memory_estimate);
    const bool room = fits(reserve + more);
    // The last spare is not bound where no other could take its place.
    if (spares > 0 && (room || (spares > 1 && total_weight() + more <= options.memory_budget)))
      return {Kind::bind, recent[k]};
    if (spares == 0 && room) return {Kind::spawn};
  }
  return {spares < options.spares && fits(reserve) ? Kind::spawn : Kind::nothing};
}

std::optional<TimePoint> Scheduler::Impl::refill_due() const {
  if (!missing_since || !waiters.empty()) return std::nullopt;
  // One at a time: they compete with the app for the machine.
  if (count<Spawning>(instances) + count<Binding>(instances) > 0) return std::nullopt;
  if (missing().kind == Refill::Kind::nothing) return std::nullopt;
  TimePoint quiet = quiet_at;
  for (const auto& [id, h] : holders)
    if (h.took_spare) quiet = std::max(quiet, after(h.placed, options.refill_patience));
  return std::max(
      {calm_at, spawn_after, std::min(quiet, after(*missing_since, options.refill_patience)), now});
}

void Scheduler::Impl::refill() {
  const Refill next = missing();
  if (next.kind == Refill::Kind::nothing) {
    missing_since.reset();
    return;
  }
  if (!missing_since) missing_since = now;
  const auto at = refill_due();
  if (!at || *at > now) return;
  if (next.kind == Refill::Kind::spawn) return spawn(GroupId::none, true, false);
  for (auto& [id, i] : instances) {
    if (!i.life.is<Spare>() || i.over_cap) continue;
    return bind(i, next.function, !evaluates(next.function));
  }
}

void Scheduler::Impl::bind(Instance& i, FunctionId f, bool background) {
  step(i, [&](InstanceLifecycle& l) { return l.bind(f); });
  i.group = groups.group_of(f);
  i.generation = generation;
  i.code.push_back(f);
  i.raised = !background;
  // No request is its own, and as a rule it runs at low priority: it gets the time of a start.
  if (options.init_limit != kForever)
    i.inits.push_back(
        {InvocationId::none, f, std::max(options.init_limit, options.spawn_limit), now, {}, unserved(i)});
  out->push_back(Bind{i.id, f, options.templates && !uncopied.contains(f), background});
}

// A dev-server call that is open would be left without its reader: next dev must never wait for an instance.
void Scheduler::Impl::freeze_idle() {
  for (auto& [id, i] : instances) {
    if (i.dev_calls > 0 || i.life.frozen()) continue;
    if (!i.life.is<Bound>() && !(i.life.is<Idle>() && (options.freeze_idle || i.kept))) continue;
    step(i, [](InstanceLifecycle& l) { return l.freeze(); });
    out->push_back(Freeze{id});
  }
}

}  // namespace vsim::instance
