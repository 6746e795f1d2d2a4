#include "app/fleet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <tuple>
#include <utility>

#include "app/clock.hpp"
#include "app/platform_env.hpp"
#include "base/text.hpp"
#include "routes/app_path.hpp"

namespace vsim::app {
namespace {

using instance::InstanceId;
using instance::Why;

constexpr std::size_t kMaxWarmHead = 64 * 1024;

std::uint64_t number(InstanceId id) { return static_cast<std::uint64_t>(id); }
std::string name_of(InstanceId id) { return fmt::format("i{}", number(id)); }

instance::Pool pool_of(std::string_view kind) {
  return kind == "PAGES"        ? instance::Pool::pages
         : kind == "APP_PAGE"   ? instance::Pool::app_page
         : kind == "PAGES_API"  ? instance::Pool::pages_api
         : kind == "MIDDLEWARE" ? instance::Pool::middleware
                                : instance::Pool::app_route;
}

}  // namespace

Fleet::Fleet(boost::asio::io_context& io, process::Supervisor& supervisor, net::Timeouts& timeouts,
             agent::ControlChannel* channel, FleetOwner& owner, FleetWatcher& watcher, FleetOptions options)
    : io_(io),
      supervisor_(supervisor),
      timeouts_(timeouts),
      channel_(channel),
      owner_(owner),
      watcher_(watcher),
      options_(std::move(options)),
      scheduler_(options_.scheduler, this),
      early_(options_.scheduler.early_patience),
      template_(io, supervisor, template_callbacks()),
      timer_(io),
      sampler_(io, [this](InstanceId id, std::uint64_t bytes) { sampled(id, bytes); }) {
  if (channel_ != nullptr) channel_->set_instances(this);
}

Fleet::~Fleet() {
  if (channel_ != nullptr) channel_->set_instances(nullptr);
}

void Fleet::carry_out() {
  if (carrying_out_) return;
  carrying_out_ = true;
  while (next_command_ < commands_.size()) {
    instance::SchedulerCommand command = std::move(commands_[next_command_++]);
    std::visit([this](auto& c) { obey(c); }, command);
  }
  commands_.clear();
  next_command_ = 0;
  carrying_out_ = false;
  arm();
}

void Fleet::arm() {
  auto next = scheduler_.next_wakeup();
  if (const auto early = early_.next_wakeup(); early && (!next || *early < *next)) next = early;
  if (!next || *next >= armed_for_) return;
  armed_for_ = *next;
  timer_.expires_at(to_steady(*next));
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    armed_for_ = TimePoint::max();
    strike_early();
    tell([&](TimePoint t, auto& out) { scheduler_.wake(t, out); });
  });
}

// --- From the agent

void Fleet::boot(const agent::Boot& boot, std::string_view exec) {
  const bool first = boot_.file.empty();
  boot_ = boot;
  if (!exec.empty()) exec_ = exec;
  settle_tmp();
  start_template();
  if (first) return;
  instance::CodeChange change;
  change.generation = ++generation_;
  ++base_;
  change.environment = change.all_code = true;
  known(change);
}

void Fleet::known(const instance::CodeChange& change) {
  tell([&](TimePoint t, auto& out) { scheduler_.invalidate(change, t, out); });
  early_.announced(generation_);
  ask_early();
}

void Fleet::changed(const agent::Changed& told) {
  instance::CodeChange change;
  generation_ = std::max(generation_, base_ + told.generation);
  change.generation = generation_;
  change.environment = told.environment;
  change.all_code = told.all;
  change.files = told.files;
  known(change);
}

void Fleet::on_socket_failed(std::uint64_t n, InvocationId id) {
  const Invocation* v = held(id, static_cast<InstanceId>(n));
  if (v == nullptr) return;
  watcher_.fleet_warns(
      fmt::format("{} threw on i{} after it had taken the WebSocket's upgrade: no error reaches the client, "
                  "whose socket stays open until somebody closes it, or its maximum duration is over",
                  route_of(*v), n),
      "catch what is thrown behind the upgrade and close the socket there: ws.close(1011)");
}

void Fleet::gone() {
  base_ = ++generation_;
  std::vector<InvocationId> waiting;
  for (const auto& [id, invocation] : invocations_)
    if (!invocation.lease) waiting.push_back(id);
  for (const InvocationId id : early_.clear()) waiting.push_back(id);
  std::sort(waiting.begin(), waiting.end());
  waiting.erase(std::unique(waiting.begin(), waiting.end()), waiting.end());
  for (const InvocationId id : waiting) {
    withdraw(id);
    owner_.fleet_refused(id, limits::Code::no_response_from_function, Duration{});
  }
  instance::CodeChange change;
  change.generation = generation_;
  change.environment = change.all_code = true;
  known(change);
  stop_template();  // of a next dev that is no more, as all were that have not begun yet
}

