// What happens to a request, whoever tells of it first: its connection, its instance, its deadline, or
// `next dev`. Owns all that decides about it: the engine (limits, clocks, verdicts, what is said), the
// scheduler (which instance, when one is started and when it goes), and one record of each request that runs
// on an instance. A request that never gets near one passes through to the engine.
//
// Pure: no socket, process or clock. The shell tells it each moment and carries out the commands that it
// appends to `out`, in their order. Time never goes backwards between calls. Ids that are not known (any
// more) are late news, and ignored.
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
#include <utility>
#include <vector>

#include "base/in_order.hpp"
#include "core/command.hpp"
#include "core/idle_memory.hpp"
#include "core/passage.hpp"
#include "engine/engine.hpp"
#include "instance/early.hpp"
#include "instance/scheduler.hpp"
#include "limits/instance_end.hpp"

namespace vsim::core {

// From a broken connection to the word of its process's death: the exit is told when its output is read and
// its descendants are gone, milliseconds later.
inline constexpr Duration kCausePatience = std::chrono::milliseconds(250);
// What waitUntil work gets to end after `expire`: the platform's own shutdown grace (docs/platform.md: 500
// ms).
inline constexpr Duration kExpirePatience = std::chrono::milliseconds(500);

// When something is told.
struct Moment {
  TimePoint now;
  WallTime wall;
};

// What only the shell can see, asked while it is told a moment; must not call the core.
class Senses : public instance::SchedulerWatcher {
 public:
  // Of an exchange that the core ends itself.
  virtual ExchangeTotals totals(InvocationId) const = 0;
  // Its event loop is, all the time of late, as that of an endless loop is.
  virtual bool busy(instance::InstanceId) const = 0;
};

// A function as `next dev` names it in a dispatch, and the head of its last request as it gets it.
struct Dispatched {
  std::string_view page, kind, runtime, head;
};
// One that was asked for.
struct AskedFunction {
  std::string page, kind, runtime;  // Next's words
  std::string route;                // its name for people
  std::string head;                 // of its last request, to warm others with; empty: too large
};

// Why an instance is gone that had more memory than it may.
std::string over_memory(instance::InstanceId);

class Core final : engine::Outside {
 public:
  using Commands = std::vector<CoreCommand>;

  // `profile`, `sink` and `senses` must outlive it.
  Core(const profile::Profile& profile, engine::EngineOptions options, event::Sink& sink, Senses& senses);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // For what has no bearing on where a request is: admission, identity, and all that is found out about it.
  engine::Engine& engine() { return engine_; }
  const engine::Engine& engine() const { return engine_; }

  // --- Instances, and the code that they run
  // Functions run on instances from now on. Again only while there is none.
  void isolate(const instance::SchedulerOptions&);
  void start(const Moment&, Commands& out);  // the app is ready
  void stop(const Moment&, Commands& out);   // kills all, refuses all that wait and all that come
  // `next dev` counts its changes: `change.generation` is its number, of which all up to that are known now.
  void changed(instance::CodeChange, const Moment&, Commands& out);
  // It has a new environment, which it does not count: all code is another.
  void environment_changed(const Moment&, Commands& out);
  // It has ended: who waits is refused, and what comes after it counts from one.
  void gone(const Moment&, Commands& out);
  void set_options(const instance::SchedulerOptions&, instance::Why, const Moment&, Commands& out);
  void retire(instance::Why, const Moment&, Commands& out);
  // It was asked for and cannot be had: none from now on, before the first request.
  void give_up_isolation();
  bool isolates() const { return scheduler_.has_value() && !gave_up_; }
  const AskedFunction& function(instance::FunctionId) const;  // of one that a command or a state names

  // --- Callers. The code of `caller` has made this request, before the next moment of it is told. False: no
  // such invocation is under way.
  bool called_by(InvocationId, InvocationId caller);
  // It is middleware of `routed`, which `next dev` has asked for: who has made that has made this.
  bool middleware_of(InvocationId, InvocationId routed);
  InvocationId caller_of(InvocationId) const;
  // As the engine's; a compile of a function's own request stops the clocks of its callers too.
  void compile_started(InvocationId, TimePoint now);
  void compile_ended(InvocationId, TimePoint now);

