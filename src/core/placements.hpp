// Which invocation has which instance. Around the scheduler (which instance, when one is started and when it
// goes), which it asks as soon as it may: not before all changes of the code that the request has met are
// known, nor before the instance that left it to the next route has given it back. Keeps the leases, and says
// of each invocation what has become of its instance, and why.
//
// Pure: no process, socket or clock. The shell tells it each moment and carries out the commands that it
// appends to `out`, in their order. Time never goes backwards between calls.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/in_order.hpp"
#include "instance/early.hpp"
#include "instance/scheduler.hpp"
#include "limits/instance_end.hpp"

namespace vsim::core {

// It has one: send it there. Whoever does not want it any more says so by give_back(); who cannot, by
// unreachable().
struct InstanceGiven {
  InvocationId id = InvocationId::none;
  instance::InstanceId instance = instance::InstanceId::none;
  instance::FunctionId function = instance::FunctionId::none;
  instance::Start start{};
  Duration waited{};
};
// It never gets one.
struct InstanceRefused {
  InvocationId id = InvocationId::none;
  limits::Code code{};
  Duration waited{};
};
// The one it had is gone, or is its own no more. `serves_on`: it still serves others, so that the connection
// to it will not end by itself.
struct InstanceTaken {
  InvocationId id = InvocationId::none;
  limits::instance_end::Loss loss;
  bool serves_on = false;
};
// A debugger is attached to its instance: its clock stands still from now on.
struct ClockStops {
  InvocationId id = InvocationId::none;
};
// Somebody waits for whatever starts.
struct Hurry {};
// What it weighs is of interest now: an invocation has ended on it.
struct Weigh {
  instance::InstanceId instance = instance::InstanceId::none;
};
// For people.
struct Remark {
  std::string what, fix;
};
using PlacementCommand = std::variant<instance::Spawn, instance::Bind, instance::Raise, instance::Freeze,
                                      instance::Thaw, instance::Ping, instance::Kill, InstanceGiven,
                                      InstanceRefused, InstanceTaken, ClockStops, Hurry, Weigh, Remark>;

class Placements {
 public:
  using Commands = std::vector<PlacementCommand>;

  // `watcher` (may be null) must outlive it.
  Placements(const instance::SchedulerOptions&, instance::SchedulerWatcher* watcher);

  // --- The app and its code
  void start(TimePoint now, Commands& out);  // it is ready
  void stop(TimePoint now, Commands& out);   // kills all, refuses all that wait
  // `next dev` counts its changes: `change.generation` is its number, of which all up to that are known now.
  void changed(instance::CodeChange, TimePoint now, Commands& out);
  // It has a new environment, which it does not count: all code is another.
  void environment_changed(TimePoint now, Commands& out);
  // It has ended: who waits is refused, and what comes after it counts from one.
  void gone(TimePoint now, Commands& out);
  void set_options(const instance::SchedulerOptions&, instance::Why, TimePoint now, Commands& out);
  void retire(instance::Why, TimePoint now, Commands& out);

  // --- Invocations
  // `route`: its name for people.
  instance::FunctionId define(const instance::GroupedFunction&, std::string_view route);
  // `generation`: of the changes that `next dev` had made when it sent the request on. Or again, once its
  // instance has passed it on.
  void request(InvocationId, instance::FunctionId, InvocationId parent, std::uint64_t generation,
               TimePoint now, Commands& out);
  void passed_on(InvocationId);                            // its instance is done with it when it says so
  void begun(InvocationId, TimePoint now, Commands& out);  // user code runs
  void client_left(InvocationId, TimePoint now, Commands& out);
  void withdraw(InvocationId, TimePoint now,
                Commands& out);  // it has ended before it was placed; else nothing
  void timed_out(InvocationId, TimePoint now, Commands& out);  // its deadline has passed
  // Response and waitUntil work are done. `untouched` as in Scheduler::release.
  void give_back(InvocationId, bool untouched, TimePoint now, Commands& out);
  void unreachable(InvocationId, TimePoint now,
                   Commands& out);  // the instance that it was given is not there
  // It has crashed, and its instance, which serves others, has not.
  void crashed(InvocationId, std::string cause, TimePoint now, Commands& out);

  bool holds(InvocationId) const;                             // an instance
  bool holds(InvocationId, instance::InstanceId) const;       // that one
  bool is_told_of(InvocationId, instance::InstanceId) const;  // and has not been passed on by it
  instance::InstanceId instance_of(InvocationId) const;       // none: it has none
  std::vector<InvocationId> on(instance::InstanceId) const;

  // --- Instances: as the scheduler's
  void exited(instance::InstanceId, const instance::Death&, std::string cause, TimePoint now, Commands& out);
  void pong(instance::InstanceId, TimePoint now, Commands& out);
  // From now on to its end: that a debugger leaves, Node does not say. Nobody is cut, frozen or taken for
  // slow.
  void debugger(instance::InstanceId, TimePoint now, Commands& out);
  bool debugged(instance::InstanceId id) const { return debugged_.contains(id); }
  // What only the scheduler is told.
  template <class F>
  void tell(TimePoint now, Commands& out, F f) {
    now_ = std::max(now_, now);
    f(scheduler_, now_, asked_.asked());
    obey(out);
  }
  const instance::Scheduler& scheduler() const { return scheduler_; }

  // --- Time
  std::optional<TimePoint> next_wakeup() const;
  void wake(TimePoint now, Commands& out);

 private:
  struct Placed {
    instance::Lease lease;  // empty while it waits
    instance::InstanceId instance = instance::InstanceId::none;
    instance::FunctionId function = instance::FunctionId::none;
    bool passed_on = false;
    bool begun = false;
    Duration early{};  // waited before it could be asked for
  };

  void obey(Commands& out);
  void obey(instance::Placement&, Commands& out);
  void obey(instance::Refuse&, Commands& out);
  void obey(instance::LeaseLost&, Commands& out);
  void obey(instance::Kill&, Commands& out);
  template <class Other>
  void obey(Other& command, Commands& out) {
    out.emplace_back(std::move(command));
  }
  void known(const instance::CodeChange&, TimePoint now, Commands& out);
  void ask(const instance::Early::Ready&, TimePoint now, Commands& out);
  void ask_early(TimePoint now, Commands& out);
  void strike_early(TimePoint now, Commands& out);
  void free_again(InvocationId, TimePoint now, Commands& out);
  std::string_view route_of(const Placed&) const;
  std::string cause_of(const instance::LeaseLost&);
  void remark_unresponsive(instance::InstanceId, Commands& out);

  instance::Scheduler scheduler_;
  InOrder<instance::SchedulerCommand> asked_;
  TimePoint now_{};
  instance::Early early_;
  profile::Isolation isolation_;
  Duration patience_;  // how long a request may keep an event loop busy before it is asked, and then
  std::unordered_map<InvocationId, Placed> placed_;
  std::vector<std::string> routes_;                 // by function
  instance::Generation generation_ = 0, base_ = 0;  // base_: of the next dev that is there now
  std::map<instance::InstanceId, std::set<std::string>>
      overdue_;  // routes cut since its event loop was heard of
  std::set<instance::InstanceId> debugged_, init_over_;
  std::deque<std::pair<instance::InstanceId, std::string>> causes_;  // of the latest deaths
  bool stopped_ = false;
};

}  // namespace vsim::core
