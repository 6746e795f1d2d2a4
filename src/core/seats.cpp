// Which request has which instance: from the scheduler, which is asked as soon as that may be (not before all
// changes of the code that the request has met are known, nor before the instance that left it to the next
// route is done with it).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/core.hpp"

namespace vsim::core {

using instance::InstanceId;
using instance::Why;
using limits::Code;

namespace {

constexpr std::size_t kMostWarmHead = 64UL * 1024;

instance::Pool pool_of(std::string_view kind) {
  return kind == "PAGES"        ? instance::Pool::pages
         : kind == "APP_PAGE"   ? instance::Pool::app_page
         : kind == "PAGES_API"  ? instance::Pool::pages_api
         : kind == "MIDDLEWARE" ? instance::Pool::middleware
                                : instance::Pool::app_route;
}

}  // namespace

void Core::obey(Commands& out) {
  asked_.carry_out(
      [&](instance::SchedulerCommand& command) { std::visit([&](auto& c) { obey(c, out); }, command); });
}

// --- The app and its code

void Core::isolate(const instance::SchedulerOptions& options) {
  scheduler_.emplace(options, &senses_);
  early_ = instance::Early(options.early_patience);
  options_ = options;
}

void Core::start(const Moment& m, Commands& out) {
  schedule(m, out, [](auto& s, TimePoint t, auto& c) { s.start(t, c); });
}

void Core::stop(const Moment& m, Commands& out) {
  stopped_ = true;
  schedule(m, out, [](auto& s, TimePoint t, auto& c) { s.stop(t, c); });
  for (const InvocationId id : early_.clear()) refuse(id, Code::sim_not_ready, {}, m, out);
}

void Core::known(const instance::CodeChange& change, const Moment& m, Commands& out) {
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.invalidate(change, t, c); });
  early_.announced(generation_);
  ask_early(m, out);
}

void Core::changed(instance::CodeChange change, const Moment& m, Commands& out) {
  generation_ = std::max(generation_, base_ + change.generation);
  change.generation = generation_;
  known(change, m, out);
}

void Core::environment_changed(const Moment& m, Commands& out) {
  instance::CodeChange change;
  change.generation = ++generation_;
  ++base_;
  change.environment = change.all_code = true;
  known(change, m, out);
}

void Core::gone(const Moment& m, Commands& out) {
  base_ = ++generation_;
  std::vector<InvocationId> waiting;
  for (const auto& [id, p] : passages_)
    if (p.is<Passage::Queued>()) waiting.push_back(id);
  std::sort(waiting.begin(), waiting.end());
  for (const InvocationId id : waiting) {
    if (Entry* e = entry(id)) withdraw(*e, m, out);
    refuse(id, Code::no_response_from_function, {}, m, out);
  }
  instance::CodeChange change;
  change.generation = generation_;
  change.environment = change.all_code = true;
  known(change, m, out);
}

void Core::set_options(const instance::SchedulerOptions& options, Why why, const Moment& m, Commands& out) {
  options_ = options;
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.set_options(options, why, t, c); });
}

void Core::retire(Why why, const Moment& m, Commands& out) {
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.retire(why, false, t, c); });
}

void Core::give_up_isolation() {
  gave_up_ = true;
  engine_.set_isolation(profile::Isolation::none);
}

const AskedFunction& Core::function(instance::FunctionId id) const {
  return functions_.at(static_cast<std::size_t>(id));
}

instance::FunctionId Core::define(const engine::DispatchedFunction& of, const Dispatched& words) {
  instance::GroupedFunction grouped{std::string(words.page), pool_of(words.kind), {}};
  grouped.config.max_duration = of.max_duration;
  grouped.config.edge = of.edge;
  grouped.config.supports_cancellation = of.supports_cancellation;
  grouped.config.prerender = of.is_static;
  const instance::FunctionId id = scheduler_->define(grouped);
  const auto index = static_cast<std::size_t>(id);
  if (functions_.size() <= index) functions_.resize(index + 1);
  AskedFunction& f = functions_[index];
  if (f.page.empty()) {
    f.page = words.page;
    f.kind = words.kind;
    f.runtime = words.runtime;
  }
  f.route = of.route;
  if (words.head.size() <= kMostWarmHead) f.head = words.head;
  return id;
}

