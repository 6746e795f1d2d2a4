// The fleet's part about processes: their ends, what they say, what they weigh.
#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "app/agent_words.hpp"
#include "app/fleet.hpp"
#include "base/text.hpp"
#include "limits/machine.hpp"
#include "log/log.hpp"
#include "process/usage.hpp"

namespace vsim::app {
namespace {

using instance::InstanceId;

std::uint64_t number(InstanceId id) { return static_cast<std::uint64_t>(id); }

}  // namespace

// --- Processes

Fleet::Instance* Fleet::find(InstanceId id) {
  const auto it = instances_.find(id);
  return it == instances_.end() || !it->second.process ? nullptr : &it->second;
}

void Fleet::say(InstanceId id, std::string line) { channel_.send(number(id), std::move(line)); }

void Fleet::ended(InstanceId id) {
  const auto it = instances_.find(id);
  if (it == instances_.end()) return;
  std::shared_ptr<InstanceProcess> process = std::move(it->second.process);
  std::shared_ptr<process::ForkServer> copies = std::move(it->second.copies);
  const std::unique_ptr<process::MemoryGroup> group = std::move(it->second.group);
  instances_.erase(it);
  sampler_.forget(id);
  // What it said last may still be in its channel; but whoever is named by a death is told of it now.
  channel_.forget(number(id));
  instance::Death death = process->death();
  std::string cause = process->cause();
  if (group && death.kind == instance::Death::Kind::signaled && death.value == SIGKILL && group->killed()) {
    death = {instance::Death::Kind::out_of_memory, 0};
    cause = core::over_memory(id);
  }
  log::debug(log::Logger::app, "{} has ended: {}", name_of(id), cause);
  last_death_ = std::move(cause);
  if (copies) copies->end();
  boost::asio::post(io_, [process, copies] {});  // they are on the stack
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.exited(id, death, last_death_, m, out);
  });
}

void Fleet::debugger(InstanceId id) {
  if (find(id) == nullptr) return;
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) { core.debugger(id, m, out); });
}

void Fleet::changed_state(InstanceId id, const instance::InstanceState& from,
                          const instance::InstanceState& to, instance::GroupId group) {
  watcher_.fleet_state(id, from, to, group);
}

Fleet::PageName Fleet::function_of(InstanceId id, const instance::InstanceState& state) const {
  instance::FunctionId function = instance::FunctionId::none;
  if (const auto* binding = std::get_if<instance::Binding>(&state)) function = binding->function;
  if (const auto* bound = std::get_if<instance::Bound>(&state)) function = bound->function;
  if (const auto* of = std::get_if<instance::Template>(&state)) function = of->function;
  if (const auto it = instances_.find(id); function == instance::FunctionId::none && it != instances_.end())
    function = it->second.function;
  if (function == instance::FunctionId::none) return {};
  const core::AskedFunction& of = loop_.core().function(function);
  return {of.page, of.kind};
}

std::string Fleet::take_uncopied(InstanceId id) {
  const auto it = instances_.find(id);
  if (it == instances_.end() || it->second.uncopied.empty()) return {};
  std::string why = std::exchange(it->second.uncopied, {});
  const auto seen = loop_.core().instance(id);
  const PageName of = seen ? function_of(id, seen->state) : PageName{};
  return warned_.insert(fmt::format("uncopied {} {} {}", of.kind, of.page, why)).second ? why : std::string();
}

Fleet::Figures Fleet::figures(InstanceId id) const {
  const auto it = instances_.find(id);
  if (it == instances_.end() || !it->second.process) return {};
  return {it->second.memory, it->second.process->pid()};
}

// --- What instances say

bool Fleet::on_instance(std::uint64_t n, std::string_view secret, pid_t pid) {
  Instance* i = find(n);
  if (i == nullptr || i->connected || !i->process || i->process->pid() != pid ||
      i->process->secret() != secret)
    return false;
  i->connected = true;
  return true;
}

bool Fleet::is_of_instance(pid_t pid) {
  constexpr int kFarthest = 64;  // generations
  const auto is_instance = [this](pid_t of) {
    return std::any_of(instances_.begin(), instances_.end(), [of](const auto& known) {
      return known.second.process && known.second.process->pid() == of;
    });
  };
  for (int i = 0; pid > 1 && i < kFarthest; ++i) {
    const auto info = process::os::inspect(pid);
    if (!info) return false;
    if (is_instance(pid) || is_instance(info->session)) return true;
    pid = info->parent;
  }
  return false;
}

void Fleet::on_ready(std::uint64_t n, double) {
  Instance* i = find(n);
  if (i == nullptr) return;
  i->ready = true;
  sampler_.watch(static_cast<InstanceId>(n), i->process->pid(), i->is_copy, program_of(*i));
  limit_memory(*i);
  loop_.tell_scheduler([&](auto& s, TimePoint t, auto& out) { s.ready(static_cast<InstanceId>(n), t, out); });
}

