// A world without processes for the scheduler: time moves when a test says so, commands are written down and
// obeyed on paper. Every command is checked against what this world knows by itself: nothing is placed on an
// instance that is not ready, frozen, full, killed or of older code, nothing leased is evicted, each lease
// ends once, no wake-up lies in the past.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "instance/scheduler.hpp"

namespace vsim::test {

using namespace vsim::instance;
using namespace std::chrono_literals;
using limits::Code;
using profile::Isolation;

inline InvocationId inv(int n) { return static_cast<InvocationId>(n); }
inline InstanceId ins(int n) { return static_cast<InstanceId>(n); }
template <class Id>
int num(Id id) {
  return static_cast<int>(id);
}

class Sim : public SchedulerWatcher {
 public:
  struct Process {
    bool ready = false, bound = false, frozen = false, killed = false, background = false;
    bool as_template = false, standing = false;  // it is to become a template, and is one
    InstanceId from = InstanceId::none;          // or a copy of one
    Why why = Why::none;
    bool busy_binding = false;
    GroupId group = GroupId::none;
    std::set<InvocationId> holders;
    std::set<FunctionId> code;
    bool stale = false;
    bool untouched = true;  // by all that it has served
    int dev_calls = 0, served = 0;
    std::set<InvocationId> waiting_for_pong;
  };
  struct Placed {
    int order;
    InstanceId instance;
    Start start;
    Duration waited;
  };

  explicit Sim(SchedulerOptions o) : options(o), scheduler(o, this) {}

  static SchedulerOptions plain(Isolation isolation) {
    SchedulerOptions o;
    o.isolation = isolation;
    o.freeze_idle = isolation == Isolation::instance;
    o.spares = 0;
    o.bound_functions = 0;
    return o;
  }
  // The two functions used last have one.
  static SchedulerOptions with_templates(Isolation isolation = Isolation::invocation,
                                         std::uint32_t spares = 1) {
    SchedulerOptions o = plain(isolation);
    o.spares = spares;
    o.bound_functions = 2;
    o.templates = true;
    return o;
  }
  FunctionId define(std::string name, Pool pool = Pool::app_route, FunctionConfig config = {}) {
    return scheduler.define({std::move(name), pool, std::move(config)});
  }