// --- The way to an instance

void Core::request(InvocationId id, const Dispatched& words, std::uint64_t generation, const Moment& m,
                   Commands& out) {
  const auto of = engine_.function(id);
  if (!of || !scheduler_) return;  // ended meanwhile: its command is on the way
  const instance::FunctionId function = define(*of, words);
  Entry& e = *passages_.try_emplace(id).first;
  set(e, Passage::Queued{function});
  hold_callers(e.second, m.now);
  const instance::Early::Asked asked{id, function, e.second.parent, base_ + generation};
  const bool still_there = e.second.former.has_value();
  if (stopped_ || (!still_there && early_.known(asked.generation))) return ask({asked, false, {}}, m, out);
  early_.add(asked, still_there, m.now);
}

void Core::ask(const instance::Early::Ready& early, const Moment& m, Commands& out) {
  const instance::Early::Asked& asked = early.asked;
  const auto waits = [&] {
    Entry* e = entry(asked.id);
    return e == nullptr ? nullptr : std::get_if<Passage::Queued>(&e->second.where);
  };
  Passage::Queued* queued = waits();
  if (queued == nullptr) return;
  queued->asked = true;
  queued->early = early.waited;
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) {
    s.request({asked.id, asked.function, asked.parent}, t, c);
  });
  if (early.left) left_alone(asked.id, m, out);
  if (waits() != nullptr) out.emplace_back(Hurry{});
}

void Core::ask_early(const Moment& m, Commands& out) {
  while (const auto early = early_.take(m.now)) ask(*early, m, out);
}

// What is missing will not come: an honest end of the wait, in which nobody is served by what may be old.
void Core::strike_early(const Moment& m, Commands& out) {
  const auto late = early_.strike(m.now);
  for (const InvocationId id : late.not_given_back) {
    Entry* e = entry(id);
    if (e != nullptr && e->second.former) {
      if (debugged(e->second.former->lease.instance())) continue;
      const std::string name = name_of(e->second.former->lease.instance());
      out.emplace_back(
          Remark{fmt::format("{} left a request to the next route and did not say that it is done "
                             "with it: the request goes on elsewhere, and {} ends",
                             name, name),
                 "look for code that keeps its event loop busy"});
      instance::Lease lease = std::move(e->second.former->lease);
      e->second.former.reset();
      schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.timed_out(std::move(lease), t, c); });
    }
    early_.given_back(id);
  }
  if (late.missing != 0) {
    out.emplace_back(Remark{
        "`next dev` counts a change of the code that it has not told of: requests that waited for it are "
        "served by instances that start anew, with the code as it is now",
        "if this comes again, restart, and please report it"});
    instance::CodeChange change;
    change.generation = generation_;
    change.all_code = true;
    schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.invalidate(change, t, c); });
  }
  ask_early(m, out);
}

void Core::again(InvocationId id, TimePoint now) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.is<Passage::PassedOn>()) return;
  set(*e, Passage::AtApp{});
  if (auto* held = std::get_if<Passage::Held>(&e->second.seat)) e->second.former = std::move(*held);
  e->second.seat = Passage::Vacant{};
  e->second.broken_off.reset();
  engine_.again(id, now);
}

// It gives up its instance, or its place in the queue, if there is need.
void Core::left_alone(InvocationId id, const Moment& m, Commands& out) {
  early_.client_left(id);
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.client_left(id, t, c); });
}

void Core::withdraw(Entry& e, const Moment& m, Commands& out) {
  early_.withdraw(e.first);
  if (!std::get<Passage::Queued>(e.second.where).asked) return;
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.withdraw(e.first, t, c); });
}

void Core::refuse(InvocationId id, Code code, Duration waited, const Moment& m, Commands& out) {
  Entry* e = entry(id);
  const auto* queued = e == nullptr ? nullptr : std::get_if<Passage::Queued>(&e->second.where);
  if (queued == nullptr) return;
  const Code answer = engine_.not_placed(id, code, queued->early + waited, m.now, m.wall);
  set(*e, Passage::AtApp{});
  finish(*e, answer, m, out);
}