void Fleet::start() {
  if (std::exchange(started_, true)) return;
  tell([&](TimePoint t, auto& out) { scheduler_.start(t, out); });
}

void Fleet::stop() {
  if (std::exchange(stopped_, true)) return;
  timer_.cancel();
  sampler_.stop();
  template_.stop();
  tell([&](TimePoint t, auto& out) { scheduler_.stop(t, out); });
  for (const InvocationId id : early_.clear())
    owner_.fleet_refused(id, limits::Code::sim_not_ready, Duration{});
}

void Fleet::set_options(FleetOptions options, Why why) {
  const auto what_counts = [](const FleetOptions& o) {
    return std::tie(o.scheduler.isolation, o.scheduler.spread, o.scheduler.spares,
                    o.scheduler.bound_functions, o.scheduler.memory_budget, o.env, o.time_scale, o.memory_max,
                    o.memory_mode, o.machine, o.warm, o.fork, o.own_tmp, o.tmp_max, o.read_only, o.strict,
                    o.descriptors);
  };
  const bool same = what_counts(options) == what_counts(options_);
  options_ = std::move(options);
  if (stopped_) return;
  settle_tmp();
  // Limits alone make other groups of functions (group.hpp): what is bound to one of before is of no use.
  if (same && why == Why::settings)
    return tell([&](TimePoint t, auto& out) { scheduler_.retire(Why::settings, false, t, out); });
  if (template_.state() != TemplateProcess::State::none) {
    stop_template();
    if (!boot_.file.empty()) start_template();
  }
  tell([&](TimePoint t, auto& out) { scheduler_.set_options(options_.scheduler, why, t, out); });
}

bool Fleet::kill(std::string_view name) {
  for (auto& [id, i] : instances_)
    if (i.process && i.process->name() == name && i.process->running()) {
      const instance::InstanceId which = id;
      tell([&](TimePoint t, auto& out) { scheduler_.condemn(which, Why::asked, t, out); });
      return true;
    }
  return false;
}

std::size_t Fleet::retire(Why why) {
  if (stopped_) return 0;
  tell([&](TimePoint t, auto& out) { scheduler_.retire(why, false, t, out); });
  std::size_t busy = 0;
  for (const instance::InstanceView& i : scheduler_.instances())
    busy += std::holds_alternative<instance::Retired>(i.state);
  return busy;
}

// --- Invocations

void Fleet::request(InvocationId id, const FunctionRef& of, InvocationId parent, std::uint64_t generation) {
  const instance::FunctionId function =
      scheduler_.define({std::string(of.page), pool_of(of.kind), of.config});
  const auto index = static_cast<std::size_t>(function);
  if (functions_.size() <= index) functions_.resize(index + 1);
  Function& f = functions_[index];
  if (f.page.empty()) {
    f.page = of.page;
    f.kind = of.kind;
    f.runtime = of.runtime;
  }
  if (of.head.size() <= kMaxWarmHead) f.head = of.head;
  const instance::Early::Asked asked{id, function, parent, base_ + generation};
  const bool still_there = invocations_.contains(id);  // on the instance that said "try the next route"
  if (stopped_ || (!still_there && early_.known(asked.generation))) return ask({asked, false, {}});
  early_.add(asked, still_there, now());
  arm();
}

void Fleet::ask(const instance::Early::Ready& early) {
  const instance::Early::Asked& asked = early.asked;
  Invocation& invocation = invocations_[asked.id];
  invocation.function = asked.function;
  invocation.early = early.waited;
  tell([&](TimePoint t, auto& out) { scheduler_.request({asked.id, asked.function, asked.parent}, t, out); });
  if (early.left) client_left(asked.id);
  const auto it = invocations_.find(asked.id);
  if (it == invocations_.end() || it->second.lease) return;
  // It waits: nothing that starts is in the background any more.
  for (auto& [id, i] : instances_)
    if (i.process && !i.ready) i.process->foreground();
  for (auto& [id, coming] : comings_) coming.spec.background = false;
  template_.foreground();
}

void Fleet::ask_early() {
  while (const auto early = early_.take(now())) ask(*early);
}

