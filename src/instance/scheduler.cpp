// The moments.
#include "instance/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "instance/impl.hpp"

namespace vsim::instance {

using limits::Code;

Scheduler::Scheduler(const SchedulerOptions& options, SchedulerWatcher* watcher)
    : impl_(std::make_unique<Impl>(options, watcher)) {}
Scheduler::~Scheduler() = default;

FunctionId Scheduler::define(const GroupedFunction& f) { return impl_->groups.define(f); }
const Groups& Scheduler::groups() const { return impl_->groups; }

namespace {

// What those on an instance get when it ends by itself (facts 2: an invocation that completes without a
// response, against a crash).
Code code_of(const Death& d) {
  return d.kind == Death::Kind::exited && d.value == 0 ? Code::no_response_from_function
                                                       : Code::function_invocation_failed;
}

}  // namespace

void Scheduler::Impl::begin(TimePoint moment, Commands& commands, InstanceId ended) {
  now = std::max(now, moment);
  out = &commands;
  for (const std::uint64_t serial : std::exchange(ledger->dropped, {})) give_back(serial, ended);
}

void Scheduler::Impl::settle() {
  place_waiting();
  trim();
  keep_memory();
  meet_demand();
  hasten();
  refill();
  copy_ahead();
  freeze_idle();
  out = nullptr;
}

void Scheduler::Impl::child_ended(InvocationId parent) {
  const auto p = holders.find(parent);
  if (p != holders.end() && p->second.children > 0) --p->second.children;
}

void Scheduler::Impl::end_holder(InvocationId invocation) {
  const auto it = holders.find(invocation);
  if (it == holders.end()) return;
  const Holder h = it->second;
  holders.erase(it);
  by_serial.erase(h.serial);
  child_ended(h.parent);
  if (h.took_spare) quiet_at = std::max(quiet_at, after(now, options.refill_delay));
  if (Instance* i = find(h.instance)) {
    std::erase(i->holders, invocation);
    initialised(*i, invocation);
  }
}

void Scheduler::Impl::give_back(std::uint64_t serial, InstanceId ended, bool untouched) {
  const auto it = by_serial.find(serial);
  if (it == by_serial.end()) return;  // lost before
  const InvocationId invocation = it->second;
  const FunctionId function = holders.at(invocation).function;
  Instance* i = find(holders.at(invocation).instance);
  end_holder(invocation);
  if (i == nullptr) return;
  step(*i, [](InstanceLifecycle& l) { return l.release(); });
  i->last_used = i->heard = now;
  i->served = true;
  if (i->id == ended) return;  // nothing is left to kill
  if (const auto* r = std::get_if<Retired>(&i->life.state()); r != nullptr && r->leases == 0)
    kill(*i, r->why, Code::none);
  else if (i->life.is<Idle>() && options.isolation == profile::Isolation::invocation) {
    i->kept = untouched && keeps(*i, function);
    if (!i->kept) kill(*i, Why::spent, Code::none);
  }
}

void Scheduler::Impl::refuse_waiting(Code code) {
  while (!waiters.empty()) {
    const WaitingInvocation w = waiters.front();
    waiters.pop_front();
    child_ended(w.parent);
    out->push_back(Refuse{w.invocation, code, now - w.arrived});
  }
}

void Scheduler::start(TimePoint now, Commands& out) {
  impl_->begin(now, out);
  impl_->started = true;
  impl_->settle();
}

void Scheduler::stop(TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  s.stopped = true;
  s.refuse_waiting(Code::sim_not_ready);
  for (auto& [id, i] : s.instances)
    if (i.life.living()) s.kill(i, Why::shutdown, Code::sim_not_ready);
  s.settle();
}

void Scheduler::request(const PlacementRequest& r, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  WaitingInvocation w{.invocation = r.invocation, .function = r.function, .arrived = s.now};
  if (const auto parent = s.holders.find(r.parent); parent != s.holders.end()) {
    w.parent = r.parent;
    w.depth = parent->second.depth + 1;
  }
  const auto refuse = [&](Code code) {
    out.push_back(Refuse{r.invocation, code, Duration::zero()});
    s.settle();
  };
  if (s.stopped) return refuse(Code::sim_not_ready);
  if (w.depth > s.options.nesting_max) return refuse(Code::infinite_loop_detected);
  if (s.options.isolation == profile::Isolation::none) {
    Lease lease(s.ledger, r.invocation, InstanceId::none);
    s.holders[r.invocation] = {.serial = s.ledger->granted, .function = r.function, .depth = w.depth};
    s.by_serial.emplace(s.ledger->granted, r.invocation);
    out.push_back(Placement{r.invocation, InstanceId::none, Start::warm, Duration::zero(), std::move(lease)});
    return s.settle();
  }
  if (w.parent != InvocationId::none) ++s.holders.at(w.parent).children;
  s.used(r.function);
  s.bursts.asked(r.function, s.now);
  // Those whose clients are gone are behind the others already.
  const auto behind =
      std::find_if(s.waiters.begin(), s.waiters.end(), [](const WaitingInvocation& o) { return o.left; });
  s.waiters.insert(behind, w);
  s.place_waiting();
  if (s.waiters.size() > s.options.queue_max) {
    const WaitingInvocation last = s.waiters.back();
    s.waiters.pop_back();
    s.child_ended(last.parent);
    out.push_back(Refuse{last.invocation, Code::function_throttled, s.now - last.arrived});
  }
  s.settle();
}

void Scheduler::withdraw(InvocationId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  const auto w = std::find_if(s.waiters.begin(), s.waiters.end(),
                              [&](const WaitingInvocation& o) { return o.invocation == id; });
  if (w != s.waiters.end()) {
    s.child_ended(w->parent);
    s.waiters.erase(w);
  }
  s.settle();
}

void Scheduler::client_left(InvocationId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (const auto h = s.holders.find(id); h != s.holders.end()) {
    if (!h->second.left) h->second.left = s.now;
  } else {
    const auto w = std::find_if(s.waiters.begin(), s.waiters.end(),
                                [&](const WaitingInvocation& o) { return o.invocation == id; });
    if (w != s.waiters.end() && !w->left) {
      w->left = true;
      s.waiters.splice(s.waiters.end(), s.waiters, w);
    }
  }
  s.settle();
}

void Scheduler::handler_started(InvocationId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (const auto h = s.holders.find(id); h != s.holders.end()) {
    if (!std::exchange(h->second.begun, true) && h->second.took_spare && s.may_be_kept(h->second.function))
      s.fresh_takes = s.now - h->second.placed;
    if (Instance* i = s.find(h->second.instance)) {
      if (h->second.evaluates && i->life.is<Leased>()) s.evaluated.insert(h->second.function);
      i->heard = s.now;
      s.initialised(*i, id);
    }
  }
  s.settle();
}

void Scheduler::waits(InvocationId id, bool waiting, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (const auto h = s.holders.find(id); h != s.holders.end()) h->second.waits = waiting;
  s.settle();
}

void Scheduler::release(Lease lease, TimePoint now, Commands& out, bool untouched) {
  Impl& s = *impl_;
  s.begin(now, out);
  s.give_back(lease.end(), InstanceId::none, untouched);
  s.settle();
}

void Scheduler::timed_out(Lease lease, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (const auto it = s.by_serial.find(lease.end()); it != s.by_serial.end()) {
    Instance* i = s.find(s.holders.at(it->second).instance);
    s.end_holder(it->second);
    if (i != nullptr) s.overdue(*i, Why::deadline);
  }
  s.settle();
}

void Scheduler::ready(InstanceId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id); i != nullptr && i->life.is<Spawning>()) {
    const bool is_copy = i->from != InstanceId::none;
    s.step(*i, [&](InstanceLifecycle& l) { return is_copy ? l.ready(i->code.front()) : l.ready(); });
    i->last_used = s.now;
    if (is_copy) s.failed_copies.erase(i->code.front());
    if (i->destined != FunctionId::none) s.bind_destined(*i);
    s.failed_spawns = 0;
    s.spawn_after = {};
  }
  s.settle();
}

