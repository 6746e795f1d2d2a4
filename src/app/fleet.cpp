#include "app/fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
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

constexpr std::size_t kMaxWarmHead = 64UL * 1024;

instance::Pool pool_of(std::string_view kind) {
  return kind == "PAGES"        ? instance::Pool::pages
         : kind == "APP_PAGE"   ? instance::Pool::app_page
         : kind == "PAGES_API"  ? instance::Pool::pages_api
         : kind == "MIDDLEWARE" ? instance::Pool::middleware
                                : instance::Pool::app_route;
}

}  // namespace

Fleet::Fleet(boost::asio::io_context& io, process::Children& supervisor, net::Timeouts& timeouts,
             agent::ControlChannel* channel, FleetOwner& owner, FleetWatcher& watcher, FleetOptions options)
    : OnClock(io),
      io_(io),
      supervisor_(supervisor),
      timeouts_(timeouts),
      channel_(channel),
      owner_(owner),
      watcher_(watcher),
      options_(std::move(options)),
      placements_(options_.scheduler, this),
      template_(io, supervisor, template_callbacks()),
      timer_(io),
      sampler_(io, [this](InstanceId id, std::uint64_t bytes) { sampled(id, bytes); }) {
  if (channel_ != nullptr) channel_->set_instances(this);
}

Fleet::~Fleet() {
  if (channel_ != nullptr) channel_->set_instances(nullptr);
}

void Fleet::carry_out() {
  const auto one = [this](core::PlacementCommand& command) {
    std::visit([this](auto& c) { obey(c); }, command);
  };
  if (commands_.carry_out(one)) arm();
}

void Fleet::arm() {
  const auto next = placements_.next_wakeup();
  if (!next || *next >= armed_for_) return;
  armed_for_ = *next;
  timer_.expires_at(*next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    armed_for_ = TimePoint::max();
    tell([](auto& p, TimePoint t, auto& out) { p.wake(t, out); });
  });
}

// --- From the agent

void Fleet::boot(const agent::Boot& boot, std::string_view exec) {
  const bool first = boot_.file.empty();
  boot_ = boot;
  if (!exec.empty()) exec_ = exec;
  const auto tmp = [this] { return own_tmp_ ? process::text_of(*own_tmp_) : std::string(); };
  const std::string guessed = tmp();
  settle_tmp();
  if (!first || guessed != tmp() || !go_on_with_template()) start_template();
  if (!first) tell([](auto& p, TimePoint t, auto& out) { p.environment_changed(t, out); });
}

void Fleet::changed(const agent::Changed& told) {
  instance::CodeChange change;
  change.generation = told.generation;
  change.environment = told.environment;
  change.all_code = told.all;
  change.files = told.files;
  tell([&](auto& p, TimePoint t, auto& out) { p.changed(std::move(change), t, out); });
}

void Fleet::on_socket_failed(std::uint64_t n, InvocationId id) {
  const Instance* i = find(n);
  if (i == nullptr || !holds(id, n)) return;
  watcher_.fleet_warns(
      fmt::format("{} threw on i{} after it had taken the WebSocket's upgrade: no error reaches the client, "
                  "whose socket stays open until somebody closes it, or its maximum duration is over",
                  routes::normalize_app_page(functions_[static_cast<std::size_t>(i->function)].page), n),
      "catch what is thrown behind the upgrade and close the socket there: ws.close(1011)");
}

void Fleet::gone() {
  tell([](auto& p, TimePoint t, auto& out) { p.gone(t, out); });
  stop_template();  // of a next dev that is no more, as all were that have not begun yet
}

void Fleet::start() {
  if (std::exchange(started_, true)) return;
  tell([](auto& p, TimePoint t, auto& out) { p.start(t, out); });
}

void Fleet::stop() {
  if (std::exchange(stopped_, true)) return;
  timer_.cancel();
  sampler_.stop();
  template_.stop();
  tell([](auto& p, TimePoint t, auto& out) { p.stop(t, out); });
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
    return tell([](auto& p, TimePoint t, auto& out) { p.retire(Why::settings, t, out); });
  if (template_.state() != TemplateProcess::State::none) {
    stop_template();
    if (!boot_.file.empty()) start_template();
  }
  tell([&](auto& p, TimePoint t, auto& out) { p.set_options(options_.scheduler, why, t, out); });
}

bool Fleet::kill(std::string_view name) {
  for (auto& [id, i] : instances_)
    if (i.process && i.process->name() == name && i.process->running()) {
      const instance::InstanceId which = id;
      tell_scheduler([&](auto& s, TimePoint t, auto& out) { s.condemn(which, Why::asked, t, out); });
      return true;
    }
  return false;
}

