// Decides which instance runs an invocation, when instances are started, bound, frozen and killed, and what
// becomes of those that hold or want one. Pure: no process, socket or clock. The shell tells it each moment
// and carries out the commands that it appends to `out`. One scheduler, one thread; time never goes
// backwards between calls (an earlier `now` counts as the latest one told).
//
//   request ─► warm lease │ bound spare or copy │ spare ───────────► Placement ─► release │ timed_out
//         │                                                              ▲     (or LeaseLost, then release)
//         ├──► wait, in order of arrival ── an instance is ready or free ┘
//         └──► Refuse: too many wait, a loop, nothing starts, or the emulator stops
//
// Ids that are not known (any more) are late news, and ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "instance/command.hpp"
#include "instance/group.hpp"
#include "instance/lease.hpp"
#include "instance/lifecycle.hpp"
#include "instance/options.hpp"

namespace vsim::instance {

struct PlacementRequest {
  InvocationId invocation = InvocationId::none;
  FunctionId function = FunctionId::none;
  // The invocation whose code made this request: it waits for this one's end. none: a client did.
  InvocationId parent = InvocationId::none;
};

// What an announced compile or an edit touches.
struct CodeChange {
  Generation generation = 0;  // rises with each announcement
  bool environment = false;   // configuration, environment, instrumentation: spares too
  bool all_code = false;      // every instance that has loaded some (webpack)
  std::vector<GroupId> groups{};
  std::vector<FunctionId> functions{};
  // Instances that have told their files are touched if one is among them, those that have not, always.
  std::vector<std::string> files{};
};

// Told of every change of state, while it happens; must not call the scheduler.
class SchedulerWatcher {
 public:
  virtual ~SchedulerWatcher() = default;
  virtual void on_state(InstanceId, const InstanceState& from, const InstanceState& to, GroupId,
                        TimePoint) = 0;
  // How long its event loop has waited for a processor since it began; zero: not known.
  virtual Duration unserved(InstanceId) const { return {}; }
};

// What an instance weighs, in bytes.
struct Memory {
  std::uint64_t pss = 0;     // of a copy what it shares too
  std::uint64_t shared = 0;  // that: of one of a template it is counted with the template
};

// One instance as seen from outside.
struct InstanceView {
  InstanceId id = InstanceId::none;
  InstanceState state;
  GroupId group = GroupId::none;
  Generation generation = 0;  // of its code; meaningless while it has none
  std::uint64_t memory = 0;   // 0: not measured
};

struct SchedulerTotals {
  std::uint64_t granted = 0, returned = 0;  // leases, ever
  std::size_t waiting = 0, holding = 0;     // invocations
  std::size_t instances = 0;                // processes, dying ones included
  std::uint64_t memory = 0;                 // measured, or estimated where it was not
};

class Scheduler {
 public:
  using Commands = std::vector<SchedulerCommand>;

  // `watcher` (may be null) must outlive the scheduler.
  explicit Scheduler(const SchedulerOptions&, SchedulerWatcher* watcher = nullptr);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  FunctionId define(const GroupedFunction&);  // before its first request, and when its config has changed
  const Groups& groups() const;

  // The app is ready: spares may start. Requests are served before it, too.
  void start(TimePoint now, Commands& out);
  // Kills all, refuses all that wait and all that come.
  void stop(TimePoint now, Commands& out);

  // Invocations. `function` must have been defined, and its code compiled: what is placed is never older than
  // the last change told before this call. An invocation may ask again (Next's "try the next route") only
  // after its lease was given back.
  void request(const PlacementRequest&, TimePoint now, Commands& out);
  // It ended before it was placed (its client broke the protocol, or is gone and the function is cancelled).
  void withdraw(InvocationId, TimePoint now, Commands& out);
  // It is left to itself: it goes on, but gives up its instance, or its place in the queue, if there is need.
  void client_left(InvocationId, TimePoint now, Commands& out);
  void handler_started(InvocationId, TimePoint now, Commands& out);  // modules evaluated, user code called
  // It waits for a request of its own that is not known to be one (or no longer does).
  void waits(InvocationId, bool waiting, TimePoint now, Commands& out);
  // Response and waitUntil work are done. `untouched`: it rendered what Next prerenders, or was
  // middleware, and the memory of its modules is as it found it.
  void release(Lease, TimePoint now, Commands& out, bool untouched = false);
  // Its deadline has passed: the instance is killed, or, where neighbours share it, takes no work any more
  // and is asked whether it is alive.
  void timed_out(Lease, TimePoint now, Commands& out);

  // Instances.
  void ready(InstanceId, TimePoint now, Commands& out);
  // It has evaluated the modules of its function; if it was to become a template, it must not be one, and no
  // other either, unless that is to be tried `again`.
  void bound(InstanceId, TimePoint now, Commands& out, bool again = false);
  void standing(InstanceId, TimePoint now, Commands& out);  // it is a template now
  void pong(InstanceId, TimePoint now, Commands& out);
  // The only word for the end of a process; a stopped one has not ended.
  void exited(InstanceId, const Death&, TimePoint now, Commands& out);
  // A call to next dev is open: not to be frozen meanwhile, and not charged to its init limit.
  void dev_call_opened(InstanceId, TimePoint now, Commands& out);
  void dev_call_closed(InstanceId, TimePoint now, Commands& out);
  void memory(InstanceId, Memory, TimePoint now, Commands& out);
  void loaded(InstanceId, std::vector<std::string> files, TimePoint now, Commands& out);  // all it has loaded
  void condemn(InstanceId, Why, TimePoint now, Commands& out);  // must go at once, e.g. memory_limit
  // It has said that it will end: it finishes what it has (its exit is told then) and is given nothing more.
  void failing(InstanceId, TimePoint now, Commands& out);

  // Isolation, placement and budgets from now on. Who waits is placed by the new ones; what runs is left
  // where it is until it ends, and its instance takes nothing more. Whether functions share (`groups_shared`)
  // stays.
  void set_options(const SchedulerOptions&, Why, TimePoint now, Commands& out);
  // All instances finish what they have and take nothing more; those that have nothing go at once. `spares`:
  // also those that have no code yet.
  void retire(Why, bool spares, TimePoint now, Commands& out);
  void invalidate(const CodeChange&, TimePoint now, Commands& out);

  // When wake() has something to do; never before the last moment told. wake() may be called at any time.
  std::optional<TimePoint> next_wakeup() const;
  void wake(TimePoint now, Commands& out);

  std::optional<InstanceView> instance(InstanceId) const;  // nullopt once its end was told
  std::vector<InstanceView> instances() const;             // in order of their ids
  SchedulerTotals totals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vsim::instance