void Fleet::on_bound(std::uint64_t n, agent::BoundReport told) {
  Instance* i = find(n);
  if (i == nullptr) return;
  const auto id = static_cast<InstanceId>(n);
  i->is_template = told.is_template && i->copies != nullptr;  // it says so again when it stands
  log::debug(log::Logger::app, "{} has its function{}{}", name_of(id), i->is_template ? ", to be copied" : "",
             told.uncopied.empty() ? "" : fmt::format("; no template, since {}", told.uncopied));
  // What a page's client components take need not cost it its template: another one does without them.
  const auto binding = loop_.core().instance(id);
  const auto* to = binding ? std::get_if<instance::Binding>(&binding->state) : nullptr;
  const bool again =
      told.client && !told.uncopied.empty() && to != nullptr && without_client_.insert(to->function).second;
  i->uncopied = again ? std::string_view() : told.uncopied.substr(0, 300);
  if (!i->is_template) i->copies.reset();
  const bool is_bound = !i->is_template;
  loop_.tell_scheduler([&](auto& s, TimePoint t, auto& out) {
    if (!told.files.empty()) s.loaded(id, std::move(told.files), t, out);
    if (is_bound) s.bound(id, t, out, again);
  });
  sampler_.used(id);
}

void Fleet::output(InstanceId id, const OutputLine& line) {
  const auto it = instances_.find(id);
  if (!options_.fold_starts || it == instances_.end() || loop_.core().has_begun(id))
    return watcher_.fleet_output(line);
  const std::size_t name = line.text.find("] ");
  std::string_view text = line.text;
  if (name != std::string_view::npos) text.remove_prefix(name + 2);
  switch (noise_.look(text, line.error)) {
    case StartNoise::Show::yes:
      return watcher_.fleet_output(line);
    case StartNoise::Show::note:
      return watcher_.fleet_output(
          {"(what an instance before has written while it started is left out from here on; "
           "--verbose shows it)\n"});
    case StartNoise::Show::no:
      return;
  }
}

void Fleet::on_handler(std::uint64_t n, InvocationId id) {
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.handler_started(static_cast<InstanceId>(n), id, m, out);
  });
}

void Fleet::on_missing(std::uint64_t n, const std::vector<std::string>& names) {
  if (find(n) != nullptr) watcher_.fleet_lacks(names);
}

void Fleet::on_dispatch(std::uint64_t n, InvocationId id, std::string_view page, std::string_view kind,
                        std::string_view runtime, bool is_static) {
  found(n, id, [&](engine::Engine& engine, const core::Moment& m) {
    engine.dispatched(id, to_dispatch(page, kind, runtime, is_static), m.now);
  });
}

void Fleet::on_compile(std::uint64_t n, InvocationId id, bool is_over) {
  loop_.tell([&](core::Core& core, const core::Moment& m, auto&) {
    core.compiling(static_cast<InstanceId>(n), id, is_over, m.now);
  });
}

void Fleet::on_call(std::uint64_t n, bool open) {
  Instance* i = find(n);
  if (i == nullptr || i->call_open == open) return;
  i->call_open = open;
  const auto id = static_cast<InstanceId>(n);
  loop_.tell_scheduler([&](auto& s, TimePoint t, auto& out) {
    open ? s.dev_call_opened(id, t, out) : s.dev_call_closed(id, t, out);
  });
}

void Fleet::on_done(std::uint64_t n, InvocationId id, std::optional<std::vector<std::string>> files,
                    const std::vector<Hanging>& hanging, bool untouched) {
  Instance* i = find(n);
  if (i == nullptr) return;
  if (files)
    loop_.tell_scheduler([&](auto& s, TimePoint t, auto& out) {
      s.loaded(static_cast<InstanceId>(n), std::move(*files), t, out);
    });
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.done(static_cast<InstanceId>(n), id, hanging, untouched, m, out);
  });
}

void Fleet::on_broken_off(std::uint64_t n, InvocationId id, std::string_view message,
                          std::string_view source) {
  limits::broken_off::Cause cause{std::string(message.substr(0, 300)), std::string(source.substr(0, 300))};
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.broken_off(static_cast<InstanceId>(n), id, std::move(cause), m, out);
  });
}

void Fleet::on_state(std::uint64_t n, InvocationId id, const StateReport& report) {
  found(n, id, [&](auto& engine, auto& m) { engine.module_state(id, report, m.now, m.wall); });
}

void Fleet::on_connections(std::uint64_t n, InvocationId id, const agent::Connections& told) {
  found(n, id, [&](auto& engine, auto& m) { engine.connections(id, to_connections(told), m.now, m.wall); });
}

