#include "invocation/lifecycle.hpp"

#include <type_traits>

namespace vsim::invocation {

std::string_view name(const InvocationState& state) {
  static constexpr std::string_view kNames[] = {"passing",    "routing",   "waiting",   "running",
                                                "responding", "draining",  "upgrading", "tunnel",
                                                "dropped",    "lingering", "ended"};
  static_assert(std::size(kNames) == std::variant_size_v<InvocationState>, "a state has no name");
  return kNames[state.index()];
}

bool InvocationLifecycle::dispatched(TimePoint now, bool started) {
  if (is<Routing>()) {
    state_ = Waiting{};
    return true;
  }
  if (is<Waiting>() || is<Running>() || is<Upgrading>())
    return true;  // Next may dispatch again: no fallback, next route; or late news
  if (auto* s = std::get_if<Responding>(&state_)) {
    if (started && !s->clock) s->clock = clock_from(now);  // the head overtook the agent's messages
    return true;
  }
  return is<Draining>();
}

bool InvocationLifecycle::started_unseen(TimePoint since, Duration compiled_before) {
  if (!started_at({since, compiled_before})) return false;
  unseen_ = true;
  return true;
}

bool InvocationLifecycle::seen_after_all(TimePoint now) {
  auto* r = std::get_if<Running>(&state_);
  if (!unseen_ || r == nullptr || stopped_) return false;
  unseen_ = false;
  r->clock = clock_from(now);
  return true;
}

bool InvocationLifecycle::started_at(const ChargedClock& from) {
  if (is<Routing>() || is<Waiting>()) {
    state_ = Running{from};
    return true;
  }
  std::optional<ChargedClock>* clock = nullptr;
  if (auto* r = std::get_if<Responding>(&state_)) clock = &r->clock;
  if (auto* d = std::get_if<Draining>(&state_)) clock = &d->clock;
  if (auto* u = std::get_if<Upgrading>(&state_)) clock = &u->clock;
  if (auto* l = std::get_if<Lingering>(&state_)) clock = &l->clock;
  if (clock == nullptr || *clock || stopped_) return false;
  *clock = from;
  return true;
}

bool InvocationLifecycle::compile_started(TimePoint now) {
  if (is<Ended>() || is<Dropped>() || is<Passing>()) return false;
  compile_.start(now);
  return true;
}

bool InvocationLifecycle::compile_ended(TimePoint now) {
  if (is<Ended>() || is<Dropped>() || is<Passing>()) return false;
  return compile_.end(now);
}

bool InvocationLifecycle::response_head(TimePoint now, int status, bool started) {
  if (auto* p = std::get_if<Passing>(&state_)) {
    p->head = true;
    return true;
  }
  if (is<Routing>() || is<Waiting>()) {
    state_ = Responding{started ? std::optional(clock_from(now)) : std::nullopt};
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
    if (started && !d->clock) d->clock = clock_from(now);
    return true;
  }
  return false;
}

bool InvocationLifecycle::client_left(bool goes_on) {
  if (is<Ended>() || is<Lingering>() || client_left_) return false;
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

bool InvocationLifecycle::again() {
  if (is<Waiting>() || is<Running>()) {
    state_ = Routing{};
  } else if (auto* d = std::get_if<Draining>(&state_); d != nullptr && !d->head) {
    d->clock.reset();
  } else if (auto* u = std::get_if<Upgrading>(&state_)) {
    u->clock.reset();
  } else if (!is<Routing>()) {
    return false;
  }
  stopped_.reset();
  unseen_ = false;
  return true;
}

bool InvocationLifecycle::stop_clock(TimePoint now) {
  if (is<Ended>() || stopped_) return false;
  stopped_ = charged(now);
  return true;
}

bool InvocationLifecycle::linger() {
  if (is<Ended>() || is<Lingering>() || is<Passing>() || is<Dropped>()) return false;
  const ChargedClock* running = clock();
  state_ = Lingering{running != nullptr ? std::optional(*running) : std::nullopt};
  return true;
}

bool InvocationLifecycle::end() {
  if (is<Ended>()) return false;
  state_ = Ended{};
  return true;
}

const ChargedClock* InvocationLifecycle::clock() const {
  if (const auto* s = std::get_if<Running>(&state_)) return &s->clock;
  if (const auto* s = std::get_if<Responding>(&state_)) return s->clock ? &*s->clock : nullptr;
  if (const auto* s = std::get_if<Draining>(&state_)) return s->clock ? &*s->clock : nullptr;
  if (const auto* s = std::get_if<Upgrading>(&state_)) return s->clock ? &*s->clock : nullptr;
  if (const auto* s = std::get_if<Tunnel>(&state_)) return &s->clock;
  if (const auto* s = std::get_if<Lingering>(&state_)) return s->clock ? &*s->clock : nullptr;
  return nullptr;
}

bool InvocationLifecycle::head_seen() const {
  if (const auto* s = std::get_if<Draining>(&state_)) return s->head;
  if (const auto* s = std::get_if<Passing>(&state_)) return s->head;
  return is<Responding>() || is<Tunnel>() || is<Lingering>();
}

event::Phase InvocationLifecycle::phase() const {
  if (is<Tunnel>()) return event::Phase::tunnel;
  if (head_seen()) return event::Phase::responding;
  if (is<Dropped>()) return event::Phase::request;
  return clock() != nullptr ? event::Phase::running : event::Phase::routing;
}

}  // namespace vsim::invocation
