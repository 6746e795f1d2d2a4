#include "core/placements.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace vsim::core {

using instance::InstanceId;
using instance::Why;

namespace {

constexpr std::size_t kMostCauses = 64;

std::string name_of(InstanceId id) { return fmt::format("i{}", static_cast<std::uint64_t>(id)); }

}  // namespace

Placements::Placements(const instance::SchedulerOptions& options, instance::SchedulerWatcher* watcher)
    : scheduler_(options, watcher),
      early_(options.early_patience),
      isolation_(options.isolation),
      patience_(options.turn_limit + options.ping_limit) {}

void Placements::obey(Commands& out) {
  asked_.carry_out(
      [&](instance::SchedulerCommand& command) { std::visit([&](auto& c) { obey(c, out); }, command); });
}

// --- The app and its code

void Placements::start(TimePoint now, Commands& out) {
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.start(t, c); });
}

void Placements::stop(TimePoint now, Commands& out) {
  stopped_ = true;
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.stop(t, c); });
  for (const InvocationId id : early_.clear())
    out.emplace_back(InstanceRefused{id, limits::Code::sim_not_ready, {}});
}

void Placements::known(const instance::CodeChange& change, TimePoint now, Commands& out) {
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.invalidate(change, t, c); });
  early_.announced(generation_);
  ask_early(now, out);
}

void Placements::changed(instance::CodeChange change, TimePoint now, Commands& out) {
  generation_ = std::max(generation_, base_ + change.generation);
  change.generation = generation_;
  known(change, now, out);
}

void Placements::environment_changed(TimePoint now, Commands& out) {
  instance::CodeChange change;
  change.generation = ++generation_;
  ++base_;
  change.environment = change.all_code = true;
  known(change, now, out);
}

void Placements::gone(TimePoint now, Commands& out) {
  base_ = ++generation_;
  std::vector<InvocationId> waiting = early_.clear();
  for (const auto& [id, placed] : placed_)
    if (!placed.lease) waiting.push_back(id);
  std::sort(waiting.begin(), waiting.end());
  waiting.erase(std::unique(waiting.begin(), waiting.end()), waiting.end());
  for (const InvocationId id : waiting) {
    withdraw(id, now, out);
    out.emplace_back(InstanceRefused{id, limits::Code::no_response_from_function, {}});
  }
  instance::CodeChange change;
  change.generation = generation_;
  change.environment = change.all_code = true;
  known(change, now, out);
}

void Placements::set_options(const instance::SchedulerOptions& options, Why why, TimePoint now,
                             Commands& out) {
  isolation_ = options.isolation;
  patience_ = options.turn_limit + options.ping_limit;
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.set_options(options, why, t, c); });
}

void Placements::retire(Why why, TimePoint now, Commands& out) {
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.retire(why, false, t, c); });
}

// --- Invocations

instance::FunctionId Placements::define(const instance::GroupedFunction& function, std::string_view route) {
  const instance::FunctionId id = scheduler_.define(function);
  const auto index = static_cast<std::size_t>(id);
  if (routes_.size() <= index) routes_.resize(index + 1);
  routes_[index] = route;
  return id;
}

std::string_view Placements::route_of(const Placed& p) const {
  const auto index = static_cast<std::size_t>(p.function);
  return index < routes_.size() ? std::string_view(routes_[index]) : std::string_view();
}

void Placements::request(InvocationId id, instance::FunctionId function, InvocationId parent,
                         std::uint64_t generation, TimePoint now, Commands& out) {
  const instance::Early::Asked asked{id, function, parent, base_ + generation};
  const bool still_there = placed_.contains(id);  // on the instance that has passed it on
  if (stopped_ || (!still_there && early_.known(asked.generation))) return ask({asked, false, {}}, now, out);
  early_.add(asked, still_there, now);
}

void Placements::ask(const instance::Early::Ready& early, TimePoint now, Commands& out) {
  const instance::Early::Asked& asked = early.asked;
  Placed& placed = placed_[asked.id];
  placed.function = asked.function;
  placed.early = early.waited;
  tell(now, out, [&](auto& s, TimePoint t, auto& c) {
    s.request({asked.id, asked.function, asked.parent}, t, c);
  });
  if (early.left) client_left(asked.id, now, out);
  const auto it = placed_.find(asked.id);
  if (it != placed_.end() && !it->second.lease) out.emplace_back(Hurry{});
}

void Placements::ask_early(TimePoint now, Commands& out) {
  while (const auto early = early_.take(now)) ask(*early, now, out);
}

void Placements::free_again(InvocationId id, TimePoint now, Commands& out) {
  early_.given_back(id);
  ask_early(now, out);
}