void Scheduler::bound(InstanceId id, TimePoint now, Commands& out, bool again) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id); i != nullptr && i->life.is<Binding>()) {
    if (s.options.templates && !again) s.uncopied.insert(std::get<Binding>(i->life.state()).function);
    s.step(*i, [](InstanceLifecycle& l) { return l.bound(); });
    i->inits.clear();
    i->last_used = s.now;
  }
  s.settle();
}

void Scheduler::standing(InstanceId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id); i != nullptr && i->life.is<Binding>()) {
    s.step(*i, [](InstanceLifecycle& l) { return l.stand(); });
    i->inits.clear();
    i->last_used = s.now;
  }
  s.settle();
}

void Scheduler::pong(InstanceId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id)) s.answered(*i);
  s.settle();
}

void Scheduler::exited(InstanceId id, const Death& death, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out, id);
  if (Instance* i = s.find(id)) {
    const bool never_ready = i->life.is<Spawning>();
    const bool is_copy = i->from != InstanceId::none;
    if (const auto* b = std::get_if<Binding>(&i->life.state())) s.cannot_bind(b->function);
    if (const auto* t = std::get_if<Template>(&i->life.state())) s.template_failed(t->function);
    if (never_ready && is_copy) s.copy_failed(*i);
    s.unseat(*i);
    s.step(*i, [&](InstanceLifecycle& l) { return l.exited(death); });
    while (!i->holders.empty()) s.lose(*i, i->holders.front(), code_of(death), Why::none, death);
    s.instances.erase(id);
    // One that could not be made at all (no descriptor, no process left) has run none of the app's code.
    const bool never_was = death.kind == Death::Kind::lost;
    if (never_ready && !is_copy)
      s.spawn_failed(never_was ? Code::sim_not_ready : Code::function_invocation_failed);
  }
  s.settle();
}