void Core::unsent(InvocationId id, const Moment& m, Commands& out) {
  Entry* e = entry(id);
  auto* held = e == nullptr ? nullptr : std::get_if<Passage::Held>(&e->second.seat);
  if (held == nullptr) return;
  instance::Lease lease = std::move(held->lease);
  e->second.seat = Passage::Vacant{};
  engine_.released(id, {}, m.now, m.wall);
  if (e->second.ended()) forget(*e, m.now);
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.release(std::move(lease), t, c); });
}

// --- The scheduler's words

void Core::obey(instance::Placement& c, Commands& out) {
  Entry* e = entry(c.invocation);
  const auto* queued = e == nullptr ? nullptr : std::get_if<Passage::Queued>(&e->second.where);
  if (queued == nullptr)  // withdrawn while the command was on its way
    return schedule(last_, out,
                    [&](auto& s, TimePoint t, auto& more) { s.release(std::move(c.lease), t, more); });
  Passage& p = e->second;
  const instance::FunctionId function = queued->function;
  let_callers_go(p, last_.now);
  p.seat = Passage::Held{std::move(c.lease), function};
  p.broken_off.reset();
  engine_.placed(c.invocation, name_of(c.instance), to_string(c.start), queued->early + c.waited, last_.now);
  set(*e, Passage::Unanswered{});
  out.emplace_back(SendTo{c.invocation, c.instance, function});
  // Nobody will tell that its modules are there.
  if (engine_.begun_unseen(c.invocation)) begun(c.invocation, std::get<Passage::Held>(p.seat), last_, out);
  if (debugged(c.instance)) compile_started(c.invocation, last_.now);  // its clock stands still
}

void Core::obey(instance::Refuse& c, Commands& out) { refuse(c.invocation, c.code, c.waited, last_, out); }

void Core::obey(instance::LeaseLost& c, Commands& out) {
  Entry* e = entry(c.invocation);
  const Passage::Held* held = held_on(e, c.instance);
  if (held == nullptr) return;
  std::string cause = cause_of(c);
  if (is_former(e->second, *held)) return release_former(*e, false, last_, out);  // it goes on elsewhere
  taken(*e, {c.code, std::move(cause), c.why == Why::asked}, c.why == Why::asked, last_, out);
}

void Core::obey(instance::Kill& c, Commands& out) {
  if (c.why == Why::unresponsive) remark_unresponsive(c.id, out);
  out.emplace_back(c);
}

// --- What an instance says of an invocation

const Passage::Held* Core::held_on(const Passage& p, InstanceId instance) {
  if (const auto* held = std::get_if<Passage::Held>(&p.seat); held && held->lease.instance() == instance)
    return held;
  return p.former && p.former->lease.instance() == instance ? &*p.former : nullptr;
}

Passage::Held* Core::held_on(Entry* e, InstanceId instance) {
  return e == nullptr ? nullptr : const_cast<Passage::Held*>(held_on(e->second, instance));
}

bool Core::holds(InstanceId instance, InvocationId id) const {
  const Passage* p = find(id);
  return p != nullptr && held_on(*p, instance) != nullptr;
}

InstanceId Core::instance_of(InvocationId id) const {
  const Passage* p = find(id);
  const auto* held = p == nullptr ? nullptr : std::get_if<Passage::Held>(&p->seat);
  return held == nullptr ? InstanceId::none : held->lease.instance();
}

std::vector<InvocationId> Core::on(InstanceId instance) const {
  std::vector<InvocationId> all;
  for (const auto& [id, p] : passages_)
    if (held_on(p, instance) != nullptr) all.push_back(id);
  return all;
}

void Core::begun(InvocationId id, Passage::Held& held, const Moment& m, Commands& out) {
  if (std::exchange(held.begun, true)) return;
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.handler_started(id, t, c); });
}

