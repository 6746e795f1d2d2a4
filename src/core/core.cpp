#include "core/core.hpp"

#include <algorithm>
#include <iterator>

namespace vsim::core {

using limits::Code;
using How = EndExchange::How;

std::string_view name(const Passage::Where& where) {
  static constexpr std::string_view kNames[] = {"at app",        "queued",         "unanswered",
                                                "passed on",     "answering",      "cause awaited",
                                                "socket closed", "after response", "over"};
  static_assert(std::size(kNames) == std::variant_size_v<Passage::Where>, "a place has no name");
  return kNames[where.index()];
}

std::string_view name(const Passage::Seat& seat) {
  static constexpr std::string_view kNames[] = {"vacant", "held", "given back", "lost"};
  static_assert(std::size(kNames) == std::variant_size_v<Passage::Seat>, "a seat has no name");
  return kNames[seat.index()];
}

Core::Core(const profile::Profile& profile, engine::EngineOptions options, event::Sink& sink, Senses& senses)
    : senses_(senses), engine_(profile, options, sink, this) {}

ExchangeTotals Core::totals(InvocationId id) const {
  if (const Passage* p = find(id))
    if (const auto* closed = std::get_if<Passage::SocketClosed>(&p->where)) return closed->totals;
  return senses_.totals(id);
}

bool Core::busy(InvocationId id) const {
  const instance::InstanceId on = instance_of(id);
  return on != instance::InstanceId::none && senses_.busy(on);
}

Duration Core::unserved(InvocationId id) const {
  const instance::InstanceId on = instance_of(id);
  return on != instance::InstanceId::none ? senses_.unserved(on) : Duration{};
}

Core::Entry* Core::entry(InvocationId id) {
  const auto it = passages_.find(id);
  return it == passages_.end() ? nullptr : &*it;
}

const Passage* Core::find(InvocationId id) const {
  const auto it = passages_.find(id);
  return it == passages_.end() ? nullptr : &it->second;
}

// --- Callers

bool Core::called_by(InvocationId id, InvocationId caller) {
  // One that is under way is older than this one, so callers never make a circle.
  if (caller == id || caller == InvocationId::none || !engine_.knows(caller)) return false;
  passages_[id].parent = caller;
  return true;
}

bool Core::middleware_of(InvocationId id, InvocationId routed) {
  if (routed == id || routed == InvocationId::none || !engine_.knows(routed)) return false;
  if (const InvocationId caller = caller_of(routed); caller != InvocationId::none)
    passages_[id].parent = caller;
  return true;
}

InvocationId Core::caller_of(InvocationId id) const {
  const Passage* p = find(id);
  return p == nullptr ? InvocationId::none : p->parent;
}

void Core::hold_callers(Passage& p, TimePoint now) {
  if (!p.callers.empty()) return;
  for (InvocationId caller = p.parent; caller != InvocationId::none; caller = caller_of(caller)) {
    p.callers.push_back(caller);
    engine_.own_request_waits(caller, now);
  }
}

void Core::let_callers_go(Passage& p, TimePoint now) {
  for (const InvocationId caller : std::exchange(p.callers, {})) engine_.own_request_goes_on(caller, now);
}

void Core::compile_started(InvocationId id, TimePoint now) {
  engine_.compile_started(id, now);
  if (Entry* e = entry(id); e != nullptr && !e->second.ended()) hold_callers(e->second, now);
}

void Core::compile_ended(InvocationId id, TimePoint now) {
  engine_.compile_ended(id, now);
  if (Entry* e = entry(id); e != nullptr && !e->second.is<Passage::Queued>()) let_callers_go(e->second, now);
}

// --- Where it is

void Core::set(Entry& e, Passage::Where where) {
  const auto drop = [&](TimePoint until) { waits_.erase({until, e.first}); };
  if (const auto* w = std::get_if<Passage::CauseAwaited>(&e.second.where)) drop(w->until);
  if (const auto* w = std::get_if<Passage::SocketClosed>(&e.second.where)) drop(w->until);
  if (const auto* w = std::get_if<Passage::AfterResponse>(&e.second.where)) drop(w->until);
  e.second.where = where;
}

void Core::wait(Entry& e, Passage::Where where, TimePoint until) {
  set(e, where);
  waits_.emplace(until, e.first);
}

void Core::forget(Entry& e, TimePoint now) {
  let_callers_go(e.second, now);
  set(e, Passage::Over{});
  e.second.seat = Passage::Vacant{};
  if (!e.second.former) passages_.erase(e.first);
}

// What was told of the instance while the exchange went on, now that it is over.
void Core::over(Entry& e, const Moment& m, Commands& out) {
  const InvocationId id = e.first;
  Passage& p = e.second;
  if (p.held()) {
    let_callers_go(p, m.now);
    return set(e, Passage::AfterResponse{});
  }
  if (p.is<Passage::Queued>()) withdraw(e, m, out);
  if (const auto* g = std::get_if<Passage::GivenBack>(&p.seat))
    engine_.released(id, g->hanging, m.now, m.wall);
  if (const auto* l = std::get_if<Passage::Lost>(&p.seat))
    engine_.instance_lost(id, l->loss, {}, m.now, m.wall);
  forget(e, m.now);
}

// The core itself ends the exchange.
void Core::finish(Entry& e, Code code, const Moment& m, Commands& out) {
  out.emplace_back(EndExchange{code == Code::none ? How::cut : How::answer, e.first, code});
  over(e, m, out);
}

bool Core::on_instance(InvocationId id) const {
  const Passage* p = find(id);
  return p != nullptr && p->on_instance();
}

void Core::passed_on(InvocationId id) {
  if (Entry* e = entry(id); e != nullptr && e->second.is<Passage::Unanswered>()) set(*e, Passage::PassedOn{});
}

// --- Its connection

Code Core::response_head(InvocationId id, const engine::ResponseInfo& info, const Moment& m, Commands& out) {
  Entry* e = entry(id);
  const bool interim = info.status < 200 && info.status != 101;
  if (e != nullptr && !interim && e->second.is<Passage::Unanswered>()) {
    set(*e, Passage::Answering{info.status == 101});
    if (auto* held = std::get_if<Passage::Held>(&e->second.seat)) begun(id, *held, m, out);
  }
  const Code replaced = engine_.response_head(id, info, m.now);
  if (e == nullptr) return replaced;
  Passage& p = e->second;
  if (replaced != Code::none) {
    if (p.held() && !engine_.knows(id)) take_back(*e, m, out);  // as at a deadline: what runs on is nobody's
    over(*e, m, out);
  } else if (auto* given = std::get_if<Passage::GivenBack>(&p.seat);
             given != nullptr && p.is<Passage::Answering>()) {
    engine_.released(id, given->hanging, m.now, m.wall);
    p.seat = Passage::Vacant{};
  }
  return replaced;
}

Code Core::request_body_over(InvocationId id, const Moment& m, Commands& out) {
  const Code code = engine_.request_body_over(id, m.now);
  if (Entry* e = entry(id); e != nullptr && code != Code::none) over(*e, m, out);
  return code;
}

Core::FailedConnection Core::connection_failed(InvocationId id, UpstreamFailure failure,
                                               const ExchangeTotals& totals, const Moment& m, Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr) return {false, engine_.upstream_failed(id, failure, totals, m.now, m.wall)};
  Passage& p = e->second;
  if (p.held() && !p.broken_off) {
    wait(*e, Passage::CauseAwaited{failure, m.now + kCausePatience}, m.now + kCausePatience);
    return {true, Code::none};
  }
  Code code = Code::none;
  if (const auto* l = std::get_if<Passage::Lost>(&p.seat)) {
    code = engine_.instance_lost(id, l->loss, totals, m.now, m.wall);
    p.seat = Passage::Vacant{};
  } else {
    code =
        engine_.upstream_failed(id, failure, totals, m.now, m.wall, p.broken_off ? &*p.broken_off : nullptr);
  }
  over(*e, m, out);
  return {false, code};
}

