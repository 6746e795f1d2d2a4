#include "app/isolation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/agent_words.hpp"
#include "app/clock.hpp"
#include "app/platform_env.hpp"
#include "limits/machine.hpp"
#include "process/usage.hpp"

namespace vsim::app {
namespace {

constexpr std::string_view kDeployment = "VERCEL_DEPLOYMENT_ID";

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

instance::SchedulerOptions scheduler_options(const IsolationOptions& given, bool grouped) {
  instance::SchedulerOptions out = instance::options_for(*given.profile, given.seed);
  out.groups_shared = grouped;
  out.memory_budget = instance::memory_budget_for(*given.profile, process::memory_of_machine());
  // Starting one is work for one core; the dev server has little to do while invocations wait.
  out.spawns_at_once = std::clamp(process::cores_of_machine(), 1u, 4u);
  if (given.profile->spares_bound.value == profile::Switch::off) out.bound_functions = 0;
  if (given.inspect) {  // a debugger cannot attach to what stands still
    out.freeze_idle = false;
    out.bound_functions = 0;
  }
  out.templates = given.profile->instances_fork.value == profile::Switch::on && out.bound_functions > 0;
  out.copies_ahead = 3;
  out.copies_most = 12;
  return out;
}

std::string_view shown(const instance::InstanceState& state) {
  const auto* bound = std::get_if<instance::Bound>(&state);
  const auto* idle = std::get_if<instance::Idle>(&state);
  if ((bound != nullptr && bound->frozen) || (idle != nullptr && idle->frozen)) return "frozen";
  return instance::name(state);
}

}  // namespace

IsolationShell::IsolationShell(boost::asio::io_context& io, process::Children& supervisor,
                               net::Timeouts& timeouts, agent::ControlChannel& channel, CoreLoop& loop,
                               Owner& owner, IsolationOptions options)
    : OnClock(io),
      io_(io),
      supervisor_(supervisor),
      timeouts_(timeouts),
      channel_(channel),
      loop_(loop),
      owner_(owner),
      options_(std::move(options)) {}

void IsolationShell::add_environment(process::Environment& env) {
  process::set_env(env, "VSIM_ISOLATION", profile::to_string(options_.profile->isolation.value));
  process::set_env(env, "VSIM_RPC_SOCKET", options_.run_dir + "/rpc.sock");
  process::set_env(env, "VSIM_MIDDLEWARE", asks_for_middleware());
  if (options_.profile->instances_fork.value == profile::Switch::off || options_.inspect) return;
  ahead_ =
      AheadPipe::make(io_, options_.run_dir + "/ahead", [this](const agent::Ahead& told) { ahead(told); });
  if (ahead_) process::set_env(env, "VSIM_AHEAD", ahead_->path());
}

// The template begins while next dev still does.
void IsolationShell::ahead(const agent::Ahead& told) {
  if (given_up_ || fleet_) return;
  exec_ = told.exec;
  make_fleet(told.grouped);
  fleet_->prepare(told.boot, exec_);
}

void IsolationShell::make_fleet(bool grouped) {
  grouped_ = grouped;
  FleetWatcher& watcher = *this;
  fleet_ = std::make_unique<Fleet>(io_, supervisor_, timeouts_, channel_, loop_, watcher, fleet_options());
}

std::string_view IsolationShell::asks_for_middleware() const {
  const profile::MiddlewareInstances which = options_.profile->middleware_instances.value;
  if (which == profile::MiddlewareInstances::off) return {};
  if (which == profile::MiddlewareInstances::nodejs) return options_.https ? "https nodejs" : "http nodejs";
  return options_.https ? "https" : "http";
}

void IsolationShell::hello(const agent::Hello& hello) {
  if (given_up_) return;
  if (!hello.isolation) return give_up("its agent does not know how");
  if (!hello.isolation->ok)
    return give_up(fmt::format("this Next ({}) lacks what that needs: {}", hello.next,
                               joined(hello.isolation->missing)));
  if (std::exchange(said_hello_, true)) {  // another next dev, started with the words of the first one
    exec_ = hello.exec;
    channel_.send_to_agent(agent::policy_line(profile::to_string(options_.profile->isolation.value)));
    return;
  }
  const bool is_as_guessed = fleet_ && grouped_ == hello.isolation->grouped && exec_ == hello.exec;
  exec_ = hello.exec;
  ahead_.reset();
  if (!is_as_guessed) {
    fleet_.reset();
    make_fleet(hello.isolation->grouped);
  }
  if (!is_as_guessed && !boot_.file.empty()) fleet_->boot(boot_, exec_);
}

FleetOptions IsolationShell::fleet_options() const {
  FleetOptions out;
  out.scheduler = scheduler_options(options_, grouped_);
  out.run_dir = options_.run_dir;
  auto variables = platform_variables(*options_.profile, fmt::format("localhost:{}", options_.port),
                                      options_.commit(options_.cwd));
  for (auto& [name, value] : variables)
    if (name == kDeployment) value += deployment_;
  InstanceWish wish;
  wish.strict = options_.profile->environment_strict.value == profile::Switch::on;
  wish.files = options_.env_files;
  if (options_.profile->environment_fonts.value == profile::Switch::off) wish.fonts = options_.scripts;
  out.env = instance_environment(options_.env, variables, wish);
  out.warm = options_.profile->spares_bound.value == profile::Switch::on;
  out.cwd = options_.cwd;
  out.script = options_.scripts + "/instance/instance.cjs";
  out.template_script = options_.scripts + "/instance/template.cjs";
  out.template_heap = options_.scripts + "/heap.node";
  out.control_socket = options_.control_socket;
  out.token = options_.token;
  out.public_port = options_.port;
  out.public_https = options_.https;
  out.time_scale = options_.time_scale;
  out.machine = limits::machine::modes(*options_.profile);
  out.own_tmp = options_.profile->disk_tmp.value == profile::Strictness::enforce;
  out.tmp_max = options_.profile->disk_tmp_max.value;
  out.read_only = options_.profile->disk_writes.value == profile::Strictness::enforce;
  out.strict = wish.strict;
  if (options_.profile->descriptors_mode.value == profile::Strictness::enforce)
    out.descriptors = static_cast<unsigned>(options_.profile->descriptors_max.value);
  out.inspect = options_.inspect;
  out.fork = options_.profile->instances_fork.value == profile::Switch::on;
  out.fold_starts = options_.fold_starts;
  return out;
}

void IsolationShell::set_profile(const profile::Profile& profile) {
  if (profile.isolation.value == profile::Isolation::none) return;
  options_.profile = &profile;
  settings_changed();
}

void IsolationShell::set_time_scale(double scale) {
  options_.time_scale = scale;
  settings_changed();
}

void IsolationShell::settings_changed() {
  if (!fleet_ || given_up_) return;
  fleet_->set_options(fleet_options());
  channel_.send_to_agent(agent::policy_line(profile::to_string(options_.profile->isolation.value)));
}

std::string IsolationShell::deploy(std::uint32_t number) {
  if (!fleet_ || given_up_) return {};
  deployment_ = std::to_string(number);
  FleetOptions next = fleet_options();
  std::string name(process::get_env(next.env, kDeployment).value_or(""));
  fleet_->set_options(std::move(next), instance::Why::deployment);
  return name;
}

bool IsolationShell::kill(std::string_view name) { return fleet_ && !given_up_ && fleet_->kill(name); }
std::size_t IsolationShell::retire(instance::Why why) {
  return fleet_ && !given_up_ ? fleet_->retire(why) : 0;
}

void IsolationShell::give_up(std::string_view why) {
  given_up_ = true;
  loop_.tell([](core::Core& core, auto&, auto&) { core.give_up_isolation(); });
  if (fleet_) fleet_->stop();
  owner_.isolation_says(
      options_.required ? event::Level::error : event::Level::warning,
      fmt::format("function instances are NOT isolated: {}. All requests share one process, so state that "
                  "survives here may be lost on Vercel",
                  why),
      "--isolation none says that this is meant");
  if (options_.required) owner_.isolation_missing();
}

void IsolationShell::boot(const agent::Boot& boot) {
  boot_ = boot;  // it may come before hello
  if (fleet_ && !given_up_) fleet_->boot(boot, exec_);
}
void IsolationShell::changed(const agent::Changed& changed) {
  loop_.engine().files_changed(changed.files, changed.all || changed.environment, now());
  if (fleet_ && !given_up_) fleet_->changed(changed);
}
void IsolationShell::app_ready() {
  if (fleet_ && !given_up_) fleet_->start();
}
void IsolationShell::app_gone() {
  loop_.engine().files_changed({}, true, now());
  if (fleet_) fleet_->gone();
}
void IsolationShell::stop() {
  if (fleet_) fleet_->stop();
}

std::string_view IsolationShell::effective() const {
  return profile::to_string(fleet_ && !given_up_ ? options_.profile->isolation.value
                                                 : profile::Isolation::none);
}

void IsolationShell::fleet_spawned(instance::InstanceId id, Beginning how) {
  const std::string name = name_of(id);
  event::InstanceChanged e;
  e.instance = name;
  e.to = "spawning";
  e.start = to_string(how);
  if (fleet_) e.pid = fleet_->figures(id).pid;
  owner_.isolation_event(e);
}

void IsolationShell::fleet_spawns(std::string_view why) {
  owner_.isolation_says(
      event::Level::info, fmt::format("function instances are started one by one, not forked: {}", why),
      "nothing but time and memory is lost; with --set instances.fork=off nobody asks for it");
}

void IsolationShell::fleet_tmp(std::string_view shared_why, const std::vector<std::string>& stand_ins) {
  if (!shared_why.empty())
    return owner_.isolation_says(
        event::Level::info,
        fmt::format("/tmp is this machine's own, shared by all instances: {}", shared_why),
        "on Vercel each instance has a /tmp of its own; what one wrote there no other finds");
  for (const std::string& one : stand_ins)
    owner_.isolation_says(event::Level::info,
                          fmt::format("{}: instances share it here; on Vercel /tmp is empty, and each "
                                      "instance's own",
                                      one),
                          "what must last, or be seen by others, belongs in a database or an object store");
}

void IsolationShell::fleet_disk(std::string_view open_why) {
  owner_.isolation_says(
      event::Level::info,
      fmt::format(
          "outside /tmp only what Node's fs writes is refused, and native addons and child processes can "
          "write: {}",
          open_why),
      "on Vercel all of it is read-only");
}

void IsolationShell::fleet_memory(std::string_view why) {
  owner_.isolation_says(
      event::Level::info,
      fmt::format("memory.max is judged by what an instance is read to weigh, once a second and behind each "
                  "invocation, without its child processes: {}",
                  why),
      "on Vercel the memory of all that runs in it is limited at each moment");
}

void IsolationShell::fleet_state(instance::InstanceId id, const instance::InstanceState& from,
                                 const instance::InstanceState& to, instance::GroupId) {
  const std::string name = name_of(id);
  event::InstanceChanged e;
  e.instance = name;
  e.from = shown(from);
  e.to = shown(to);
  instance::Why why = instance::Why::none;
  if (const auto* retired = std::get_if<instance::Retired>(&to)) why = retired->why;
  if (const auto* dying = std::get_if<instance::Dying>(&to)) why = dying->why;
  if (const auto* dead = std::get_if<instance::Dead>(&to)) why = dead->why;
  // An edit, and not a compile of something new; or the plan is another one.
  if (why == instance::Why::stale || why == instance::Why::settings) loop_.engine().code_changed();
  if (why != instance::Why::none) e.why = instance::to_string(why);
  std::string death;
  std::string function;
  if (fleet_) {  // not while it is being built
    death = std::holds_alternative<instance::Dead>(to) ? fleet_->last_death() : std::string();
    const auto name_of = fleet_->function_of(id, to);
    function = loop_.engine().route_of(to_dispatch(name_of.page, name_of.kind, {}, false));
    const auto seen = fleet_->figures(id);
    e.memory = seen.memory;
    e.pid = seen.pid;
  }
  std::string uncopied;
  if (fleet_ && e.to == "bound") uncopied = fleet_->take_uncopied(id);
  e.uncopied = uncopied;
  e.death = death;
  e.function = function;
  owner_.isolation_event(e);
}

}  // namespace vsim::app