// What is missing will not come: an honest end of the wait, in which nobody is served by what may be old.
void Placements::strike_early(TimePoint now, Commands& out) {
  const auto over = early_.strike(now);
  for (const InvocationId id : over.not_given_back) {
    const auto it = placed_.find(id);
    if (it != placed_.end() && debugged(it->second.instance)) continue;
    if (it != placed_.end()) {
      const std::string name = name_of(it->second.instance);
      out.emplace_back(
          Remark{fmt::format("{} left a request to the next route and did not say that it is done "
                             "with it: the request goes on elsewhere, and {} ends",
                             name, name),
                 "look for code that keeps its event loop busy"});
      instance::Lease lease = std::move(it->second.lease);
      placed_.erase(it);
      tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.timed_out(std::move(lease), t, c); });
    }
    early_.given_back(id);
  }
  if (over.missing != 0) {
    out.emplace_back(Remark{
        "`next dev` counts a change of the code that it has not told of: requests that waited for it are "
        "served by instances that start anew, with the code as it is now",
        "if this comes again, restart, and please report it"});
    instance::CodeChange change;
    change.generation = generation_;
    change.all_code = true;
    tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.invalidate(change, t, c); });
  }
  ask_early(now, out);
}

void Placements::passed_on(InvocationId id) {
  if (const auto it = placed_.find(id); it != placed_.end()) it->second.passed_on = true;
}

void Placements::begun(InvocationId id, TimePoint now, Commands& out) {
  const auto it = placed_.find(id);
  if (it == placed_.end() || !it->second.lease || std::exchange(it->second.begun, true)) return;
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.handler_started(id, t, c); });
}

void Placements::client_left(InvocationId id, TimePoint now, Commands& out) {
  early_.client_left(id);
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.client_left(id, t, c); });
}

void Placements::withdraw(InvocationId id, TimePoint now, Commands& out) {
  early_.withdraw(id);
  const auto it = placed_.find(id);
  if (it == placed_.end() || it->second.lease) return;
  placed_.erase(it);
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.withdraw(id, t, c); });
}

void Placements::timed_out(InvocationId id, TimePoint now, Commands& out) {
  const auto it = placed_.find(id);
  if (it == placed_.end() || !it->second.lease) return withdraw(id, now, out);
  instance::Lease lease = std::move(it->second.lease);
  overdue_[it->second.instance].emplace(route_of(it->second));
  placed_.erase(it);
  early_.withdraw(id);
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.timed_out(std::move(lease), t, c); });
}

void Placements::give_back(InvocationId id, bool untouched, TimePoint now, Commands& out) {
  const auto it = placed_.find(id);
  if (it == placed_.end() || !it->second.lease) return;
  instance::Lease lease = std::move(it->second.lease);
  const InstanceId instance = it->second.instance;
  placed_.erase(it);
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.release(std::move(lease), t, c, untouched); });
  if (isolation_ != profile::Isolation::invocation || untouched) out.emplace_back(Weigh{instance});
  free_again(id, now, out);
}

void Placements::unreachable(InvocationId id, TimePoint now, Commands& out) {
  const auto it = placed_.find(id);
  if (it == placed_.end() || !it->second.lease) return;
  instance::Lease lease = std::move(it->second.lease);
  placed_.erase(it);
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.release(std::move(lease), t, c); });
  out.emplace_back(InstanceRefused{id, limits::Code::no_response_from_function, {}});
}

void Placements::crashed(InvocationId id, std::string cause, TimePoint now, Commands& out) {
  const auto it = placed_.find(id);
  if (it == placed_.end() || !it->second.lease || it->second.passed_on) return;
  instance::Lease lease = std::move(it->second.lease);
  placed_.erase(it);
  out.emplace_back(InstanceTaken{id, {limits::Code::function_invocation_failed, std::move(cause)}, true});
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.release(std::move(lease), t, c); });
  free_again(id, now, out);
}

bool Placements::holds(InvocationId id) const {
  const auto it = placed_.find(id);
  return it != placed_.end() && it->second.lease;
}

bool Placements::holds(InvocationId id, InstanceId by) const {
  const auto it = placed_.find(id);
  return it != placed_.end() && it->second.lease && it->second.instance == by;
}

bool Placements::is_told_of(InvocationId id, InstanceId by) const {
  return holds(id, by) && !placed_.find(id)->second.passed_on;
}

InstanceId Placements::instance_of(InvocationId id) const {
  return holds(id) ? placed_.find(id)->second.instance : InstanceId::none;
}

std::vector<InvocationId> Placements::on(InstanceId instance) const {
  std::vector<InvocationId> out;
  for (const auto& [id, p] : placed_)
    if (p.lease && p.instance == instance) out.push_back(id);
  return out;
}

// --- The scheduler's words

void Placements::obey(instance::Placement& c, Commands& out) {
  const auto it = placed_.find(c.invocation);
  if (it == placed_.end())  // withdrawn while the command was on its way
    return tell(now_, out, [&](auto& s, TimePoint t, auto& more) { s.release(std::move(c.lease), t, more); });
  Placed& p = it->second;
  p.lease = std::move(c.lease);
  p.instance = c.instance;
  p.passed_on = p.begun = false;
  out.emplace_back(InstanceGiven{c.invocation, c.instance, p.function, c.start, p.early + c.waited});
  if (debugged(c.instance)) out.emplace_back(ClockStops{c.invocation});
}