// What is missing will not come: an honest end of the wait, in which nobody is served by what may be old.
void Fleet::strike_early() {
  const auto over = early_.strike(now());
  for (const InvocationId id : over.not_given_back) {
    const auto it = invocations_.find(id);
    const Instance* i = it == invocations_.end() ? nullptr : find(it->second.instance);
    if (i != nullptr && i->debugged) continue;
    if (i != nullptr) {
      watcher_.fleet_warns(
          fmt::format("{} left a request to the next route and did not say that it is done with it: the "
                      "request goes on elsewhere, and {} ends",
                      i->process->name(), i->process->name()),
          "look for code that keeps its event loop busy");
      instance::Lease lease = std::move(it->second.lease);
      invocations_.erase(it);
      tell([&](TimePoint t, auto& out) { scheduler_.timed_out(std::move(lease), t, out); });
    }
    early_.given_back(id);
  }
  if (over.missing != 0) {
    watcher_.fleet_warns(
        "`next dev` counts a change of the code that it has not told of: requests that waited for it are "
        "served by instances that start anew, with the code as it is now",
        "if this comes again, restart, and please report it");
    instance::CodeChange change;
    change.generation = generation_;
    change.all_code = true;
    tell([&](TimePoint t, auto& out) { scheduler_.invalidate(change, t, out); });
  }
  ask_early();
}

bool Fleet::holds(InvocationId id) const {
  const auto it = invocations_.find(id);
  return it != invocations_.end() && it->second.lease;
}

bool Fleet::busy(InvocationId id) const {
  const auto it = invocations_.find(id);
  if (it == invocations_.end() || !it->second.lease) return false;
  return sampler_.busy(it->second.instance);
}

Duration Fleet::unserved(InvocationId id) const {
  const auto it = invocations_.find(id);
  if (it == invocations_.end() || !it->second.lease) return {};
  return sampler_.unserved(it->second.instance);
}

void Fleet::responding(InvocationId id) {
  const auto it = invocations_.find(id);
  if (it == invocations_.end() || !it->second.lease || std::exchange(it->second.handler, true)) return;
  tell([&](TimePoint t, auto& out) { scheduler_.handler_started(id, t, out); });
}

void Fleet::again(InvocationId id) {
  const auto it = invocations_.find(id);
  if (it != invocations_.end()) it->second.again = true;
}

void Fleet::client_left(InvocationId id) {
  early_.client_left(id);
  tell([&](TimePoint t, auto& out) { scheduler_.client_left(id, t, out); });
}

void Fleet::withdraw(InvocationId id) {
  early_.withdraw(id);
  const auto it = invocations_.find(id);
  if (it == invocations_.end() || it->second.lease) return;
  invocations_.erase(it);
  tell([&](TimePoint t, auto& out) { scheduler_.withdraw(id, t, out); });
}

void Fleet::expire(InvocationId id) {
  const auto it = invocations_.find(id);
  if (it != invocations_.end() && it->second.lease) say(it->second.instance, agent::expire_line(id));
}

void Fleet::timed_out(InvocationId id) {
  const auto it = invocations_.find(id);
  if (it == invocations_.end() || !it->second.lease) return withdraw(id);
  instance::Lease lease = std::move(it->second.lease);
  if (Instance* i = find(it->second.instance)) i->overdue.insert(route_of(it->second));
  invocations_.erase(it);
  early_.withdraw(id);
  tell([&](TimePoint t, auto& out) { scheduler_.timed_out(std::move(lease), t, out); });
}

void Fleet::done(InvocationId id) {
  if (holds(id)) give_back(id);
}

void Fleet::give_back(InvocationId id, bool untouched) {
  const auto it = invocations_.find(id);
  instance::Lease lease = std::move(it->second.lease);
  const InstanceId instance = it->second.instance;
  invocations_.erase(it);
  tell([&](TimePoint t, auto& out) { scheduler_.release(std::move(lease), t, out, untouched); });
  if (options_.scheduler.isolation != profile::Isolation::invocation || untouched) sampler_.served(instance);
  early_.given_back(id);
  ask_early();
}

// --- The scheduler's commands

void Fleet::obey(instance::Bind& c) {
  const Function& f = functions_[static_cast<std::size_t>(c.function)];
  const Instance* i = find(c.id);
  const bool as_template = c.as_template && i != nullptr && i->copies != nullptr;
  say(c.id,
      agent::bind_line(f.page, f.kind, f.runtime, options_.warm ? f.head : std::string_view(), as_template));
}

void Fleet::obey(instance::Freeze& c) {
  if (Instance* i = find(c.id)) i->process->freeze();
}

void Fleet::obey(instance::Thaw& c) {
  if (Instance* i = find(c.id)) i->process->thaw();
}

void Fleet::obey(instance::Ping& c) { say(c.id, agent::ping_line()); }