  // What clients do.
  void request(int n, FunctionId f, int parent = 0) {
    arrived[inv(n)] = now;
    function_of[inv(n)] = f;
    waiting.push_back(inv(n));
    scheduler.request({inv(n), f, inv(parent)}, now, out);
    obey();
  }
  void left(int n) {
    abandoned.insert(inv(n));
    call([&] { scheduler.client_left(inv(n), now, out); });
  }
  void withdraw(int n) {
    std::erase(waiting, inv(n));
    call([&] { scheduler.withdraw(inv(n), now, out); });
  }
  // What functions do.
  void handler(int n) {
    call([&] { scheduler.handler_started(inv(n), now, out); });
  }
  void release(int n, bool untouched = false) {
    Lease lease = take_lease(n);
    if (const auto p = processes.find(lease.instance()); p != processes.end())
      p->second.untouched &= untouched;
    call([&] { scheduler.release(std::move(lease), now, out, untouched); });
  }
  void timed_out(int n) {
    Lease lease = take_lease(n);
    call([&] { scheduler.timed_out(std::move(lease), now, out); });
  }
  void drop(int n) { take_lease(n); }
  // What instances do.
  void ready(int i) {
    processes.at(ins(i)).ready = true;
    processes.at(ins(i)).bound = processes.at(ins(i)).from != InstanceId::none;
    call([&] { scheduler.ready(ins(i), now, out); });
  }
  void bound(int i, bool again = false) {
    processes.at(ins(i)).bound = true;
    processes.at(ins(i)).busy_binding = false;
    call([&] { scheduler.bound(ins(i), now, out, again); });
  }
  void standing(int i) {
    processes.at(ins(i)).standing = true;
    processes.at(ins(i)).busy_binding = false;
    call([&] { scheduler.standing(ins(i), now, out); });
  }
  void pong(int i) {
    call([&] { scheduler.pong(ins(i), now, out); });
  }
  // What the person at the terminal does.
  void set_options(const SchedulerOptions& o) {
    options = o;
    for (auto& [id, p] : processes) p.stale = true;
    call([&] { scheduler.set_options(o, Why::settings, now, out); });
  }
  void retire(Why why, bool spares = true) {
    for (auto& [id, p] : processes) p.stale |= spares || !p.code.empty();
    call([&] { scheduler.retire(why, spares, now, out); });
  }
  void failing(int i) {
    call([&] { scheduler.failing(ins(i), now, out); });
  }
  void exited(int i, Death d = {Death::Kind::signaled, 9}) {
    // The process is gone before anybody hears of it, and takes nothing any more.
    ended.insert(ins(i));
    call([&] { scheduler.exited(ins(i), d, now, out); });
    REQUIRE(processes.at(ins(i)).holders.empty());
    processes.erase(ins(i));
    REQUIRE_FALSE(scheduler.instance(ins(i)));
  }
  void dev_call(int i, bool open) {
    processes.at(ins(i)).dev_calls += open ? 1 : -1;
    call([&] {
      open ? scheduler.dev_call_opened(ins(i), now, out) : scheduler.dev_call_closed(ins(i), now, out);
    });
  }
  void memory(int i, std::uint64_t bytes, std::uint64_t shared = 0) {
    call([&] { scheduler.memory(ins(i), {bytes, shared}, now, out); });
  }
  void start() {
    call([&] { scheduler.start(now, out); });
  }
  void stop() {
    call([&] { scheduler.stop(now, out); });
  }
  void changed(CodeChange c) {
    c.generation = ++generation;
    for (auto& [id, p] : processes) {
      const bool hit =
          std::any_of(c.functions.begin(), c.functions.end(),
                      [&p = p](FunctionId f) { return p.code.contains(f); }) ||
          (!p.code.empty() && std::find(c.groups.begin(), c.groups.end(), p.group) != c.groups.end());
      if (c.environment || (c.all_code && !p.code.empty()) || hit) p.stale = true;
    }
    call([&] { scheduler.invalidate(c, now, out); });
  }
  template <class F>
  void call(F f) {
    f();
    obey();
  }