void Core::ended(InvocationId id, const ExchangeTotals& totals, const Moment& m, Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr) return engine_.ended(id, totals, m.now, m.wall);
  const auto* answering = std::get_if<Passage::Answering>(&e->second.where);
  if (answering != nullptr && answering->socket && !stopping_) {
    wait(*e, Passage::SocketClosed{totals, m.now + kCausePatience}, m.now + kCausePatience);
    if (!e->second.held()) cause_known(*e, m, out);
    return;
  }
  engine_.ended(id, totals, m.now, m.wall);
  over(*e, m, out);
}

bool Core::client_left(InvocationId id, const Moment& m, Commands& out) {
  const bool goes_on = engine_.client_left(id, m.now);
  left_alone(id, m, out);
  return goes_on;
}

bool Core::client_half_closed(InvocationId id, const Moment& m, Commands& out) {
  const auto function = engine_.function(id);
  if (function && function->supports_cancellation) return true;
  engine_.client_half_closed(id);
  left_alone(id, m, out);  // it runs on, but not before those who wait
  return false;
}

// Nobody has more to tell of a connection that has ended, or who could has had the time.
void Core::cause_known(Entry& e, const Moment& m, Commands& out) {
  const InvocationId id = e.first;
  Passage& p = e.second;
  const auto* lost = std::get_if<Passage::Lost>(&p.seat);
  if (const auto* closed = std::get_if<Passage::SocketClosed>(&p.where)) {
    const ExchangeTotals totals = closed->totals;
    if (lost != nullptr)
      engine_.instance_lost(id, lost->loss, totals, m.now, m.wall);
    else
      engine_.ended(id, totals, m.now, m.wall);
    if (lost != nullptr) p.seat = Passage::Vacant{};
    return over(e, m, out);
  }
  if (const auto* broken = std::get_if<Passage::CauseAwaited>(&p.where)) {
    const ExchangeTotals totals = this->totals(id);
    const Code code = lost != nullptr ? engine_.instance_lost(id, lost->loss, totals, m.now, m.wall)
                                      : engine_.upstream_failed(id, broken->failure, totals, m.now, m.wall,
                                                                p.broken_off ? &*p.broken_off : nullptr);
    if (lost != nullptr) p.seat = Passage::Vacant{};
    finish(e, code, m, out);
  }
}

