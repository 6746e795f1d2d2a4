#include "core/core.hpp"

#include <algorithm>
#include <iterator>

namespace vsim::core {

using limits::Code;
using Kind = RequestCommand::Kind;

std::string_view name(const Passage::Where& where) {
  static constexpr std::string_view kNames[] = {"at app",        "queued",        "unanswered",
                                                "passed on",     "answering",     "cause awaited",
                                                "socket closed", "after response"};
  static_assert(std::size(kNames) == std::variant_size_v<Passage::Where>, "a place has no name");
  return kNames[where.index()];
}

std::string_view name(const Passage::Seat& seat) {
  static constexpr std::string_view kNames[] = {"vacant", "held", "given back", "lost"};
  static_assert(std::size(kNames) == std::variant_size_v<Passage::Seat>, "a seat has no name");
  return kNames[seat.index()];
}

Core::Core(engine::Engine& engine) : engine_(engine) {
  engine_.set_totals_reader(
      [](void* self, InvocationId id) { return static_cast<const Core*>(self)->totals_of(id); }, this);
}

void Core::set_totals_reader(ExchangeTotals (*read)(void*, InvocationId), void* shell) {
  read_totals_ = read;
  shell_ = shell;
}

ExchangeTotals Core::totals_of(InvocationId id) const {
  if (const auto it = passages_.find(id); it != passages_.end())
    if (const auto* closed = std::get_if<Passage::SocketClosed>(&it->second.where)) return closed->totals;
  return read_totals_ != nullptr ? read_totals_(shell_, id) : ExchangeTotals{};
}

Core::Entry* Core::entry(InvocationId id) {
  const auto it = passages_.find(id);
  return it == passages_.end() ? nullptr : &*it;
}

Passage* Core::find(InvocationId id) {
  Entry* e = entry(id);
  return e == nullptr ? nullptr : &e->second;
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
  const auto it = passages_.find(id);
  return it == passages_.end() ? InvocationId::none : it->second.parent;
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
  if (Passage* p = find(id); p != nullptr && !p->is<Passage::AfterResponse>()) hold_callers(*p, now);
}

void Core::compile_ended(InvocationId id, TimePoint now) {
  engine_.compile_ended(id, now);
  if (Passage* p = find(id); p != nullptr && !p->is<Passage::Queued>()) let_callers_go(*p, now);
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

void Core::forget(InvocationId id, TimePoint now) {
  Entry* e = entry(id);
  set(*e, Passage::AtApp{});
  let_callers_go(e->second, now);
  passages_.erase(id);
}

// What was told of the instance while the exchange went on, now that it is over.
void Core::over(Entry& e, TimePoint now, WallTime wall, Commands& out) {
  const InvocationId id = e.first;
  Passage& p = e.second;
  if (p.held()) {
    let_callers_go(p, now);
    return set(e, Passage::AfterResponse{});
  }
  if (p.is<Passage::Queued>()) out.push_back({Kind::withdraw, id});
  if (const auto* g = std::get_if<Passage::GivenBack>(&p.seat)) engine_.released(id, g->hanging, now, wall);
  if (const auto* l = std::get_if<Passage::Lost>(&p.seat)) engine_.instance_lost(id, l->loss, {}, now, wall);
  forget(id, now);
}

void Core::finish(Entry& e, Code code, TimePoint now, WallTime wall, Commands& out) {
  out.push_back({code == Code::none ? Kind::cut : Kind::answer, e.first, code});
  over(e, now, wall, out);
}

// --- Its way to an instance

void Core::queued(InvocationId id, TimePoint now) {
  Entry& e = *passages_.try_emplace(id).first;
  set(e, Passage::Queued{});
  hold_callers(e.second, now);
}

bool Core::placed(InvocationId id, std::string_view instance, std::string_view start, Duration waited,
                  TimePoint now, Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.is<Passage::Queued>()) return false;
  let_callers_go(e->second, now);
  engine_.placed(id, instance, start, waited, now);
  set(*e, Passage::Unanswered{});
  e->second.seat = Passage::Held{};
  e->second.broken_off.reset();
  if (engine_.begun_unseen(id))
    out.push_back({Kind::begin, id});  // nobody will tell that its modules are there
  return true;
}

void Core::refused(InvocationId id, Code code, Duration waited, TimePoint now, WallTime wall, Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.is<Passage::Queued>()) return;
  const Code answer = engine_.not_placed(id, code, waited, now, wall);
  set(*e, Passage::AtApp{});
  finish(*e, answer, now, wall, out);
}

