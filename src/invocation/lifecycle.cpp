#include "invocation/lifecycle.hpp"

#include <type_traits>

namespace vsim::invocation {

std::string_view name(const State& state) {
  static constexpr std::string_view kNames[] = {"passing",  "routing",   "waiting", "running", "responding",
                                                "draining", "upgrading", "tunnel",  "dropped", "ended"};
  static_assert(std::size(kNames) == std::variant_size_v<State>, "a state has no name");
  return kNames[state.index()];
}

bool Lifecycle::dispatched(TimePoint now) {
  if (is<Routing>()) {
    state_ = Waiting{};
    return true;
  }
  if (is<Waiting>() || is<Running>() || is<Upgrading>())
    return true;  // Next may dispatch again: no fallback, next route; or late news
  if (auto* s = std::get_if<Responding>(&state_)) {
    if (!s->clock) s->clock = clock_from(now);  // the head overtook the agent's messages
    return true;
  }
  return is<Draining>();
}

bool Lifecycle::handler_started(TimePoint now) {
  if (is<Routing>() || is<Waiting>()) {
    state_ = Running{clock_from(now)};
    return true;
  }
  std::optional<Clock>* clock = nullptr;
  if (auto* r = std::get_if<Responding>(&state_)) clock = &r->clock;
  if (auto* d = std::get_if<Draining>(&state_)) clock = &d->clock;
  if (auto* u = std::get_if<Upgrading>(&state_)) clock = &u->clock;
  if (clock == nullptr || *clock) return false;
  *clock = clock_from(now);
  return true;
}

bool Lifecycle::compile_started(TimePoint now) {
  if (is<Ended>() || is<Dropped>() || is<Passing>()) return false;
  compile_.start(now);
  return true;
}

bool Lifecycle::compile_ended(TimePoint now) {
  if (is<Ended>() || is<Dropped>() || is<Passing>()) return false;
  return compile_.end(now);
}

bool Lifecycle::response_head(TimePoint now, int status, bool function) {
  if (is<Passing>()) return true;
  if (is<Routing>() || is<Waiting>()) {
    state_ = Responding{function ? std::optional(clock_from(now)) : std::nullopt};
    return true;
  }
  if (const auto* r = std::get_if<Running>(&state_)) {
    state_ = Responding{r->clock};
    return true;
  }
  if (const auto* u = std::get_if<Upgrading>(&state_)) {
    if (status == 101)
      state_ = Tunnel{clock_from(now)};
    else
      state_ = Responding{u->clock};
    return true;
  }
  if (auto* d = std::get_if<Draining>(&state_)) {
    if (d->head) return false;
    d->head = true;
    if (function && !d->clock) d->clock = clock_from(now);
    return true;
  }
  return false;
}

bool Lifecycle::client_left(bool goes_on) {
  if (is<Ended>() || client_left_) return false;
  client_left_ = true;
  if (!goes_on) return true;
  if (is<Routing>() || is<Waiting>())
    state_ = Draining{};
  else if (const auto* r = std::get_if<Running>(&state_))
    state_ = Draining{r->clock, false};
  else if (const auto* p = std::get_if<Responding>(&state_))
    state_ = Draining{p->clock, true};
  return true;
}

bool Lifecycle::end() {
  if (is<Ended>()) return false;
  state_ = Ended{};
  return true;
}

const Clock* Lifecycle::clock() const {
  if (const auto* s = std::get_if<Running>(&state_)) return &s->clock;
  if (const auto* s = std::get_if<Responding>(&state_)) return s->clock ? &*s->clock : nullptr;
  if (const auto* s = std::get_if<Draining>(&state_)) return s->clock ? &*s->clock : nullptr;
  if (const auto* s = std::get_if<Upgrading>(&state_)) return s->clock ? &*s->clock : nullptr;
  if (const auto* s = std::get_if<Tunnel>(&state_)) return &s->clock;
  return nullptr;
}

bool Lifecycle::head_seen() const {
  if (const auto* s = std::get_if<Draining>(&state_)) return s->head;
  return is<Responding>() || is<Tunnel>();
}

event::Phase Lifecycle::phase() const {
  if (is<Tunnel>()) return event::Phase::tunnel;
  if (head_seen()) return event::Phase::responding;
  if (is<Dropped>()) return event::Phase::request;
  return clock() != nullptr ? event::Phase::running : event::Phase::routing;
}

}  // namespace vsim::invocation