  // Moves time on, waking the scheduler exactly when it asked for, as the shell's timer does.
  void advance(Duration d) {
    const TimePoint until = now + d;
    int wakes = 0;
    for (auto next = scheduler.next_wakeup(); next && *next <= until; next = scheduler.next_wakeup()) {
      REQUIRE(*next >= told);
      REQUIRE(++wakes < 100'000);
      now = std::max(now, *next);  // a lease that was let go is due at once
      call([&] { scheduler.wake(now, out); });
      if (const auto again = scheduler.next_wakeup()) REQUIRE(*again > now);
    }
    now = until;
  }
  // Everything killed so far ends.
  void bury() {
    for (bool again = true; again;) {
      again = false;
      for (const auto& [id, p] : processes)
        if (p.killed) {
          again = true;
          exited(num(id));
          break;
        }
    }
  }

  // What was commanded since the last call, one line each.
  std::string said() { return std::exchange(log, ""); }
  std::string state(int i) const {
    const auto seen = scheduler.instance(ins(i));
    return seen ? std::string(name(seen->state)) : "gone";
  }

  void on_state(InstanceId id, const InstanceState& from, const InstanceState& to, GroupId,
                TimePoint at) override {
    REQUIRE(at == now);
    if (last_state.contains(id)) REQUIRE(last_state[id] == name(from));
    last_state[id] = name(to);
  }

  Duration unserved(InstanceId) const override { return waited; }

  SchedulerOptions options;
  Duration waited{};  // of every event loop, for a processor
  Scheduler scheduler;
  TimePoint now{Duration(1h)};
  TimePoint told{};  // the last moment the scheduler was told
  Generation generation = 0;
  std::map<InstanceId, Process> processes;
  std::map<InvocationId, Lease> leases;
  std::map<InvocationId, TimePoint> arrived;
  std::map<InvocationId, FunctionId> function_of;
  std::map<InvocationId, Placed> placed;
  std::map<InvocationId, Code> refused, lost;
  std::vector<InvocationId> waiting;  // in order of arrival
  std::set<InvocationId> abandoned;
  std::set<InstanceId> ended;
  std::map<InstanceId, std::string> last_state;
  int placements = 0;
  std::string log;
  std::vector<SchedulerCommand> out;

 private:
  Lease take_lease(int n) {
    auto node = leases.extract(inv(n));
    REQUIRE_FALSE(node.empty());
    if (const auto p = processes.find(node.mapped().instance()); p != processes.end())
      p->second.holders.erase(inv(n));
    return std::move(node.mapped());
  }
  Process& living(InstanceId id) {
    REQUIRE(processes.contains(id));
    Process& p = processes.at(id);
    REQUIRE_FALSE(p.killed);
    REQUIRE_FALSE(ended.contains(id));
    return p;
  }
  std::uint32_t slots(FunctionId f) const {
    if (options.isolation != Isolation::fluid) return 1;
    return scheduler.groups().function(f).config.max_concurrency.value_or(options.slots);
  }

  void obey() {
    told = now;
    for (SchedulerCommand& c : std::exchange(out, {}))
      std::visit([this](auto& command) { carry_out(command); }, c);
    const SchedulerTotals t = scheduler.totals();
    REQUIRE(t.waiting == waiting.size());
    REQUIRE(t.granted - t.returned == leases.size());
    REQUIRE(t.holding <= leases.size());
    if (const auto next = scheduler.next_wakeup()) REQUIRE(*next >= now);
    for (const auto& [id, p] : processes) {
      const auto seen = scheduler.instance(id);
      if (ended.contains(id)) continue;
      REQUIRE(seen);
      REQUIRE(std::holds_alternative<Dying>(seen->state) == p.killed);
    }
  }

  void carry_out(Spawn& c) {
    REQUIRE_FALSE(last_state.contains(c.id));
    REQUIRE_FALSE(processes.contains(c.id));
    Process& p = processes[c.id];
    p.background = c.background;
    if (c.from != InstanceId::none) {
      const Process& of = living(c.from);
      REQUIRE(of.standing);
      REQUIRE_FALSE(of.stale);
      p.from = c.from;
      p.code = of.code;
    }
    log += fmt::format("spawn i{}{}{}\n", num(c.id), c.background ? " background" : "",
                       c.from == InstanceId::none ? "" : fmt::format(" from i{}", num(c.from)));
  }
  void carry_out(Bind& c) {
    Process& p = living(c.id);
    REQUIRE(p.ready);
    REQUIRE(p.code.empty());
    REQUIRE((!c.as_template || options.templates));
    p.code.insert(c.function);
    p.group = scheduler.groups().group_of(c.function);
    p.busy_binding = true;
    p.as_template = c.as_template;
    log += fmt::format("bind i{} f{}{}{}\n", num(c.id), num(c.function), c.as_template ? " as template" : "",
                       c.background ? "" : " at once");
    p.background = p.background && c.background;
  }
  void carry_out(Raise& c) {
    Process& p = living(c.id);
    REQUIRE(p.busy_binding);
    p.background = false;
    log += fmt::format("raise i{}\n", num(c.id));
  }
  void carry_out(Freeze& c) {
    Process& p = living(c.id);
    REQUIRE_FALSE(p.frozen);
    REQUIRE(p.holders.empty());
    REQUIRE(p.dev_calls == 0);
    REQUIRE_FALSE(p.busy_binding);
    REQUIRE_FALSE(p.standing);
    p.frozen = true;
    log += fmt::format("freeze i{}\n", num(c.id));
  }
  void carry_out(Thaw& c) {
    Process& p = living(c.id);
    REQUIRE(p.frozen);
    p.frozen = false;
    log += fmt::format("thaw i{}\n", num(c.id));
  }
  void carry_out(Ping& c) {
    REQUIRE_FALSE(living(c.id).frozen);
    log += fmt::format("ping i{}\n", num(c.id));
  }
  void carry_out(Kill& c) {
    Process& p = living(c.id);
    if (c.why == Why::memory || c.why == Why::grown || c.why == Why::idle || c.why == Why::spent ||
        c.why == Why::surplus || c.why == Why::stale || c.why == Why::settings || c.why == Why::asked ||
        c.why == Why::deployment)
      REQUIRE(p.holders.empty());
    if (c.why == Why::abandoned)
      for (const InvocationId h : p.holders) REQUIRE(abandoned.contains(h));
    p.killed = true;
    p.why = c.why;
    log += fmt::format("kill i{} {}\n", num(c.id), to_string(c.why));
  }
  void carry_out(Placement& c) {
    const auto w = std::find(waiting.begin(), waiting.end(), c.invocation);
    REQUIRE(w != waiting.end());
    waiting.erase(w);
    REQUIRE(c.waited == now - arrived.at(c.invocation));
    REQUIRE(c.lease);
    REQUIRE(c.lease.invocation() == c.invocation);
    REQUIRE(c.lease.instance() == c.instance);
    const FunctionId f = function_of.at(c.invocation);
    if (options.isolation != Isolation::none) {
      Process& p = living(c.instance);
      REQUIRE(p.ready);
      REQUIRE_FALSE(p.frozen);
      REQUIRE_FALSE(p.busy_binding);
      REQUIRE_FALSE(p.standing);
      REQUIRE_FALSE(p.stale);
      const GroupId g = scheduler.groups().group_of(f);
      REQUIRE((p.group == GroupId::none || p.group == g));
      REQUIRE(p.holders.size() < slots(f));
      const GroupedFunction& function = scheduler.groups().function(f);
      const bool kept = function.config.prerender || function.pool == Pool::middleware;
      REQUIRE((p.served == 0 || options.isolation != Isolation::invocation || (p.untouched && kept)));
      REQUIRE((c.start == Start::warm) == (p.served > 0));
      const bool in_time = c.start == Start::bound || (p.from != InstanceId::none && c.start == Start::cold);
      REQUIRE(in_time == (p.served == 0 && p.bound));
      p.group = g;
      p.code.insert(f);
      p.holders.insert(c.invocation);
      ++p.served;
    }
    placed[c.invocation] = {++placements, c.instance, c.start, c.waited};
    static constexpr const char* kStarts[] = {"warm", "bound", "spare", "cold"};
    log += fmt::format("place {} i{} {}", num(c.invocation), num(c.instance),
                       kStarts[static_cast<std::size_t>(c.start)]);
    if (c.waited > 0s) log += " waited " + format_duration(c.waited);
    log += "\n";
    REQUIRE(leases.emplace(c.invocation, std::move(c.lease)).second);
  }
  void carry_out(Refuse& c) {
    const auto w = std::find(waiting.begin(), waiting.end(), c.invocation);
    REQUIRE(w != waiting.end());
    waiting.erase(w);
    refused[c.invocation] = c.code;
    log += fmt::format("refuse {} {}\n", num(c.invocation), limits::info(c.code).name);
  }
  void carry_out(LeaseLost& c) {
    REQUIRE(leases.contains(c.invocation));
    REQUIRE(lost.emplace(c.invocation, c.code).second);
    const auto p = processes.find(c.instance);
    REQUIRE(p != processes.end());
    REQUIRE(p->second.holders.erase(c.invocation) == 1);
    log += fmt::format("lost {} i{} {} {}\n", num(c.invocation), num(c.instance), limits::info(c.code).name,
                       to_string(c.why));
  }
};

}  // namespace vsim::test