// Whose code it was cannot be seen from outside: the one that was cut may only have waited for its turn.
void Fleet::tell_unresponsive(InstanceId id, const Instance& i) {
  std::set<std::string> running;
  for (const auto& [of, v] : invocations_)
    if (v.lease && v.instance == id) running.insert(route_of(v));
  if (i.overdue.empty()) {
    if (i.init_over) return;  // the start of a function, which has lines of its own
    return watcher_.fleet_warns(
        fmt::format("{} was killed: its event loop began no request for {}, though none was running on it",
                    name_of(id),
                    human_duration(options_.scheduler.turn_limit + options_.scheduler.ping_limit)),
        "look for a loop or synchronous work that goes on behind a response");
  }
  const bool alone = running.empty() || running == i.overdue;
  watcher_.fleet_warns(
      fmt::format("{} was killed: its event loop did not answer within a second after {} had reached its "
                  "deadline{}",
                  name_of(id), fmt::join(i.overdue, ", "),
                  alone ? ""
                        : fmt::format("; {} was running there too, and either may have kept it busy",
                                      fmt::join(running, ", "))),
      "look for a loop or synchronous work that does not end: who shares the instance waits for it");
}

std::string Fleet::route_of(const Invocation& v) const {
  return routes::normalize_app_page(functions_[static_cast<std::size_t>(v.function)].page);
}

void Fleet::obey(instance::Kill& c) {
  Instance* i = find(c.id);
  if (i == nullptr) return never_start(c.id);
  if (c.why == Why::unresponsive) tell_unresponsive(c.id, *i);
  i->process->last_words(std::string(instance::to_string(c.why)));
  i->process->kill();
}

void Fleet::obey(instance::Placement& c) {
  Instance* i = find(c.instance);
  const auto it = invocations_.find(c.invocation);
  // Withdrawn while the command was on its way, or on an instance whose end is: the lease tells the
  // scheduler.
  if (it == invocations_.end() || i == nullptr)
    return tell([&](TimePoint t, auto& out) { scheduler_.release(std::move(c.lease), t, out); });
  it->second.lease = std::move(c.lease);
  it->second.instance = c.instance;
  i->function = it->second.function;
  i->copies.reset();
  i->process->foreground();
  const bool debugged = i->debugged;
  const Placed placed{i->process->pool(), i->process->name(), i->process->secret(), c.start,
                      it->second.early + c.waited};
  if (!owner_.fleet_placed(c.invocation, placed)) {
    if (holds(c.invocation)) give_back(c.invocation);
    return;
  }
  if (debugged) owner_.fleet_compile(c.invocation, false);
}

void Fleet::obey(instance::Refuse& c) {
  const auto it = invocations_.find(c.invocation);
  const Duration waited = (it == invocations_.end() ? Duration{} : it->second.early) + c.waited;
  if (it != invocations_.end()) invocations_.erase(it);
  owner_.fleet_refused(c.invocation, c.code, waited);
}

void Fleet::obey(instance::LeaseLost& c) {
  const auto it = invocations_.find(c.invocation);
  if (it == invocations_.end()) return;
  instance::Lease lease = std::move(it->second.lease);
  const bool again = it->second.again;
  invocations_.erase(it);
  std::string cause;
  const bool asked = c.why == Why::asked;
  if (asked) {
    cause = "killed because somebody asked for it";
  } else if (c.why == Why::none) {
    for (const auto& [id, text] : causes_)
      if (id == c.instance) cause = text;
  } else {
    const std::string name = name_of(c.instance);
    Instance* i = find(c.instance);
    if (i != nullptr && c.why == Why::init_timeout) i->init_over = true;
    cause = c.why == Why::unresponsive && i != nullptr && i->overdue.empty() && !i->init_over
                ? fmt::format(
                      "{} was killed: its event loop began no request though none was running on it: "
                      "what an earlier one has left behind may keep it busy",
                      name)
            : c.why == Why::unresponsive
                ? fmt::format(
                      "{} was killed: another invocation on it passed its deadline, and its event loop "
                      "did not answer within a second: code on it, perhaps of this function, kept it busy",
                      name)
            : c.why == Why::init_timeout
                ? fmt::format("{} was killed: its modules were not evaluated in time", name)
            : c.why == Why::memory_limit ? fmt::format("{} was killed: it used more than memory.max", name)
                                         : fmt::format("{} was killed ({})", name, to_string(c.why));
  }
  tell([&](TimePoint t, auto& out) { scheduler_.release(std::move(lease), t, out); });
  if (!again) owner_.fleet_lost(c.invocation, {c.code, cause, asked});  // else it goes on elsewhere
  early_.given_back(c.invocation);
  ask_early();
}

}  // namespace vsim::app
