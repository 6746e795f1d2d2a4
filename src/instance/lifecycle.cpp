#include "instance/lifecycle.hpp"

#include <fmt/format.h>

#include <iterator>

#include "instance/command.hpp"

namespace vsim::instance {

std::string name_of(InstanceId id) { return fmt::format("i{}", static_cast<std::uint64_t>(id)); }

std::string_view to_string(Start start) {
  static constexpr std::string_view kNames[] = {"warm", "bound", "spare", "cold"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Start::cold) + 1, "a Start has no name");
  return kNames[static_cast<std::size_t>(start)];
}

std::string_view to_string(Why why) {
  static constexpr std::string_view kNames[] = {
      "none",         "spent",   "stale",    "idle",         "memory",       "grown",
      "abandoned",    "surplus", "deadline", "unresponsive", "init_timeout", "spawn_timeout",
      "memory_limit", "failed",  "settings", "asked",        "deployment",   "shutdown"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Why::shutdown) + 1, "a Why has no name");
  return kNames[static_cast<std::size_t>(why)];
}

std::string_view name(const InstanceState& state) {
  static constexpr std::string_view kNames[] = {"spawning", "spare", "binding", "bound", "template",
                                                "leased",   "idle",  "retired", "dying", "dead"};
  static_assert(std::size(kNames) == std::variant_size_v<InstanceState>, "a state has no name");
  return kNames[state.index()];
}

bool InstanceLifecycle::ready() {
  if (!is<Spawning>()) return false;
  state_ = Spare{};
  return true;
}

bool InstanceLifecycle::ready(FunctionId function) {
  if (!is<Spawning>()) return false;
  state_ = Bound{function};
  return true;
}

bool InstanceLifecycle::bind(FunctionId function) {
  if (!is<Spare>()) return false;
  state_ = Binding{function};
  return true;
}

bool InstanceLifecycle::bound() {
  const auto* b = std::get_if<Binding>(&state_);
  if (b == nullptr) return false;
  state_ = Bound{b->function};
  return true;
}

bool InstanceLifecycle::stand() {
  const auto* b = std::get_if<Binding>(&state_);
  if (b == nullptr) return false;
  state_ = Template{b->function};
  return true;
}

bool InstanceLifecycle::lease(std::uint32_t slots) {
  if (slots == 0 || frozen()) return false;
  if (auto* l = std::get_if<Leased>(&state_)) {
    if (l->leases >= slots) return false;
    ++l->leases;
    return true;
  }
  if (!usable()) return false;
  state_ = Leased{1};
  return true;
}

bool InstanceLifecycle::release() {
  if (auto* l = std::get_if<Leased>(&state_)) {
    if (--l->leases == 0) state_ = Idle{};
    return true;
  }
  auto* r = std::get_if<Retired>(&state_);
  if (r == nullptr || r->leases == 0) return false;
  --r->leases;
  return true;
}

bool InstanceLifecycle::freeze() {
  if (frozen()) return false;
  if (auto* b = std::get_if<Bound>(&state_)) return b->frozen = true;
  if (auto* i = std::get_if<Idle>(&state_)) return i->frozen = true;
  return false;
}

bool InstanceLifecycle::thaw() {
  if (!frozen()) return false;
  if (auto* b = std::get_if<Bound>(&state_)) b->frozen = false;
  if (auto* i = std::get_if<Idle>(&state_)) i->frozen = false;
  return true;
}

bool InstanceLifecycle::retire(Why why) {
  if (is<Retired>() || !living()) return false;
  state_ = Retired{why, leases()};
  return true;
}

bool InstanceLifecycle::kill(Why why) {
  if (!living()) return false;
  state_ = Dying{why};
  return true;
}

bool InstanceLifecycle::exited(const Death& death) {
  if (is<Dead>()) return false;
  const auto* d = std::get_if<Dying>(&state_);
  state_ = Dead{d != nullptr ? d->why : Why::none, death};
  return true;
}

std::uint32_t InstanceLifecycle::leases() const {
  if (const auto* l = std::get_if<Leased>(&state_)) return l->leases;
  if (const auto* r = std::get_if<Retired>(&state_)) return r->leases;
  return 0;
}

bool InstanceLifecycle::frozen() const {
  if (const auto* b = std::get_if<Bound>(&state_)) return b->frozen;
  if (const auto* i = std::get_if<Idle>(&state_)) return i->frozen;
  return false;
}

}  // namespace vsim::instance