// --- Time

std::optional<TimePoint> Core::next_wakeup() const {
  std::optional<TimePoint> next = engine_.next_wakeup();
  const auto sooner = [&](std::optional<TimePoint> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  if (!waits_.empty()) sooner(waits_.begin()->first);
  if (!silent_.empty()) sooner(silent_.begin()->first);
  if (scheduler_) sooner(scheduler_->next_wakeup());
  sooner(early_.next_wakeup());
  return next;
}

// The engine has ended it, or its waitUntil work.
void Core::strike(const engine::ExchangeCommand& command, const Moment& m, Commands& out) {
  using Struck = engine::ExchangeCommand::Kind;
  Entry* e = entry(command.id);
  if (command.kind == Struck::expire) {
    if (e == nullptr || !e->second.held()) return;
    wait(*e, Passage::AfterResponse{m.now + kExpirePatience}, m.now + kExpirePatience);
    return static_cast<void>(out.emplace_back(Expire{command.id, instance_of(command.id)}));
  }
  if (e == nullptr || !e->second.is<Passage::SocketClosed>()) {
    const How how = command.kind == Struck::answer_error ? How::answer
                    : command.kind == Struck::cut_tunnel ? How::cut_tunnel
                                                         : How::limit;
    out.emplace_back(EndExchange{how, command.id, command.code});
  }
  if (e == nullptr) return;
  if (e->second.held()) take_back(*e, m, out);
  if (e->second.is<Passage::Queued>()) withdraw(*e, m, out);
  forget(*e, m.now);
}

void Core::wake(const Moment& m, Commands& out) {
  struck_.clear();
  engine_.wake(m.now, m.wall, struck_);
  for (const engine::ExchangeCommand& command : struck_) strike(command, m, out);
  while (!waits_.empty() && waits_.begin()->first <= m.now) {
    Entry& e = *entry(waits_.begin()->second);
    if (!e.second.is<Passage::AfterResponse>()) {
      cause_known(e, m, out);
      continue;
    }
    take_back(e, m, out);
    forget(e, m.now);
  }
  if (!scheduler_) return;
  end_silent(m, out);
  strike_early(m, out);
  schedule(m, out, [](auto& s, TimePoint t, auto& c) { s.wake(t, c); });
}

void Core::stopping() {
  stopping_ = true;
  engine_.stopping();
}

}  // namespace vsim::core
