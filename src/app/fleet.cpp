#include "app/fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "app/platform_env.hpp"
#include "base/text.hpp"

namespace vsim::app {
namespace {

using instance::InstanceId;
using instance::Why;

}  // namespace

Fleet::Fleet(boost::asio::io_context& io, process::Children& supervisor, net::Timeouts& timeouts,
             agent::ControlChannel& channel, CoreLoop& loop, FleetWatcher& watcher, FleetOptions options)
    : io_(io),
      supervisor_(supervisor),
      timeouts_(timeouts),
      channel_(channel),
      loop_(loop),
      watcher_(watcher),
      options_(std::move(options)),
      template_(io, supervisor, template_callbacks()),
      sampler_(io, [this](InstanceId id, std::uint64_t bytes, std::uint64_t shared) {
        sampled(id, bytes, shared);
      }) {
  loop_.serve(static_cast<CoreLoop::Instances*>(this));
  loop_.tell([&](core::Core& core, auto&, auto&) { core.isolate(options_.scheduler); });
  channel_.set_instances(this);
}

Fleet::~Fleet() {
  channel_.set_instances(nullptr);
  loop_.serve(static_cast<CoreLoop::Instances*>(nullptr));
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
  if (!first)
    loop_.tell([](core::Core& core, const core::Moment& m, auto& out) { core.environment_changed(m, out); });
}

void Fleet::changed(const agent::Changed& told) {
  instance::CodeChange change;
  change.generation = told.generation;
  change.environment = told.environment;
  change.all_code = told.all;
  change.files = told.files;
  without_client_.clear();
  loop_.tell(
      [&](core::Core& core, const core::Moment& m, auto& out) { core.changed(std::move(change), m, out); });
}

void Fleet::on_socket_failed(std::uint64_t n, InvocationId id) {
  const Instance* i = find(n);
  if (i == nullptr || !loop_.core().holds(static_cast<InstanceId>(n), id)) return;
  watcher_.fleet_warns(
      fmt::format("{} threw on i{} after it had taken the WebSocket's upgrade: no error reaches the client, "
                  "whose socket stays open until somebody closes it, or its maximum duration is over",
                  loop_.core().function(i->function).route, n),
      "catch what is thrown behind the upgrade and close the socket there: ws.close(1011)");
}

void Fleet::gone() {
  loop_.tell([](core::Core& core, const core::Moment& m, auto& out) { core.gone(m, out); });
  stop_template();  // of a next dev that is no more, as all were that have not begun yet
}

void Fleet::start() {
  if (std::exchange(started_, true)) return;
  loop_.tell([](core::Core& core, const core::Moment& m, auto& out) { core.start(m, out); });
}

void Fleet::stop() {
  if (std::exchange(stopped_, true)) return;
  sampler_.stop();
  template_.stop();
  loop_.tell([](core::Core& core, const core::Moment& m, auto& out) { core.stop(m, out); });
}

void Fleet::set_options(FleetOptions options, Why why) {
  const auto what_counts = [](const FleetOptions& o) {
    return std::tie(o.scheduler.isolation, o.scheduler.spread, o.scheduler.spares,
                    o.scheduler.bound_functions, o.scheduler.memory_budget, o.env, o.time_scale,
                    o.scheduler.memory_max, o.scheduler.memory_mode, o.machine, o.warm, o.fork, o.own_tmp,
                    o.tmp_max, o.read_only, o.strict, o.descriptors);
  };
  const bool same = what_counts(options) == what_counts(options_);
  options_ = std::move(options);
  if (stopped_) return;
  settle_tmp();
  // Limits alone make other groups of functions (group.hpp): what is bound to one of before is of no use.
  if (same && why == Why::settings)
    return loop_.tell(
        [](core::Core& core, const core::Moment& m, auto& out) { core.retire(Why::settings, m, out); });
  if (template_.state() != TemplateProcess::State::none) {
    stop_template();
    if (!boot_.file.empty()) start_template();
  }
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.set_options(options_.scheduler, why, m, out);
  });
}

bool Fleet::kill(std::string_view name) {
  for (auto& [id, i] : instances_)
    if (i.process && i.process->name() == name && i.process->running()) {
      const instance::InstanceId which = id;
      loop_.tell_scheduler([&](auto& s, TimePoint t, auto& out) { s.condemn(which, Why::asked, t, out); });
      return true;
    }
  return false;
}

std::size_t Fleet::retire(Why why) {
  if (stopped_) return 0;
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) { core.retire(why, m, out); });
  std::size_t busy = 0;
  for (const instance::InstanceView& i : loop_.core().instances())
    busy += std::holds_alternative<instance::Retired>(i.state);
  return busy;
}

// --- What the core wants done

void Fleet::obey(core::CoreCommand& command) {
  std::visit([this](auto& c) { obey(c); }, command);
}

void Fleet::obey(instance::Bind& c) {
  const core::AskedFunction& f = loop_.core().function(c.function);
  const Instance* i = find(c.id);
  const bool as_template = c.as_template && i != nullptr && i->copies != nullptr;
  if (i != nullptr && !c.background) i->process->foreground();
  say(c.id, agent::bind_line(f.page, f.kind, f.runtime, options_.warm ? f.head : std::string_view(),
                             as_template, !without_client_.contains(c.function)));
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

std::optional<Placed> Fleet::place(const core::SendTo& c) {
  Instance* i = find(c.instance);
  if (i == nullptr) return std::nullopt;
  i->function = c.function;
  i->copies.reset();
  i->process->foreground();
  return Placed{i->process->pool(), i->process->secret()};
}

void Fleet::obey(core::Expire& c) { say(c.instance, agent::expire_line(c.id)); }

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