void Core::handler_started(InstanceId instance, InvocationId id, const Moment& m, Commands& out) {
  Passage::Held* held = held_on(entry(id), instance);
  if (held == nullptr) return;
  has_begun_.insert(instance);
  begun(id, *held, m, out);
  engine_.handler_started(id, m.now);
}

void Core::compiling(InstanceId instance, InvocationId id, bool over, TimePoint now) {
  if (debugged(instance) || !holds(instance, id)) return;
  over ? compile_ended(id, now) : compile_started(id, now);
}

// The one that has passed it on is done with it, or gone.
void Core::release_former(Entry& e, bool untouched, const Moment& m, Commands& out) {
  const InvocationId id = e.first;
  instance::Lease lease = std::move(e.second.former->lease);
  e.second.former.reset();
  if (e.second.is<Passage::Over>()) passages_.erase(id);
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.release(std::move(lease), t, c, untouched); });
  early_.given_back(id);
  ask_early(m, out);
}

void Core::done(InstanceId instance, InvocationId id, const std::vector<Hanging>& hanging, bool untouched,
                const Moment& m, Commands& out) {
  Entry* e = entry(id);
  Passage::Held* held = held_on(e, instance);
  if (held == nullptr) return;
  Passage& p = e->second;
  if (is_former(p, *held)) {
    release_former(*e, untouched, m, out);
  } else {
    instance::Lease lease = std::move(held->lease);
    if (p.is<Passage::Answering>() || p.is<Passage::AfterResponse>()) {
      p.seat = Passage::Vacant{};
      engine_.released(id, hanging, m.now, m.wall);
      if (p.ended()) forget(*e, m.now);
    } else {
      p.seat =
          Passage::GivenBack{hanging};  // told when its answer was read: that may be "try the next route"
      cause_known(*e, m, out);          // a broken connection has not died of it
    }
    schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.release(std::move(lease), t, c, untouched); });
  }
  if (options_.isolation != profile::Isolation::invocation || untouched) out.emplace_back(Weigh{instance});
}

// Its instance is gone, or is its own no more.
void Core::taken(Entry& e, limits::instance_end::Loss loss, bool serves_on, const Moment& m, Commands& out) {
  instance::Lease lease = std::move(std::get<Passage::Held>(e.second.seat).lease);
  const bool open = e.second.is<Passage::Unanswered>() || e.second.is<Passage::PassedOn>() ||
                    e.second.is<Passage::Answering>();
  if (serves_on && open) wait(e, Passage::CauseAwaited{UpstreamFailure::reset, m.now}, m.now);
  e.second.seat = Passage::Lost{std::move(loss)};
  if (e.second.is<Passage::AfterResponse>())
    over(e, m, out);  // its waitUntil work
  else
    cause_known(e, m, out);  // or its connection ends by itself, behind what the instance had still said
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.release(std::move(lease), t, c); });
}

// Its deadline has passed.
void Core::take_back(Entry& e, const Moment& m, Commands& out) {
  auto& held = std::get<Passage::Held>(e.second.seat);
  instance::Lease lease = std::move(held.lease);
  overdue_[lease.instance()].emplace(function(held.function).route);
  e.second.seat = Passage::Vacant{};
  schedule(m, out, [&](auto& s, TimePoint t, auto& c) { s.timed_out(std::move(lease), t, c); });
}

void Core::crashed(InstanceId instance, InvocationId id, std::string cause, const Moment& m, Commands& out) {
  Entry* e = entry(id);
  const Passage::Held* held = held_on(e, instance);
  if (held == nullptr || is_former(e->second, *held)) return;
  taken(*e, {Code::function_invocation_failed, std::move(cause)}, true, m, out);
}

void Core::broken_off(InstanceId instance, InvocationId id, limits::broken_off::Cause cause, const Moment& m,
                      Commands& out) {
  Entry* e = entry(id);
  const Passage::Held* held = held_on(e, instance);
  if (held == nullptr || is_former(e->second, *held) || e->second.ended()) return;
  e->second.broken_off = std::move(cause);
  cause_known(*e, m, out);  // if its connection has ended already
}

}  // namespace vsim::core