void Core::passed_on(InvocationId id) {
  if (Entry* e = entry(id); e != nullptr && e->second.is<Passage::Unanswered>()) set(*e, Passage::PassedOn{});
}

void Core::again(InvocationId id, TimePoint now) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.is<Passage::PassedOn>()) return;
  set(*e, Passage::AtApp{});
  e->second.seat = Passage::Vacant{};
  e->second.broken_off.reset();
  engine_.again(id, now);
}

bool Core::on_instance(InvocationId id) const {
  const auto it = passages_.find(id);
  return it != passages_.end() && it->second.on_instance();
}

// --- Its connection

Code Core::response_head(InvocationId id, const engine::ResponseInfo& info, TimePoint now, WallTime wall,
                         Commands& out) {
  Entry* e = entry(id);
  const bool interim = info.status < 200 && info.status != 101;
  if (e != nullptr && !interim && e->second.is<Passage::Unanswered>()) {
    set(*e, Passage::Answering{info.status == 101});
    out.push_back({Kind::begin, id});
  }
  const Code replaced = engine_.response_head(id, info, now);
  if (e == nullptr) return replaced;
  Passage& p = e->second;
  if (replaced != Code::none) {
    if (p.held() && !engine_.knows(id)) {  // as at a deadline: what runs on is nobody's
      p.seat = Passage::Vacant{};
      out.push_back({Kind::take_back, id});
    }
    over(*e, now, wall, out);
  } else if (auto* given = std::get_if<Passage::GivenBack>(&p.seat);
             given != nullptr && p.is<Passage::Answering>()) {
    engine_.released(id, given->hanging, now, wall);
    p.seat = Passage::Vacant{};
  }
  return replaced;
}

Code Core::request_body_over(InvocationId id, TimePoint now, WallTime wall, Commands& out) {
  const Code code = engine_.request_body_over(id, now);
  if (Entry* e = entry(id); e != nullptr && code != Code::none) over(*e, now, wall, out);
  return code;
}

Core::FailedConnection Core::connection_failed(InvocationId id, UpstreamFailure failure,
                                               const ExchangeTotals& totals, TimePoint now, WallTime wall,
                                               Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr) return {false, engine_.upstream_failed(id, failure, totals, now, wall)};
  Passage& p = e->second;
  if (p.held() && !p.broken_off) {
    wait(*e, Passage::CauseAwaited{failure, now + kCausePatience}, now + kCausePatience);
    return {true, Code::none};
  }
  Code code = Code::none;
  if (const auto* l = std::get_if<Passage::Lost>(&p.seat)) {
    code = engine_.instance_lost(id, l->loss, totals, now, wall);
    p.seat = Passage::Vacant{};
  } else {
    code = engine_.upstream_failed(id, failure, totals, now, wall, p.broken_off ? &*p.broken_off : nullptr);
  }
  over(*e, now, wall, out);
  return {false, code};
}

void Core::ended(InvocationId id, const ExchangeTotals& totals, TimePoint now, WallTime wall, Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr) return engine_.ended(id, totals, now, wall);
  const auto* answering = std::get_if<Passage::Answering>(&e->second.where);
  if (answering != nullptr && answering->socket && !stopping_) {
    wait(*e, Passage::SocketClosed{totals, now + kCausePatience}, now + kCausePatience);
    if (!e->second.held()) cause_known(*e, now, wall, out);
    return;
  }
  engine_.ended(id, totals, now, wall);
  over(*e, now, wall, out);
}

// --- Its instance

// Nobody has more to tell of a connection that has ended, or who could has had the time.
void Core::cause_known(Entry& e, TimePoint now, WallTime wall, Commands& out) {
  const InvocationId id = e.first;
  Passage& p = e.second;
  const auto* lost = std::get_if<Passage::Lost>(&p.seat);
  if (const auto* closed = std::get_if<Passage::SocketClosed>(&p.where)) {
    const ExchangeTotals totals = closed->totals;
    if (lost != nullptr)
      engine_.instance_lost(id, lost->loss, totals, now, wall);
    else
      engine_.ended(id, totals, now, wall);
    if (lost != nullptr) p.seat = Passage::Vacant{};
    return over(e, now, wall, out);
  }
  if (const auto* broken = std::get_if<Passage::CauseAwaited>(&p.where)) {
    const ExchangeTotals totals = totals_of(id);
    const Code code = lost != nullptr ? engine_.instance_lost(id, lost->loss, totals, now, wall)
                                      : engine_.upstream_failed(id, broken->failure, totals, now, wall,
                                                                p.broken_off ? &*p.broken_off : nullptr);
    if (lost != nullptr) p.seat = Passage::Vacant{};
    finish(e, code, now, wall, out);
  }
}