void Fleet::on_machine(std::uint64_t n, InvocationId id, const agent::Machine& told) {
  found(n, id, [&](auto& engine, auto& m) {
    auto fact = to_fact(told);
    if (!fact) return;
    if (fact->kind == limits::MachineFact::Kind::tmp_elsewhere) {
      // Looked for in vain: of interest if another has it.
      const auto by = tmp_files_.elsewhere(n, told.to, fact->doubt == limits::MachineFact::Doubt::at_build);
      if (!by) return;
      fact->by = name_of(static_cast<InstanceId>(*by));
    }
    engine.machine(id, *fact, m.now, m.wall);
  });
}

void Fleet::on_made(std::uint64_t n, InvocationId id, const agent::MadeReport& told) {
  found(n, id, [&](auto& engine, auto& m) { engine.made_at_build(id, to_made(told), m.now, m.wall); });
}

void Fleet::on_revalidated(std::uint64_t n) {
  if (find(n) != nullptr)
    loop_.tell([](core::Core& core, const core::Moment& m, auto&) { core.engine().revalidated(m.now); });
}

void Fleet::on_pong(std::uint64_t n) {
  const Instance* i = find(n);
  if (i == nullptr) return;
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.pong(static_cast<InstanceId>(n), m, out);
  });
}

void Fleet::on_answer_at(std::uint64_t n, InvocationId id, std::string_view place) {
  found(n, id, [&](auto& engine, auto&) { engine.answer_made_at(id, place); });
}

void Fleet::on_refused(std::uint64_t n, InvocationId id, const agent::Refused& told) {
  found(n, id, [&](auto& engine, auto& m) { engine.code_refused(id, to_refused(told), m.now, m.wall); });
}

void Fleet::on_dying(std::uint64_t n, std::string_view why, std::string_view message, std::string_view) {
  Instance* i = find(n);
  if (i == nullptr) return;
  const std::string_view word = why == "uncaughtException"    ? "uncaught exception: "
                                : why == "unhandledRejection" ? "unhandled rejection: "
                                : why == "boot"               ? "it could not start: "
                                                              : "";
  i->process->last_words(std::string(word) + std::string(message.substr(0, 300)));
  const auto id = static_cast<InstanceId>(n);
  loop_.tell_scheduler([&](auto& s, TimePoint t, auto& out) { s.failing(id, t, out); });
  say(id, agent::last_line(loop_.core().on(id)));
}

// What is said is what would be said if nobody else had been there, and the process had ended at once.
void Fleet::on_crashed(std::uint64_t n, InvocationId id, int exit_status) {
  const Instance* i = find(n);
  if (i == nullptr) return;
  std::string cause = i->process->cause_if(process::Exited{exit_status});
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.crashed(static_cast<InstanceId>(n), id, std::move(cause), m, out);
  });
}

void Fleet::on_closed(std::uint64_t n) {
  Instance* i = find(n);
  if (i == nullptr || stopped_ || i->is_template) return;
  loop_.tell([&](core::Core& core, const core::Moment& m, auto&) {
    core.channel_closed(static_cast<InstanceId>(n), m);
  });
}

void Fleet::obey(core::EndSilent& c) {
  Instance* i = find(c.instance);
  if (i == nullptr) return;
  i->process->last_words("it had closed its control channel, and was killed for that");
  i->process->kill();
}

// --- Memory

// From when it is ready: what it weighs idle is counted outside. But it writes to pages that it shares with a
// template, and what its /tmp holds is memory here: as much more is let through, which readings judge.
void Fleet::limit_memory(Instance& i) {
  if (options_.scheduler.memory_mode != profile::Mode::enforce || options_.scheduler.memory_max == 0 ||
      options_.scheduler.memory_max == kUnlimited || i.group)
    return;
  if (!memory_groups_) {
    memory_groups_.emplace(process::MemoryGroups::find());
    if (!*memory_groups_) watcher_.fleet_memory(memory_groups_->error().message);
  }
  if (!*memory_groups_) return;
  const std::uint64_t in_tmp = !own_tmp_ || !own_tmp_->mounted ? 0 : own_tmp_->size;
  const std::uint64_t idle = process::own_memory_of(i.process->pid(), program_of(i));
  i.group = (**memory_groups_)->around(i.process->pid(), options_.scheduler.memory_max + idle + in_tmp);
}

std::uint64_t Fleet::program_of(const Instance& i) const { return i.is_copy ? template_.program() : 0; }

void Fleet::sampled(InstanceId id, std::uint64_t bytes, std::uint64_t shared) {
  Instance* i = find(id);
  if (i == nullptr) return;
  i->memory = bytes;
  // The kernel ends the largest: if that was a child process, the function's memory was over all the same.
  const bool out_of_group = i->group && i->group->killed();
  loop_.tell([&](core::Core& core, const core::Moment& m, auto& out) {
    core.measured(id, {bytes, shared}, out_of_group, m, out);
  });
}

}  // namespace vsim::app