  // --- Its way to an instance
  // `generation`: of the changes that `next dev` had made when it sent the request on. It is not placed
  // before those are known, nor before the instance that has passed it on is done with it.
  void request(InvocationId, const Dispatched&, std::uint64_t generation, const Moment&, Commands& out);
  // The head of the instance's answer says "try the next route"; again(): it is whole, and `next dev` is
  // asked again. What the instance says of it from then on is no news of this request.
  void passed_on(InvocationId);
  void again(InvocationId, TimePoint now);
  bool on_instance(InvocationId) const;
  // Its client's connection was over before it could be sent to its instance.
  void unsent(InvocationId, const Moment&, Commands& out);

  // --- Its connection
  // Head of a response for the client. A code: it replaces the response, and the exchange is over.
  limits::Code response_head(InvocationId, const engine::ResponseInfo&, const Moment&, Commands& out);
  limits::Code request_body_over(InvocationId, const Moment&, Commands& out);
  struct FailedConnection {
    bool waits = false;                      // for the cause: a command follows
    limits::Code code = limits::Code::none;  // else the exchange is over: the error to answer; none: a cut
  };
  FailedConnection connection_failed(InvocationId, UpstreamFailure, const ExchangeTotals&, const Moment&,
                                     Commands& out);
  // Exactly once for each exchange that nothing else has ended.
  void ended(InvocationId, const ExchangeTotals&, const Moment&, Commands& out);
  // True: the function runs on, and what it says is drained; false: close the connection to it.
  bool client_left(InvocationId, const Moment&, Commands& out);
  // True: that is leaving, as it is where the function can be cancelled.
  bool client_half_closed(InvocationId, const Moment&, Commands& out);

  // --- What an instance says of an invocation that it has, or has passed on; else ignored
  bool holds(instance::InstanceId, InvocationId) const;
  bool holds(InvocationId id) const { return instance_of(id) != instance::InstanceId::none; }
  void handler_started(instance::InstanceId, InvocationId, const Moment&, Commands& out);
  void compiling(instance::InstanceId, InvocationId, bool ended, TimePoint now);
  // Response and waitUntil work are done. `untouched` as in Scheduler::release.
  void done(instance::InstanceId, InvocationId, const std::vector<Hanging>&, bool untouched, const Moment&,
            Commands& out);
  // It has crashed, and its instance, which serves others, has not: its connection will not end by itself.
  void crashed(instance::InstanceId, InvocationId, std::string cause, const Moment&, Commands& out);
  // The function itself has ended its response before it was whole; the connection breaks too, or has broken.
  void broken_off(instance::InstanceId, InvocationId, limits::broken_off::Cause, const Moment&,
                  Commands& out);

  // --- Instances
  void exited(instance::InstanceId, const instance::Death&, std::string cause, const Moment&, Commands& out);
  void pong(instance::InstanceId, const Moment&, Commands& out);
  // From now on to its end: that a debugger leaves, Node does not say. Nobody is cut, frozen or taken for
  // slow.
  void debugger(instance::InstanceId, const Moment&, Commands& out);
  // It says nothing more; if it does not end by itself, it is ended.
  void channel_closed(instance::InstanceId, const Moment&);
  // What it weighs, in bytes. `out_of_group`: the kernel has ended a process of it for memory.max, if not
  // itself.
  void measured(instance::InstanceId, instance::Memory, bool out_of_group, const Moment&, Commands& out);
  // What only the scheduler is told: f(scheduler, now, its commands).
  template <class F>
  void schedule(const Moment& m, Commands& out, F f) {
    if (!scheduler_) return;
    last_ = {std::max(last_.now, m.now), m.wall};
    f(*scheduler_, last_.now, asked_.asked());
    obey(out);
  }
  std::vector<InvocationId> on(instance::InstanceId) const;
  bool has_begun(instance::InstanceId id) const { return has_begun_.contains(id); }  // user code of a request
  std::optional<instance::InstanceView> instance(instance::InstanceId) const;
  std::vector<instance::InstanceView> instances() const;  // in order of their ids
  instance::SchedulerTotals scheduler_totals() const;