void Core::done(InvocationId id, const std::vector<Hanging>& hanging, TimePoint now, WallTime wall,
                Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.held()) return;
  Passage& p = e->second;
  if (p.is<Passage::Answering>() || p.is<Passage::AfterResponse>()) {
    p.seat = Passage::Vacant{};
    engine_.released(id, hanging, now, wall);
    if (p.is<Passage::AfterResponse>()) forget(id, now);
    return;
  }
  p.seat = Passage::GivenBack{hanging};  // told when its answer was read: that may be "try the next route"
  cause_known(*e, now, wall, out);       // a broken connection has not died of it
}

void Core::lost(InvocationId id, const limits::instance_end::Loss& loss, TimePoint now, WallTime wall,
                Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.held()) return;
  e->second.seat = Passage::Lost{loss};
  if (e->second.is<Passage::AfterResponse>()) return over(*e, now, wall, out);  // its waitUntil work
  // Else its connection ends by itself, behind what the instance had still said.
  cause_known(*e, now, wall, out);
}

void Core::crashed(InvocationId id, const limits::instance_end::Loss& loss, TimePoint now, WallTime wall,
                   Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.held()) return;
  const Passage& p = e->second;
  if (p.is<Passage::Unanswered>() || p.is<Passage::PassedOn>() || p.is<Passage::Answering>())
    wait(*e, Passage::CauseAwaited{UpstreamFailure::reset, now}, now);
  lost(id, loss, now, wall, out);
}

void Core::broken_off(InvocationId id, limits::broken_off::Cause cause, TimePoint now, WallTime wall,
                      Commands& out) {
  Entry* e = entry(id);
  if (e == nullptr || !e->second.held() || e->second.is<Passage::AfterResponse>()) return;
  e->second.broken_off = std::move(cause);
  cause_known(*e, now, wall, out);  // if its connection has ended already
}

// --- Time

std::optional<TimePoint> Core::next_wakeup() const {
  std::optional<TimePoint> next = engine_.next_wakeup();
  if (!waits_.empty()) next = next ? std::min(*next, waits_.begin()->first) : waits_.begin()->first;
  return next;
}

// The engine has ended it, or its waitUntil work.
void Core::strike(const engine::ExchangeCommand& command, TimePoint now, Commands& out) {
  using Struck = engine::ExchangeCommand::Kind;
  Entry* e = entry(command.id);
  if (command.kind == Struck::expire) {
    if (e == nullptr || !e->second.held()) return;
    wait(*e, Passage::AfterResponse{now + kExpirePatience}, now + kExpirePatience);
    return out.push_back({Kind::expire, command.id});
  }
  if (e == nullptr || !e->second.is<Passage::SocketClosed>()) {
    const Kind kind = command.kind == Struck::answer_error ? Kind::answer
                      : command.kind == Struck::cut_tunnel ? Kind::cut_tunnel
                                                           : Kind::limit;
    out.push_back({kind, command.id, command.code});
  }
  if (e == nullptr) return;
  if (e->second.held()) out.push_back({Kind::take_back, command.id});
  if (e->second.is<Passage::Queued>()) out.push_back({Kind::withdraw, command.id});
  forget(command.id, now);
}

void Core::wake(TimePoint now, WallTime wall, Commands& out) {
  struck_.clear();
  engine_.wake(now, wall, struck_);
  for (const engine::ExchangeCommand& command : struck_) strike(command, now, out);
  while (!waits_.empty() && waits_.begin()->first <= now) {
    Entry& e = *entry(waits_.begin()->second);
    if (!e.second.is<Passage::AfterResponse>()) {
      cause_known(e, now, wall, out);
      continue;
    }
    out.push_back({Kind::take_back, e.first});
    forget(e.first, now);
  }
}

void Core::stopping() {
  stopping_ = true;
  engine_.stopping();
}

}  // namespace vsim::core
