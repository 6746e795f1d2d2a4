// What happens to one instance.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "instance/impl.hpp"

namespace vsim::instance {

using limits::Code;

void broken(const Instance& i, const char* what) {
  fmt::print(stderr, "vercel-sim: bug: instance i{} ({}, {} leases): {}\n", static_cast<std::uint64_t>(i.id),
             name(i.life.state()), i.life.leases(), what);
  std::abort();
}

Instance* Scheduler::Impl::find(InstanceId id) {
  const auto it = instances.find(id);
  return it == instances.end() ? nullptr : &it->second;
}

void Scheduler::Impl::thaw(Instance& i) {
  if (!i.life.frozen()) return;
  step(i, [](InstanceLifecycle& l) { return l.thaw(); });
  out->push_back(Thaw{i.id});
}

// The invocation has no instance any more; the instance's own state is the caller's matter.
void Scheduler::Impl::lose(Instance& i, InvocationId invocation, Code code, Why why, const Death& death) {
  end_holder(invocation);
  out->push_back(LeaseLost{invocation, i.id, code, why, death});
}

// `code`: what those who are on it get.
void Scheduler::Impl::kill(Instance& i, Why why, Code code) {
  step(i, [&](InstanceLifecycle& l) { return l.kill(why); });
  unseat(i);
  i.inits.clear();
  i.ping_due.reset();
  out->push_back(Kill{i.id, why});
  while (!i.holders.empty()) lose(i, i.holders.front(), code, why);
}

void Scheduler::Impl::retire(Instance& i, Why why) {
  if (i.life.leases() == 0) return kill(i, why, Code::none);
  if (i.life.is<Retired>()) return;
  step(i, [&](InstanceLifecycle& l) { return l.retire(why); });
  unseat(i);
}

// One of its invocations has passed a limit and is no longer among its holders. Alone, it goes; neighbours
// finish first, if its event loop still turns.
void Scheduler::Impl::overdue(Instance& i, Why why) {
  if (i.holders.empty()) return kill(i, why, Code::none);
  step(i, [](InstanceLifecycle& l) { return l.release(); });
  retire(i, why);
  ask(i);
}

void Scheduler::Impl::ask(Instance& i) {
  if (i.ping_due) return;
  i.ping_due = after(now, options.ping_limit);
  i.ping_unserved = unserved(i);
  out->push_back(Ping{i.id});
}

// Spares wait 250 ms, doubled each time, at most 8 s: a broken instrumentation file must not keep the machine
// busy. Whoever waits gets a few tries at once.
void Scheduler::Impl::spawn_failed(Code why) {
  const auto doublings = std::min<std::uint32_t>(failed_spawns++, 5);
  spawn_after = after(now, std::chrono::milliseconds(250) * (1 << doublings));
  if (failed_spawns >= options.spawn_tries) refuse_waiting(why);
}

// Its template is of no use, and goes. The next one may be: whoever waits is served otherwise meanwhile.
void Scheduler::Impl::copy_failed(Instance& i) {
  template_failed(i.code.front());
  Instance* of = find(i.from);
  if (of != nullptr && of->life.is<Template>()) kill(*of, Why::failed, Code::none);
}

void Scheduler::Impl::template_failed(FunctionId f) {
  if (++failed_copies[f] >= options.copy_tries) uncopied.insert(f);
}

// As a template first, which asks more of it.
void Scheduler::Impl::cannot_bind(FunctionId f) {
  if (!options.templates || !uncopied.insert(f).second) unbindable.insert(f);
}

void Scheduler::Impl::try_all_again() {
  unbindable.clear();
  uncopied.clear();
  evaluated.clear();
  failed_copies.clear();
}

void Scheduler::Impl::initialised(Instance& i, InvocationId invocation) {
  std::erase_if(i.inits, [&](const Init& init) { return init.invocation == invocation; });
}

Duration Scheduler::Impl::unserved(const Instance& i) const {
  return watcher == nullptr ? Duration::zero() : watcher->unserved(i.id);
}

void Scheduler::Impl::pause_inits(Instance& i) {
  for (Init& init : i.inits) init.left -= std::min(init.left, now - init.since);
}

void Scheduler::Impl::resume_inits(Instance& i) {
  for (Init& init : i.inits) init.since = now;
}

bool Scheduler::Impl::touched(const Instance& i, const CodeChange& c) const {
  if (c.environment) return true;
  if (i.code.empty()) return false;
  if (c.all_code) return true;
  if (std::find(c.groups.begin(), c.groups.end(), i.group) != c.groups.end()) return true;
  const auto changed = [&](FunctionId f) {
    return std::find(c.functions.begin(), c.functions.end(), f) != c.functions.end();
  };
  if (std::any_of(i.code.begin(), i.code.end(), changed)) return true;
  if (c.files.empty()) return false;
  return !i.files_told ||
         std::any_of(c.files.begin(), c.files.end(), [&](const auto& f) { return i.files.contains(f); });
}

}  // namespace vsim::instance