std::size_t Fleet::retire(Why why) {
  if (stopped_) return 0;
  tell([&](auto& p, TimePoint t, auto& out) { p.retire(why, t, out); });
  std::size_t busy = 0;
  for (const instance::InstanceView& i : placements_.scheduler().instances())
    busy += std::holds_alternative<instance::Retired>(i.state);
  return busy;
}

// --- Invocations

void Fleet::request(InvocationId id, const FunctionRef& of, InvocationId parent, std::uint64_t generation) {
  const instance::FunctionId function = placements_.define(
      {std::string(of.page), pool_of(of.kind), of.config}, routes::normalize_app_page(of.page));
  const auto index = static_cast<std::size_t>(function);
  if (functions_.size() <= index) functions_.resize(index + 1);
  Function& f = functions_[index];
  if (f.page.empty()) {
    f.page = of.page;
    f.kind = of.kind;
    f.runtime = of.runtime;
  }
  if (of.head.size() <= kMaxWarmHead) f.head = of.head;
  tell([&](auto& p, TimePoint t, auto& out) { p.request(id, function, parent, generation, t, out); });
}

bool Fleet::busy(InvocationId id) const {
  const InstanceId on = placements_.instance_of(id);
  return on != InstanceId::none && sampler_.busy(on);
}

Duration Fleet::unserved(InvocationId id) const {
  const InstanceId on = placements_.instance_of(id);
  return on != InstanceId::none ? sampler_.unserved(on) : Duration{};
}

void Fleet::responding(InvocationId id) {
  tell([&](auto& p, TimePoint t, auto& out) { p.begun(id, t, out); });
}

void Fleet::again(InvocationId id) { placements_.passed_on(id); }

void Fleet::client_left(InvocationId id) {
  tell([&](auto& p, TimePoint t, auto& out) { p.client_left(id, t, out); });
}

void Fleet::withdraw(InvocationId id) {
  tell([&](auto& p, TimePoint t, auto& out) { p.withdraw(id, t, out); });
}

void Fleet::expire(InvocationId id) {
  const InstanceId on = placements_.instance_of(id);
  if (on != InstanceId::none) say(on, agent::expire_line(id));
}

void Fleet::timed_out(InvocationId id) {
  tell([&](auto& p, TimePoint t, auto& out) { p.timed_out(id, t, out); });
}

// --- What the core wants done

void Fleet::obey(instance::Bind& c) {
  const Function& f = functions_[static_cast<std::size_t>(c.function)];
  const Instance* i = find(c.id);
  const bool as_template = c.as_template && i != nullptr && i->copies != nullptr;
  if (i != nullptr && !c.background) i->process->foreground();
  say(c.id,
      agent::bind_line(f.page, f.kind, f.runtime, options_.warm ? f.head : std::string_view(), as_template));
}

void Fleet::obey(instance::Raise& c) {
  if (Instance* i = find(c.id)) i->process->foreground();
}

void Fleet::obey(instance::Freeze& c) {
  if (Instance* i = find(c.id)) i->process->freeze();
}

void Fleet::obey(instance::Thaw& c) {
  if (Instance* i = find(c.id)) i->process->thaw();
}

void Fleet::obey(instance::Ping& c) { say(c.id, agent::ping_line()); }

void Fleet::obey(instance::Kill& c) {
  Instance* i = find(c.id);
  if (i == nullptr) return never_start(c.id);
  i->process->last_words(std::string(instance::to_string(c.why)));
  i->process->kill();
}

void Fleet::obey(core::InstanceGiven& c) {
  Instance* i = find(c.instance);
  if (i == nullptr) return tell([&](auto& p, TimePoint t, auto& out) { p.unreachable(c.id, t, out); });
  i->function = c.function;
  i->copies.reset();
  i->process->foreground();
  const Placed placed{i->process->pool(), i->process->name(), i->process->secret(), c.start, c.waited};
  if (owner_.fleet_placed(c.id, placed)) return;
  tell([&](auto& p, TimePoint t, auto& out) { p.give_back(c.id, false, t, out); });
}

void Fleet::obey(core::InstanceRefused& c) { owner_.fleet_refused(c.id, c.code, c.waited); }
void Fleet::obey(core::InstanceTaken& c) {
  c.serves_on ? owner_.fleet_crashed(c.id, std::move(c.loss)) : owner_.fleet_lost(c.id, std::move(c.loss));
}
void Fleet::obey(core::ClockStops& c) { owner_.fleet_compile(c.id, false); }

// Nothing that starts is in the background any more.
void Fleet::obey(core::Hurry&) {
  for (auto& [id, i] : instances_)
    if (i.process && !i.ready) i.process->foreground();
  for (auto& [id, coming] : comings_) coming.spec.background = false;
  template_.foreground();
}

void Fleet::obey(core::Weigh& c) { sampler_.served(c.instance); }
void Fleet::obey(core::Remark& c) { watcher_.fleet_warns(c.what, c.fix); }

}  // namespace vsim::app
