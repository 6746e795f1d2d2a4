// The scheduler's inside, shared by its .cpp files only: scheduler.cpp (the moments), placement.cpp (which
// instance an invocation gets), supply.cpp (which instances there are), urgent.cpp (templates that requests
// cannot wait for a pause to get), instances.cpp (what happens to one), timers.cpp (when).
#pragma once

#include <list>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "instance/bursts.hpp"
#include "instance/scheduler.hpp"

namespace vsim::instance {

// The evaluation of a function's modules, under way.
struct Init {
  InvocationId invocation;  // none: binding
  FunctionId function;
  Duration left;
  TimePoint since;                 // runs from here, unless a dev call is open
  std::optional<TimePoint> asked;  // over, but others are there: is it they who hold up the event loop?
  Duration unserved{};             // what that event loop had waited for a processor when it began
};

struct Instance {
  InstanceId id = InstanceId::none;
  InstanceLifecycle life;
  GroupId group = GroupId::none;  // none: no code in it
  Generation generation = 0;
  std::vector<FunctionId> code;        // functions loaded or being loaded
  InstanceId from = InstanceId::none;  // the template that it is a copy of
  // Started to become the template of this function, and for nothing else; none: not so.
  FunctionId destined = FunctionId::none;
  bool raised = false;  // it binds at normal priority
  std::set<std::string> files;
  bool files_told = false;
  std::vector<InvocationId> holders;
  std::vector<Init> inits;
  std::uint32_t dev_calls = 0;
  std::uint64_t memory = 0;
  std::uint64_t shared = 0;           // of that, what is its template's or the base's
  std::uint64_t memory_at_first = 0;  // as first measured after an invocation had ended; 0: not yet
  bool served = false;
  bool kept = false;  // policy `invocation`: for what may_be_kept(), until it is not as it was
  TimePoint spawned_at{}, last_used{};
  TimePoint heard{};  // the last sign that its event loop turns, or when it was given something after nothing
  std::optional<TimePoint> ping_due;
  Duration ping_unserved{};  // what its event loop had waited for a processor when it was asked
  bool over_cap = false;     // for nested requests
};

struct Holder {
  std::uint64_t serial = 0;  // of its lease
  InstanceId instance = InstanceId::none;
  FunctionId function = FunctionId::none;
  InvocationId parent = InvocationId::none;
  std::uint32_t depth = 0;
  std::uint32_t children = 0;  // requests of its own that have not ended
  bool waits = false;          // said so
  bool took_spare = false;
  bool evaluates = false;         // its function's modules, before it begins
  bool begun = false;             // user code runs: its deadline is the engine's matter
  std::optional<TimePoint> left;  // its client
  TimePoint placed{};
};

struct WaitingInvocation {
  InvocationId invocation = InvocationId::none;
  FunctionId function = FunctionId::none;
  InvocationId parent = InvocationId::none;
  std::uint32_t depth = 0;
  TimePoint arrived{};
  bool left = false;
  bool queued = false;            // found nothing when it came
  GroupId group = GroupId::none;  // whose turn `seat` is
  std::size_t seat = 0;           // under spread:N
};

// Instances of a group by place. Empty ones are filled again, so that a turn keeps its meaning.
struct Seats {
  std::vector<InstanceId> at;
  std::vector<std::size_t> round;  // the rest of this round, last first
  Rng rng;
};

struct Scheduler::Impl {
  Impl(const SchedulerOptions& o, SchedulerWatcher* w) : options(o), watcher(w), groups(o.groups_shared) {}

  // scheduler.cpp
  void begin(TimePoint moment, Commands& commands, InstanceId ended = InstanceId::none);
  void settle();  // ends every call: whatever has become possible is done
  void end_holder(InvocationId);
  void give_back(std::uint64_t serial, InstanceId ended = InstanceId::none, bool untouched = false);
  void refuse_waiting(limits::Code);
  void child_ended(InvocationId parent);

  // placement.cpp
  void place_waiting();
  bool try_place(WaitingInvocation&);
  Instance* choose(WaitingInvocation&);
  Instance* fresh(const WaitingInvocation&,
                  GroupId);  // a bound spare or a spare; nullptr also where a copy is better
  bool may_be_kept(FunctionId) const;
  Instance* kept_for(const WaitingInvocation&, GroupId);
  std::optional<TimePoint> waits_for_kept(const WaitingInvocation&) const;  // and until when
  bool keeps(const Instance&, FunctionId) const;  // for others after it, under policy `invocation`
  Instance* with_room(const WaitingInvocation&, GroupId, std::size_t first_seat);
  void grant(const WaitingInvocation&, Instance&);
  std::size_t next_turn(Seats&);
  Seats& seats_of(GroupId);
  void seat(Instance&, std::size_t);
  void unseat(const Instance&);
  std::uint32_t slots(GroupId) const;
  bool nested(const WaitingInvocation&) const;
  bool nested_wait() const;
  bool has_room(const Instance&, const WaitingInvocation&) const;

