// The fleet's part about how instances begin: as copies of a template where that can be had, else each as a
// process of its own.
#include <fmt/format.h>
#include <signal.h>

#include <utility>

#include "agent/secrets.hpp"
#include "app/clock.hpp"
#include "app/fleet.hpp"
#include "base/text.hpp"
#include "log/log.hpp"

namespace vsim::app {
namespace {

using instance::InstanceId;

std::uint64_t number(InstanceId id) { return static_cast<std::uint64_t>(id); }

}  // namespace

std::string_view to_string(Beginning how) {
  return how == Beginning::fork ? "fork" : how == Beginning::evaluate ? "fork+evaluate" : "spawn";
}

// --- What is started

std::string Fleet::socket_of(InstanceId id) const {
  return fmt::format("{}/{}.sock", options_.run_dir, name_of(id));
}

// What instances and their template are started with alike.
void Fleet::add_node(std::vector<std::string>& argv, process::Environment& env) const {
  argv.push_back(exec_);
  // With `observe` a heap of its own size would end apps whose development bundles weigh more than those of
  // production: twice as much, so that a leak ends before the machine does.
  if (options_.scheduler.memory_max != 0 && options_.scheduler.memory_max != kUnlimited) {
    const std::uint64_t heap = (options_.scheduler.memory_mode == profile::Mode::enforce ? 1 : 2) *
                               (options_.scheduler.memory_max >> 20);
    const auto users = process::get_env(env, "NODE_OPTIONS").value_or("");
    if (options_.scheduler.memory_mode == profile::Mode::enforce ||
        users.find("--max-old-space-size") == std::string_view::npos)
      argv.push_back(fmt::format("--max-old-space-size={}", std::max<std::uint64_t>(heap, 64)));
  }
  // Heads carry what the router made of the request; the platform's limits have struck before.
  argv.emplace_back("--max-http-header-size=1048576");
  process::set_env(env, "VSIM_BOOT", boot_.file);
  process::set_env(env, "VSIM_CONTROL", options_.control_socket);
  process::set_env(env, "VSIM_PUBLIC_PORT", std::to_string(options_.public_port));
  if (options_.public_https) process::set_env(env, "VSIM_PUBLIC_HTTPS", "1");
  process::set_env(env, "VSIM_ISOLATION", profile::to_string(options_.scheduler.isolation));
  if (!options_.warm) process::set_env(env, "VSIM_WARM", "0");
  process::set_env(env, "VSIM_MACHINE", options_.machine);
  if (own_tmp_) process::set_env(env, "VSIM_TMP", process::text_of(*own_tmp_));
  if (options_.time_scale != 1)
    process::set_env(env, "VSIM_TIME_SCALE", fmt::format("{}", options_.time_scale));
}

InstanceSpec Fleet::spec_of(InstanceId id, bool background) {
  InstanceSpec spec;
  spec.name = name_of(id);
  spec.cwd = options_.cwd;
  spec.env = options_.env;
  spec.background = background;
  spec.socket = socket_of(id);
  spec.secret = agent::instance_secret(options_.token, number(id));
  add_node(spec.argv, spec.env);
  spec.own_tmp = own_tmp_;
  spec.descriptors = options_.descriptors;
  if (options_.inspect) spec.argv.emplace_back("--inspect=127.0.0.1:0");
  spec.argv.push_back(options_.script);
  process::set_env(spec.env, "VSIM_INSTANCE", std::to_string(number(id)));
  process::set_env(spec.env, "VSIM_SOCKET", spec.socket);
  return spec;
}

// Whether instances have a /tmp of their own on a disk that is read-only, and what of this machine's they
// need in it: what they run of, and what stands for something that the deployment has elsewhere.
Fleet::Shared Fleet::find_tmp() {
  own_tmp_.reset();
  if (boot_.file.empty()) return {};
  std::set<std::string, std::less<>> kept(boot_.tmp.begin(), boot_.tmp.end());
  for (const std::string* path : {&options_.run_dir, &options_.cwd, &options_.script, &exec_, &boot_.file})
    if (const auto entry = process::entry_in_tmp(*path); !entry.empty()) kept.emplace(entry);
  for (std::string& path : process::sockets_in_tmp()) kept.insert(std::move(path));
  process::OwnTmp own{options_.tmp_max == kUnlimited ? 0 : options_.tmp_max, {kept.begin(), kept.end()}};
  std::string shared = boot_.shared_tmp, open = options_.strict ? std::string() : boot_.open_disk;
  own.mounted = options_.own_tmp && shared.empty();
  if (options_.read_only && open.empty()) {
    own.disk = process::ReadOnly{boot_.project, {options_.run_dir}};
    if (!options_.strict)
      own.disk->writable.insert(own.disk->writable.end(), boot_.writable.begin(), boot_.writable.end());
  }
  take_what_there_is(std::move(own), shared, open);
  return {std::move(shared), std::move(open)};
}

void Fleet::settle_tmp() {
  const auto [shared, open] = find_tmp();
  if (boot_.file.empty()) return;
  log::debug(log::Logger::app, "/tmp of instances: {}", shared.empty() ? "their own" : shared);
  if (options_.own_tmp && warned_.insert("tmp " + shared).second) watcher_.fleet_tmp(shared, boot_.stand_ins);
  if (options_.read_only && !open.empty() && warned_.insert("disk " + open).second) watcher_.fleet_disk(open);
}

// Both, or one of them without the other.
void Fleet::take_what_there_is(process::OwnTmp own, std::string& shared, std::string& open) {
  if (own.disk) {
    const auto why = process::why_no_own_tmp(own);
    if (!why) return static_cast<void>(own_tmp_ = std::move(own));
    open = *why;
  }
  if (!own.mounted) return;
  process::OwnTmp tmp = own;
  tmp.disk.reset();
  const auto why = process::why_no_own_tmp(tmp);
  if (!why) return static_cast<void>(own_tmp_ = std::move(tmp));
  shared = *why;
  own.mounted = false;
  if (own.disk && !process::why_no_own_tmp(own)) {
    open.clear();
    own_tmp_ = std::move(own);
  }
}

void Fleet::on_tmp(std::uint64_t n, std::string_view wrote, std::string_view removed, bool at_build) {
  if (find(n) == nullptr) return;
  if (!wrote.empty()) tmp_files_.wrote(n, wrote, at_build);
  if (!removed.empty()) tmp_files_.removed(n, removed);
}

// --- The template

TemplateProcess::Callbacks Fleet::template_callbacks() {
  TemplateProcess::Callbacks callbacks;
  callbacks.output = [this](const OutputLine& line) {
    if (!options_.fold_starts) return watcher_.fleet_output(line);
    std::string_view text = line.text;
    text.remove_prefix(text.find("] ") + 2);
    if (noise_.look(text, line.error) == StartNoise::Show::yes) watcher_.fleet_output(line);
  };
  callbacks.gave_up = [this](std::string_view why) { tell_spawns(why); };
  callbacks.settled = [this] { start_those_that_come(); };
  return callbacks;
}

void Fleet::tell_spawns(std::string_view why) {
  log::info(log::Logger::app, "instances are started, not copied: {}", why);
  if (warned_.insert(fmt::format("template {}", why)).second) watcher_.fleet_spawns(why);
}

static constexpr std::string_view kPreload = "LD_PRELOAD";

std::optional<process::SpawnOptions> Fleet::template_options(bool ahead) {
  if (!options_.fork) return std::nullopt;
  if (options_.inspect) {
    tell_spawns("--inspect-instance opens an inspector in each, and a copy has none");
    return std::nullopt;
  }
  process::SpawnOptions options;
  options.cwd = options_.cwd;
  options.env = options_.env;
  options.input = process::SpawnOptions::Input::null_device;
  add_node(options.argv, options.env);
  options.descriptors = options_.descriptors;
  // V8 without threads of its own: a copy has none but the one that copied. And without what it sets about 8
  // s after a collection that finds nothing more to do: in a template that stands, it is each copy that
  // would. What is compiled stays so, though the template itself never runs it. The young generation is as
  // large as V8 lets it grow by itself (16 MB), and stays so: V8 made that of a copy small at its first
  // collection, and collected every one or two MB that a page made from then on. Node's code moves to memory
  // in large pages, where the system has such: all copies have it at once, where each had to map the file's.
  for (const char* flag : {"--single-threaded", "--v8-pool-size=0", "--no-memory-reducer",
                           "--no-flush-bytecode", "--min-semi-space-size=16", "--use-largepages=silent"})
    options.argv.emplace_back(flag);
  options.argv.push_back(options_.template_script);
  process::set_env(options.env, "VSIM_TEMPLATE", ahead ? "ahead" : "1");
  // A list, which has no way to write a path with what separates one from the next.
  if (!options_.template_heap.empty() && options_.template_heap.find_first_of(" :") == std::string::npos &&
      !process::get_env(options.env, kPreload))
    process::set_env(options.env, kPreload, options_.template_heap);
  return options;
}

void Fleet::start_template() {
  auto options = template_options();
  if (!options) return;
  template_.start(std::move(*options));
  abandon_copies();
}

bool Fleet::go_on_with_template() {
  auto options = template_options();
  return options && template_.go_on(boot_.file, std::move(*options));
}

void Fleet::prepare(const agent::Boot& guess, std::string_view exec) {
  exec_ = exec;
  boot_ = guess;
  find_tmp();
  if (auto options = template_options(true)) template_.start_ahead(std::move(*options));
  boot_ = {};
}

void Fleet::stop_template() {
  template_.stop();
  abandon_copies();
}

// Copies that were asked of a template that is gone: nobody answers for them. One that is there all the same
// finds no secret, and ends.
void Fleet::abandon_copies() {
  std::vector<InstanceId> doomed;
  for (auto& [id, coming] : comings_) {
    if (coming.of != InstanceId::none) continue;
    coming.asked = false;
    if (coming.doomed) doomed.push_back(id);
  }
  for (const InstanceId id : doomed) never_start(id);
  start_those_that_come();
}

void Fleet::start_those_that_come() {
  if (template_.state() == TemplateProcess::State::starting || stopped_) return;
  std::vector<InstanceId> ids;
  for (const auto& [id, coming] : comings_)
    if (!coming.asked && coming.of == InstanceId::none) ids.push_back(id);
  for (const InstanceId id : ids) {
    const auto it = comings_.find(id);
    if (it == comings_.end()) continue;
    if (template_.state() == TemplateProcess::State::ready) {
      ask_copy(id, it->second);
    } else {
      InstanceSpec spec = std::move(it->second.spec);
      comings_.erase(it);
      spawn(id, std::move(spec));
    }
  }
}

void Fleet::ask_copy(InstanceId id, Coming& coming) {
  coming.asked = true;
  const auto text = [&](std::string_view mark) {
    return agent::copy_line(number(id), coming.spec.socket, mark);
  };
  const auto answer = [this, id](Result<process::Coming> copy) { copied(id, std::move(copy)); };
  if (coming.of != InstanceId::none) {
    coming.variables = channel_.told_by(number(coming.of));
    return find(coming.of)->copies->fork(text, answer);
  }
  process::os::Fd theirs;
  if (options_.scheduler.templates) {
    if (auto pair = process::os::make_packet_pair()) {
      coming.orders = std::move(pair->read);
      theirs = std::move(pair->write);
    }
  }
  template_.fork(text, answer, theirs.get());
}

void Fleet::copied(InstanceId id, Result<process::Coming> copy) {
  const auto it = comings_.find(id);
  if (it == comings_.end() || !it->second.asked) {
    if (copy) ::kill(copy->pid, SIGKILL);
    return;
  }
  InstanceSpec spec = std::move(it->second.spec);
  process::os::Fd orders = std::move(it->second.orders);
  auto variables = std::move(it->second.variables);
  const bool doomed = it->second.doomed;
  const auto how = it->second.of == InstanceId::none ? Beginning::evaluate : Beginning::fork;
  comings_.erase(it);
  // What a copy of a function's template would have, no other process has.
  if (!copy) log::warn(log::Logger::app, "{} is no copy: {}", name_of(id), copy.error().message);
  if (!copy) return doomed || how == Beginning::fork ? lost(id) : spawn(id, std::move(spec));
  auto process = InstanceProcess::adopt(io_, supervisor_, timeouts_, std::move(spec), std::move(*copy),
                                        callbacks_of(id));
  if (!process) return lost(id);
  began(id, std::move(*process), how);
  if (doomed) return instances_[id].process->kill();
  channel_.begins_with(number(id), std::move(variables));
  if (orders) take_orders(id, std::move(orders));
}

void Fleet::take_orders(InstanceId id, process::os::Fd orders) {
  process::ForkServer::Callbacks callbacks;
  callbacks.ready = [this, id] { standing(id); };
  auto copies = process::ForkServer::over(io_, supervisor_, std::move(orders), std::move(callbacks));
  if (copies) instances_[id].copies = std::move(*copies);
}

// It waits to be copied: its copies inherit the priority.
void Fleet::standing(InstanceId id) {
  Instance* i = find(id);
  if (i == nullptr || !i->is_template) return;
  i->process->foreground();
  loop_.tell_scheduler([&](auto& s, TimePoint t, auto& out) { s.standing(id, t, out); });
}

// --- Beginnings

void Fleet::obey(instance::Spawn& c) {
  if (boot_.file.empty()) return lost(c.id);
  InstanceSpec spec = spec_of(c.id, c.background);
  if (c.from != InstanceId::none) {
    const Instance* of = find(c.from);
    if (of == nullptr || !of->copies) return lost(c.id);
    Coming& coming = comings_[c.id];
    coming.spec = std::move(spec);
    coming.of = c.from;
    return ask_copy(c.id, coming);
  }
  const auto state = template_.state();
  if (state == TemplateProcess::State::none || state == TemplateProcess::State::given_up)
    return spawn(c.id, std::move(spec));
  if (!c.background) template_.foreground();
  Coming& coming = comings_[c.id];
  coming.spec = std::move(spec);
  if (state == TemplateProcess::State::ready) ask_copy(c.id, coming);
}

void Fleet::spawn(InstanceId id, InstanceSpec spec) {
  auto process = InstanceProcess::start(io_, supervisor_, timeouts_, std::move(spec), callbacks_of(id));
  if (process) return began(id, std::move(*process), Beginning::spawn);
  log::warn(log::Logger::app, "{} could not be started: {}", name_of(id), process.error().message);
  if (warned_.insert(process.error().message).second)
    watcher_.fleet_warns("an instance could not be started: " + process.error().message, process.error().fix);
  lost(id);
}

InstanceProcess::Callbacks Fleet::callbacks_of(InstanceId id) {
  InstanceProcess::Callbacks callbacks;
  callbacks.output = [this, id](const OutputLine& line) { output(id, line); };
  callbacks.debugger = [this, id] { debugger(id); };
  callbacks.ended = [this, id] { ended(id); };
  return callbacks;
}

void Fleet::began(InstanceId id, std::unique_ptr<InstanceProcess> process, Beginning how) {
  const int pid = process->pid();
  instances_[id].process = std::move(process);
  instances_[id].is_copy = how != Beginning::spawn;
  log::debug(log::Logger::app, "{}: pid {}, by {}", name_of(id), pid, to_string(how));
  watcher_.fleet_spawned(id, how);
}

void Fleet::lost(InstanceId id) {
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.exited(id, {instance::Death::Kind::lost, 0}, {}, m, out);
  });
}

// It is to end before it is there.
void Fleet::never_start(InstanceId id) {
  const auto it = comings_.find(id);
  if (it == comings_.end()) return;
  if (it->second.asked) {
    it->second.doomed = true;
    return;
  }
  comings_.erase(it);
  lost(id);
}

}  // namespace vsim::app