void Scheduler::dev_call_opened(InstanceId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id); i != nullptr && ++i->dev_calls == 1) {
    s.pause_inits(*i);
    s.thaw(*i);  // it was on its way when the freeze came
  }
  s.settle();
}

void Scheduler::dev_call_closed(InstanceId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id); i != nullptr && i->dev_calls > 0 && --i->dev_calls == 0) {
    i->heard = s.now;
    s.resume_inits(*i);
  }
  s.settle();
}

void Scheduler::memory(InstanceId id, Memory of, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id)) {
    i->memory = of.pss;
    i->shared = std::min(of.shared, of.pss);
    if (i->served && i->memory_at_first == 0) i->memory_at_first = of.pss;
    if (const auto* b = std::get_if<Bound>(&i->life.state())) s.bound_weights[b->function] = of.pss;
  }
  s.settle();
}

void Scheduler::loaded(InstanceId id, std::vector<std::string> files, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id)) {
    i->files =
        std::set<std::string>(std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
    i->files_told = true;
  }
  s.settle();
}

void Scheduler::condemn(InstanceId id, Why why, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id); i != nullptr && i->life.living())
    s.kill(*i, why, Code::function_invocation_failed);
  s.settle();
}

void Scheduler::failing(InstanceId id, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  if (Instance* i = s.find(id); i != nullptr && i->life.living()) {
    if (i->life.is<Spawning>() || i->life.is<Spare>() || i->life.is<Binding>()) return s.settle();
    s.retire(*i, Why::failed);
  }
  s.settle();
}

void Scheduler::set_options(const SchedulerOptions& options, Why why, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  const bool shared = s.options.groups_shared;
  s.options = options;
  s.options.groups_shared = shared;
  for (auto& [id, i] : s.instances)
    if (i.life.living()) s.retire(i, why);
  s.seats.clear();  // turns are taken otherwise, or no more
  for (WaitingInvocation& w : s.waiters) w.group = GroupId::none;
  s.try_all_again();
  s.settle();
}

void Scheduler::retire(Why why, bool spares, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  for (auto& [id, i] : s.instances)
    if (i.life.living() && (spares || !i.code.empty())) s.retire(i, why);
  s.try_all_again();
  s.settle();
}

void Scheduler::invalidate(const CodeChange& change, TimePoint now, Commands& out) {
  Impl& s = *impl_;
  s.begin(now, out);
  s.generation = std::max(s.generation, change.generation);
  bool any = false;
  for (auto& [id, i] : s.instances) {
    if (!i.life.living() || !s.touched(i, change)) continue;
    any = true;
    s.retire(i, Why::stale);
  }
  s.try_all_again();
  if (any || s.calm_at > s.now) s.calm_at = after(s.now, s.options.change_calm);
  s.settle();
}

std::optional<InstanceView> Scheduler::instance(InstanceId id) const {
  const Instance* i = impl_->find(id);
  return i == nullptr
             ? std::nullopt
             : std::optional(InstanceView{i->id, i->life.state(), i->group, i->generation, i->memory});
}

std::vector<InstanceView> Scheduler::instances() const {
  std::vector<InstanceView> all;
  for (const auto& [id, i] : impl_->instances)
    all.push_back({id, i.life.state(), i.group, i.generation, i.memory});
  return all;
}

SchedulerTotals Scheduler::totals() const {
  SchedulerTotals t{impl_->ledger->granted, impl_->ledger->returned, impl_->waiters.size(),
                    impl_->holders.size(), impl_->instances.size()};
  for (const auto& [id, i] : impl_->instances) t.memory += impl_->measured(i);
  return t;
}

}  // namespace vsim::instance