  // --- Time
  std::optional<TimePoint> next_wakeup() const;
  void wake(const Moment&, Commands& out);
  // The run ends: nobody waits for causes any more.
  void stopping();

  std::size_t passages() const { return passages_.size(); }

 private:
  using Entry = std::pair<const InvocationId, Passage>;

  // core.cpp
  ExchangeTotals totals(InvocationId) const override;
  bool busy(InvocationId) const override;
  Duration unserved(InvocationId) const override;
  Entry* entry(InvocationId);
  const Passage* find(InvocationId) const;
  void set(Entry&, Passage::Where);
  void wait(Entry&, Passage::Where, TimePoint until);
  void hold_callers(Passage&, TimePoint now);
  void let_callers_go(Passage&, TimePoint now);
  void finish(Entry&, limits::Code, const Moment&, Commands& out);
  void over(Entry&, const Moment&, Commands& out);
  void forget(Entry&, TimePoint now);
  void cause_known(Entry&, const Moment&, Commands& out);
  void strike(const engine::ExchangeCommand&, const Moment&, Commands& out);

  // seats.cpp
  static const Passage::Held* held_on(const Passage&, instance::InstanceId);
  static Passage::Held* held_on(Entry*, instance::InstanceId);
  static bool is_former(const Passage& p, const Passage::Held& held) {
    return p.former && &held == &*p.former;
  }
  instance::FunctionId define(const engine::DispatchedFunction&, const Dispatched&);
  instance::InstanceId instance_of(InvocationId) const;
  bool debugged(instance::InstanceId id) const { return debugged_.contains(id); }
  void obey(Commands& out);
  void obey(instance::Placement&, Commands& out);
  void obey(instance::Refuse&, Commands& out);
  void obey(instance::LeaseLost&, Commands& out);
  void obey(instance::Kill&, Commands& out);
  template <class Other>
  void obey(Other& command, Commands& out) {
    out.emplace_back(std::move(command));
  }
  void known(const instance::CodeChange&, const Moment&, Commands& out);
  void ask(const instance::Early::Ready&, const Moment&, Commands& out);
  void ask_early(const Moment&, Commands& out);
  void strike_early(const Moment&, Commands& out);
  void left_alone(InvocationId, const Moment&, Commands& out);
  void withdraw(Entry&, const Moment&, Commands& out);
  void refuse(InvocationId, limits::Code, Duration waited, const Moment&, Commands& out);
  void begun(InvocationId, Passage::Held&, const Moment&, Commands& out);
  void release_former(Entry&, bool untouched, const Moment&, Commands& out);
  void taken(Entry&, limits::instance_end::Loss, bool serves_on, const Moment&, Commands& out);
  void take_back(Entry&, const Moment&, Commands& out);

  // instances.cpp
  void end_silent(const Moment&, Commands& out);
  std::string cause_of(const instance::LeaseLost&);
  void remark_unresponsive(instance::InstanceId, Commands& out);

  Senses& senses_;
  engine::Engine engine_;
  std::unordered_map<InvocationId, Passage> passages_;
  std::set<std::pair<TimePoint, InvocationId>> waits_;  // of CauseAwaited, SocketClosed and AfterResponse
  std::vector<engine::ExchangeCommand> struck_;

  std::optional<instance::Scheduler> scheduler_;
  InOrder<instance::SchedulerCommand> asked_;
  Moment last_{};
  instance::Early early_{{}};
  instance::SchedulerOptions options_;
  std::vector<AskedFunction> functions_;            // by id
  instance::Generation generation_ = 0, base_ = 0;  // base_: of the next dev that is there now
  std::map<instance::InstanceId, std::set<std::string>>
      overdue_;  // routes cut since its event loop was heard of
  std::set<std::pair<TimePoint, instance::InstanceId>> silent_;  // until when those are waited for
  std::set<instance::InstanceId> debugged_, init_over_;
  std::set<instance::InstanceId> has_begun_, told_memory_;  // told_memory_: that it is large
  IdleMemory idle_memory_;
  std::deque<std::pair<instance::InstanceId, std::string>> causes_;  // of the latest deaths
  bool stopping_ = false, stopped_ = false, gave_up_ = false;
};

}  // namespace vsim::core
