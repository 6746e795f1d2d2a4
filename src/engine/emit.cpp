#include <fmt/format.h>

#include <algorithm>

#include "engine/impl.hpp"
#include "limits/polling.hpp"
#include "limits/shared_state.hpp"
#include "limits/socket_server.hpp"

namespace vsim::engine {

void Engine::Impl::tick(TimePoint& now, WallTime wall) {
  tick(now);
  wall_ = wall;
  wall_at = now;
}

void Engine::Impl::tick(TimePoint& now) {
  now_ = std::max(now_, now);
  now = now_;
}

void Engine::Impl::emit(const event::Event& event, TimePoint now) {
  event::Stamp stamp;
  stamp.seq = ++seq;
  stamp.at = now;
  stamp.wall.unix_ms =
      wall_.unix_ms + std::chrono::duration_cast<std::chrono::milliseconds>(now - wall_at).count();
  sink.on_event(stamp, event);
}

void Engine::Impl::end(Invocation& v, const event::Outcome& outcome, const ExchangeTotals& totals,
                       TimePoint now) {
  mark_warm(v);
  if (!v.instance.empty()) init_over(v, now);
  emit_ended(v, outcome, totals, now, v.verdicts);
  if (v.leased && v.life.linger()) {
    ++lingering;
    v.verdicts.clear();
    return rearm(v);
  }
  settle(v, v.hanging, now);
}

void Engine::Impl::drop(Invocation& v) {
  if (v.life.is<invocation::Lingering>()) --lingering;
  deadlines.remove(v.slot);
  slab.release(v);
}

void Engine::Impl::emit_running(const Invocation& v, TimePoint now) {
  emit(event::InvocationRunning{v.id, v.route, v.file, v.instance, v.start, limit_of(v)}, now);
}

void Engine::Impl::emit_ended(const Invocation& v, const event::Outcome& outcome,
                              const ExchangeTotals& totals, TimePoint now,
                              std::span<const limits::Verdict> verdicts) {
  event::Event event(std::in_place_type<event::InvocationEnded>);
  auto& e = std::get<event::InvocationEnded>(event);
  e.id = v.id;
  e.request_id = v.request_id;
  e.method = v.method;
  e.target = v.target;
  e.traffic = v.traffic;
  e.status = v.status;
  e.route = v.route;
  e.file = v.file;
  e.kind = v.kind;
  e.runtime = v.runtime;
  e.total = now - v.arrived;
  e.charged = limited(v) ? v.life.charged(now) : Duration::zero();
  e.own_requests = v.own_requests.total(now);
  e.compile = std::max(v.life.compile().total(now) - e.own_requests, Duration::zero());
  e.instance = v.instance;
  e.start = v.start;
  e.waited = v.waited;
  e.init = v.init.value_or(Duration::zero());
  if (v.answered != TimePoint{}) e.first_byte = v.answered - v.arrived;
  if (v.life.clock() != nullptr || e.charged != Duration::zero()) e.limit = limit_of(v);
  e.bytes_in = totals.bytes_in;
  e.bytes_out = totals.bytes_out;
  e.outcome = outcome;
  e.client_left = v.life.client_has_left() || v.unheard;
  e.origin = v.origin;
  e.verdicts = verdicts;
  emit(event, now);
}

void Engine::Impl::emit_background(const Invocation& v, const limits::Verdict& verdict, TimePoint now) {
  event::Event event(std::in_place_type<event::BackgroundWork>);
  auto& e = std::get<event::BackgroundWork>(event);
  e.id = v.id;
  e.request_id = v.request_id;
  e.route = v.route;
  e.file = v.file;
  e.instance = v.instance;
  e.verdicts = {&verdict, 1};
  emit(event, now);
}

void Engine::Impl::note_polling(Invocation& v, int status) {
  if (v.target.size() <= v.path_size || status < 200 || status > 299) return;
  if (isolated() || v.profile->compute.value != profile::Compute::serverless ||
      !limits::polling::is_session_poll(v.target))
    return;
  if (polling_told.tell(v.path()))
    v.verdicts.push_back(limits::polling::verdict(*v.profile, v.route, v.file));
}

namespace {

// What Next shows where no function has the path.
bool is_error_page(std::string_view page) {
  return page == "/_not-found/page" || page == "/_not-found" || page == "/404" || page == "/_error";
}

}  // namespace

// Once for each path and kind of answer, with and without its slash.
void Engine::Impl::note_socket_server(Invocation& v, const ResponseInfo& info, bool function) {
  const bool upgrade = v.traffic == event::Traffic::socket;
  if ((!upgrade && v.target.size() <= v.path_size) || v.life.client_has_left()) return;
  limits::socket_server::FunctionAnswer answer;
  answer.upgrade = upgrade;
  answer.status = info.status;
  answer.method = v.method;
  answer.target = v.target;
  answer.content_type = info.content_type;
  answer.location = info.location;
  answer.empty = info.content_length == 0U;
  if (function && !is_error_page(v.page)) {
    answer.kind = v.kind;
    answer.route = v.route;
    answer.file = v.file;
  }
  auto verdict = limits::socket_server::verdict(*v.profile, answer);
  if (!verdict) return;
  std::string_view path = v.path();
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (no_server_told.tell(fmt::format("{} {} {}", path, info.status, upgrade)))
    v.verdicts.push_back(std::move(*verdict));
}

void Engine::Impl::note_state(Invocation& v, std::string_view evidence) {
  const auto same = [](const limits::Verdict& x) { return x.code == limits::Code::sim_state_not_shared; };
  if (std::none_of(v.verdicts.begin(), v.verdicts.end(), same))
    v.verdicts.push_back(limits::shared_state::verdict(*v.profile, v.isolation, evidence, v.route, v.file));
}

// Two sockets of one route on two instances: a room in memory has them both in it only in `next dev`. A
// remark and no verdict, since nobody can see from outside whether the app keeps its rooms in memory or in a
// store that all instances share.
void Engine::Impl::note_apart(const Invocation& v, TimePoint now) {
  if (v.instance.empty() || v.route.empty() || !apart_told.may_tell(v.route)) return;
  const Invocation* other = slab.find_if([&](const Invocation& o) {
    return o.route == v.route && o.instance != v.instance && !o.instance.empty() &&
           o.life.is<invocation::Tunnel>();
  });
  if (other == nullptr) return;
  apart_told.tell(v.route);
  const std::string message = fmt::format(
      "{} has sockets open on {} and on {}: what one of them keeps in memory, such as a room or a list of "
      "clients, "
      "the other does not have",
      v.route, other->instance, v.instance);
  event::Notice notice;
  notice.level = event::Level::warning;
  notice.code = limits::info(limits::Code::sim_state_not_shared).name;
  notice.message = message;
  notice.fix = limits::info(limits::Code::sim_state_not_shared).fix;
  notice.file = v.file;
  emit(notice, now);
}

}  // namespace vsim::engine