void Placements::obey(instance::Refuse& c, Commands& out) {
  const auto it = placed_.find(c.invocation);
  const Duration waited = (it == placed_.end() ? Duration{} : it->second.early) + c.waited;
  if (it != placed_.end()) placed_.erase(it);
  out.emplace_back(InstanceRefused{c.invocation, c.code, waited});
}

std::string Placements::cause_of(const instance::LeaseLost& c) {
  if (c.why == Why::asked) return "killed because somebody asked for it";
  if (c.why == Why::none) {
    const auto it = std::find_if(causes_.rbegin(), causes_.rend(),
                                 [&](const auto& known) { return known.first == c.instance; });
    return it == causes_.rend() ? std::string() : it->second;
  }
  const std::string name = name_of(c.instance);
  const auto overdue = overdue_.find(c.instance);
  const bool nobody_late = overdue == overdue_.end() || overdue->second.empty();
  if (c.why == Why::init_timeout) {
    init_over_.insert(c.instance);
    return fmt::format("{} was killed: its modules were not evaluated in time", name);
  }
  if (c.why == Why::unresponsive && nobody_late && !init_over_.contains(c.instance))
    return fmt::format(
        "{} was killed: its event loop began no request though none was running on it: what an "
        "earlier one has left behind may keep it busy",
        name);
  if (c.why == Why::unresponsive)
    return fmt::format(
        "{} was killed: another invocation on it passed its deadline, and its event loop did not "
        "answer within a second: code on it, perhaps of this function, kept it busy",
        name);
  if (c.why == Why::memory_limit) return fmt::format("{} was killed: it used more than memory.max", name);
  return fmt::format("{} was killed ({})", name, to_string(c.why));
}

void Placements::obey(instance::LeaseLost& c, Commands& out) {
  const auto it = placed_.find(c.invocation);
  if (it == placed_.end()) return;
  instance::Lease lease = std::move(it->second.lease);
  const bool passed_on = it->second.passed_on;
  placed_.erase(it);
  std::string cause = cause_of(c);
  tell(now_, out, [&](auto& s, TimePoint t, auto& more) { s.release(std::move(lease), t, more); });
  if (!passed_on)  // else it goes on elsewhere
    out.emplace_back(InstanceTaken{c.invocation, {c.code, std::move(cause), c.why == Why::asked}});
  free_again(c.invocation, now_, out);
}

// Whose code it was cannot be seen from outside: the one that was cut may only have waited for its turn.
void Placements::remark_unresponsive(InstanceId id, Commands& out) {
  std::set<std::string> running;
  for (const InvocationId other : on(id)) running.emplace(route_of(placed_.find(other)->second));
  const auto found = overdue_.find(id);
  if (found == overdue_.end() || found->second.empty()) {
    if (init_over_.contains(id)) return;  // the start of a function, which has lines of its own
    out.emplace_back(
        Remark{fmt::format("{} was killed: its event loop began no request for {}, though none was "
                           "running on it",
                           name_of(id), human_duration(patience_)),
               "look for a loop or synchronous work that goes on behind a response"});
    return;
  }
  const std::set<std::string>& overdue = found->second;
  const bool alone = running.empty() || running == overdue;
  out.emplace_back(Remark{
      fmt::format("{} was killed: its event loop did not answer within a second after {} had reached its "
                  "deadline{}",
                  name_of(id), fmt::join(overdue, ", "),
                  alone ? ""
                        : fmt::format("; {} was running there too, and either may have kept it busy",
                                      fmt::join(running, ", "))),
      "look for a loop or synchronous work that does not end: who shares the instance waits for it"});
}

void Placements::obey(instance::Kill& c, Commands& out) {
  if (c.why == Why::unresponsive) remark_unresponsive(c.id, out);
  out.emplace_back(c);
}

// --- Instances

void Placements::exited(InstanceId id, const instance::Death& death, std::string cause, TimePoint now,
                        Commands& out) {
  causes_.emplace_back(id, std::move(cause));
  if (causes_.size() > kMostCauses) causes_.pop_front();
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.exited(id, death, t, c); });
  overdue_.erase(id);
  debugged_.erase(id);
  init_over_.erase(id);
}

void Placements::pong(InstanceId id, TimePoint now, Commands& out) {
  overdue_.erase(id);
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.pong(id, t, c); });
}

void Placements::debugger(InstanceId id, TimePoint now, Commands& out) {
  if (!debugged_.insert(id).second) return;
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.dev_call_opened(id, t, c); });
  for (const InvocationId held : on(id)) out.emplace_back(ClockStops{held});
}

// --- Time

std::optional<TimePoint> Placements::next_wakeup() const {
  auto next = scheduler_.next_wakeup();
  if (const auto early = early_.next_wakeup(); early && (!next || *early < *next)) next = early;
  return next;
}

void Placements::wake(TimePoint now, Commands& out) {
  strike_early(now, out);
  tell(now, out, [&](auto& s, TimePoint t, auto& c) { s.wake(t, c); });
}

}  // namespace vsim::core