  // supply.cpp
  std::size_t demand() const;
  void meet_demand();
  std::uint64_t measured(const Instance&) const;  // or estimated
  std::uint64_t weight(const Instance&) const;    // what it counts for
  std::uint64_t weight_bound(FunctionId) const;   // what one will weigh that is bound to it
  std::uint64_t total_weight() const;
  bool fits(std::uint64_t reserve) const;
  bool can_grow(GroupId) const;
  bool all_holders_wait() const;
  bool has_grown(const Instance&) const;
  Instance* most_grown();
  Instance* least_recently_used();
  Instance* least_wanted();  // leased to invocations whose clients are gone, and to no other
  void spawn(GroupId likely, bool background, bool over_cap);
  void spawn_for(FunctionId, bool background, bool over_cap);  // of its template, if there is one
  void copy(InstanceId of, bool background, bool over_cap);
  InstanceId template_of(FunctionId) const;  // none: it has none
  std::size_t copies_coming(FunctionId) const;
  void copy_failed(Instance&);  // its template is given up
  void template_failed(FunctionId);
  void cannot_bind(FunctionId);
  void try_all_again();
  void trim();
  void keep_memory();
  struct Refill {
    enum class Kind : std::uint8_t { nothing, bind, spawn } kind = Kind::nothing;
    FunctionId function = FunctionId::none;
  };
  Refill missing() const;
  std::set<FunctionId> served() const;  // by a template, by one that is to become one, or by a kept one
  void bind(Instance&, FunctionId, bool background);
  std::optional<TimePoint> refill_due() const;  // nullopt: nothing missing, or nothing to be done now
  void refill();
  void freeze_idle();
  void used(FunctionId);

  // ahead.cpp
  void copy_ahead();
  FunctionId to_copy(bool in_lull) const;       // of which one more copy should wait; none: of none
  TimePoint lull_since() const;                 // no request has come or ended for refill_delay
  std::optional<TimePoint> copies_due() const;  // nullopt: none is missing, or there is a lull
  bool shares_room(FunctionId) const;           // one more copy of it may wait for a burst

  // urgent.cpp
  bool evaluates(FunctionId) const;
  bool may_have_template(FunctionId) const;
  FunctionId urgent() const;                    // none: no template is
  std::optional<TimePoint> urgent_due() const;  // nullopt: the same
  void hasten();
  void bind_destined(Instance&);  // it is ready
  Instance* give_up_urgent();     // room is needed: the one to go; nullptr: there is none

  // instances.cpp
  Instance* find(InstanceId);
  template <class Moment>
  void step(Instance&, Moment);
  void thaw(Instance&);
  void lose(Instance&, InvocationId, limits::Code, Why, const Death& = {});
  void kill(Instance&, Why, limits::Code);
  void retire(Instance&, Why);
  void overdue(Instance&, Why);
  void ask(Instance&);  // whether it is alive: it is killed if it does not say so in time
  void init_failed(Instance&, InvocationId);
  void answered(Instance&);  // its event loop turns
  void spawn_failed(limits::Code);
  void initialised(Instance&, InvocationId);
  Duration unserved(const Instance&) const;
  void pause_inits(Instance&);
  void resume_inits(Instance&);
  bool touched(const Instance&, const CodeChange&) const;

  // timers.cpp
  bool waits_for_turn(const Instance&) const;
  std::optional<TimePoint> due(const Instance&) const;
  void strike(Instance&);

  SchedulerOptions options;
  SchedulerWatcher* watcher;
  Groups groups;
  std::shared_ptr<LeaseLedger> ledger = std::make_shared<LeaseLedger>();

  TimePoint now{};
  Commands* out = nullptr;

  std::uint64_t last_id = 0;
  std::map<InstanceId, Instance> instances;
  std::map<GroupId, Seats> seats;
  std::list<WaitingInvocation> waiters;  // in order of arrival, those whose clients are gone last
  std::unordered_map<InvocationId, Holder> holders;
  std::unordered_map<std::uint64_t, InvocationId> by_serial;
  std::vector<FunctionId> recent;  // most recently used first
  Bursts bursts;
  std::set<FunctionId> unbindable;                    // binding failed: not before their code changes
  std::set<FunctionId> uncopied;                      // they have no template: the same
  std::set<FunctionId> evaluated;                     // by an instance of theirs, for a request: the same
  std::map<FunctionId, std::uint32_t> failed_copies;  // in a row
  Duration fresh_takes =
      Duration::max();  // the last fresh one of what may_be_kept(), from placement to handler
  std::map<FunctionId, std::uint64_t> bound_weights;  // of the last instance that was bound to it, bytes

  bool started = false, stopped = false;
  Generation generation = 0;
  TimePoint calm_at{}, quiet_at{}, spawn_after{}, urgent_after{};
  std::optional<TimePoint> missing_since;
  std::uint32_t failed_spawns = 0;  // in a row
};

// A transition that the scheduler has made sure of. That it is not allowed is a bug of ours, not of the app:
// it ends the program, saying what was tried.
[[noreturn]] void broken(const Instance&, const char* what);

template <class Moment>
void Scheduler::Impl::step(Instance& i, Moment moment) {
  const InstanceState from = i.life.state();
  if (!moment(i.life)) broken(i, "a transition that its state does not allow");
  if (watcher != nullptr) watcher->on_state(i.id, from, i.life.state(), i.group, now);
}

}  // namespace vsim::instance
