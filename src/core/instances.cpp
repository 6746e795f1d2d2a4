// Instances: what they tell of themselves, and what is said of one that has been killed, and of those who
// were there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "core/core.hpp"

namespace vsim::core {

using instance::InstanceId;
using instance::Why;

namespace {

constexpr std::size_t kMostCauses = 64;
// An instance without a control channel is of no use; but one that is ending closes it first.
constexpr Duration kSilencePatience = std::chrono::milliseconds(250);

}  // namespace

void Core::exited(InstanceId id, const instance::Death& death, std::string cause, const Moment& m,
                  Commands& out) {
  causes_.emplace_back(id, std::move(cause));
  if (causes_.size() > kMostCauses) causes_.pop_front();
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.exited(id, death, t, c); });
  std::erase_if(silent_, [&](const auto& silent) { return silent.second == id; });
  overdue_.erase(id);
  debugged_.erase(id);
  init_over_.erase(id);
  has_begun_.erase(id);
  told_memory_.erase(id);
}

void Core::pong(InstanceId id, const Moment& m, Commands& out) {
  overdue_.erase(id);
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.pong(id, t, c); });
}

void Core::debugger(InstanceId id, const Moment& m, Commands& out) {
  if (!debugged_.insert(id).second) return;
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.dev_call_opened(id, t, c); });
  for (const InvocationId held : on(id)) compile_started(held, m.now);  // their clocks stand still
}

std::optional<instance::InstanceView> Core::instance(InstanceId id) const {
  return scheduler_ ? scheduler_->instance(id) : std::nullopt;
}
std::vector<instance::InstanceView> Core::instances() const {
  return scheduler_ ? scheduler_->instances() : std::vector<instance::InstanceView>();
}
instance::SchedulerTotals Core::scheduler_totals() const {
  return scheduler_ ? scheduler_->totals() : instance::SchedulerTotals{};
}

void Core::channel_closed(InstanceId id, const Moment& m) {
  if (!stopped_ && instance(id)) silent_.emplace(m.now + kSilencePatience, id);
}

void Core::end_silent(const Moment& m, Commands& out) {
  while (!silent_.empty() && silent_.begin()->first <= m.now) {
    out.emplace_back(EndSilent{silent_.begin()->second});
    silent_.erase(silent_.begin());
  }
}

void Core::measured(InstanceId id, instance::Memory of, bool out_of_group, const Moment& m, Commands& out) {
  idle_memory_.look(has_begun_.contains(id), of.pss);
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.memory(id, of, t, c); });
  const auto condemn = [&] {
    schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.condemn(id, Why::memory_limit, t, c); });
  };
  if (out_of_group) return condemn();
  const std::uint64_t own = idle_memory_.own(of.pss), most = options_.memory_max;
  if (most == 0 || own <= most || options_.memory_mode == profile::Mode::off) return;
  if (options_.memory_mode == profile::Mode::enforce) return condemn();
  if (!told_memory_.insert(id).second) return;
  out.emplace_back(
      Remark{fmt::format("{} uses {} of memory, without the {} that an idle instance weighs; "
                         "memory.max is {}",
                         name_of(id), human_size(own), human_size(idle_memory_.lightest()), human_size(most)),
             "it may be more than on Vercel, since bundles of `next dev` are heavier; if it "
             "grows with each request, look for what is kept in module scope. --set "
             "memory.mode=enforce ends such an instance, as Vercel does"});
}

// --- In words

std::string over_memory(InstanceId id) {
  return fmt::format("{} was killed: it used more than memory.max", name_of(id));
}

std::string Core::cause_of(const instance::LeaseLost& c) {
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
  if (c.why == Why::memory_limit) return over_memory(c.instance);
  return fmt::format("{} was killed ({})", name, to_string(c.why));
}

// Whose code it was cannot be seen from outside: the one that was cut may only have waited for its turn.
void Core::remark_unresponsive(InstanceId id, Commands& out) {
  std::set<std::string> running;
  for (const auto& [other, p] : passages_)
    if (const Passage::Held* held = held_on(p, id)) running.emplace(function(held->function).route);
  const auto found = overdue_.find(id);
  if (found == overdue_.end() || found->second.empty()) {
    if (init_over_.contains(id)) return;  // the start of a function, which has lines of its own
    out.emplace_back(
        Remark{fmt::format("{} was killed: its event loop began no request for {}, though none was "
                           "running on it",
                           name_of(id), human_duration(options_.turn_limit + options_.ping_limit)),
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

}  // namespace vsim::core
