#include <algorithm>

#include "engine/impl.hpp"
#include "limits/request_body.hpp"
#include "limits/response_body.hpp"
#include "limits/shared_state.hpp"

namespace vsim::engine {

using event::EndedBy;
using event::Phase;
using event::Traffic;
using limits::Code;

void Engine::compile_started(InvocationId id, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v != nullptr && v->life.compile_started(now)) e.rearm(*v);
}

void Engine::compile_ended(InvocationId id, TimePoint now) {
  // Next is asked to ensure a page before every request; when there is nothing to do it takes a few ms at
  // most, and that is no news.
  constexpr Duration kWorthTelling = std::chrono::milliseconds(20);
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || !v->life.compile_ended(now)) return;
  e.rearm(*v);
  const invocation::CompileMeter& meter = v->life.compile();
  if (!meter.compiling() && now - meter.since() >= kWorthTelling)
    e.emit(
        event::RouteCompiled{v->route.empty() ? v->path() : std::string_view(v->route), now - meter.since()},
        now);
}

void Engine::own_request_waits(InvocationId id, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || !v->life.compile_started(now)) return;
  v->own_requests.start(now);
  e.rearm(*v);
}

void Engine::own_request_goes_on(InvocationId id, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || !v->own_requests.end(now) || !v->life.compile_ended(now)) return;
  e.rearm(*v);
}

void Engine::handler_started(InvocationId id, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr) return;
  e.sight.begun(Engine::Impl::sight_of(*v));
  if (v->life.seen_after_all(now))
    v->init.reset();
  else if (!v->life.handler_started(now))
    return;
  if (v->leased) {
    e.init_over(*v, now);
    v->unserved_before = e.unserved(*v);
  }
  const bool placed = v->leased && !v->life.is<invocation::Lingering>();  // its end is told already else
  if (v->traffic == Traffic::direct)
    v->traffic = Traffic::invocation;  // the head came first, and looked like next dev's own
  if (v->page.empty()) e.identify(*v, e.function_at(v->path()), false, false);  // until the agent names it
  e.rearm(*v);
  if (placed) e.emit_running(*v, now);
}

Code Engine::response_head(InvocationId id, const ResponseInfo& info, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr) return Code::none;
  if (info.status < 200 && info.status != 101) return Code::none;  // interim: the answer is still to come
  // Whatever `direct` says, a request that was dispatched has a function, and one that never was has none.
  const bool function = !e.options.agent || !v->page.empty();
  const bool undecided = !function && v->life.clock() == nullptr;
  if (info.unseen && function && e.limited(*v) && v->life.clock() == nullptr)
    if (const Code late = e.answered_unseen(*v, now); late != Code::none) return late;
  const bool started = function && e.head_starts_clock();
  if (!v->life.response_head(now, info.status, started)) return Code::none;
  v->answered = now;
  if (v->leased) e.init_over(*v, now);
  if (!v->life.client_has_left()) v->status = info.status;
  e.mark_warm(*v);
  if (v->traffic == Traffic::internal) return Code::none;
  if (undecided && v->traffic == Traffic::invocation) v->traffic = Traffic::direct;

  const bool bodiless = v->method == "HEAD" || info.status == 204 || info.status == 304;
  if (info.content_length && !bodiless && v->traffic == Traffic::invocation && !v->life.client_has_left() &&
      !limits::response_body::admits(*v->profile, v->buffered, *info.content_length)) {
    limits::Verdict& verdict =
        v->verdicts.emplace_back(limits::response_body::verdict(*v->profile, *info.content_length, true));
    verdict.route = v->route;
    verdict.file = v->answer_at.empty() ? v->file : v->answer_at;
    if (verdict.enforced) {
      v->status = limits::info(verdict.code).status;
      e.end(*v, {EndedBy::platform, Phase::responding, Code::function_response_payload_too_large},
            e.totals_of(*v), now);
      return Code::function_response_payload_too_large;
    }
  }
  // As the edge writes it: an answer of a function has been in two regions, its own second.
  if (function && info.status != 101 && !v->life.client_has_left()) v->request_id.insert(0, e.id_prefix);
  if (v->kind != routes::to_string(routes::Kind::middleware)) {  // whose answer is not the client's
    e.note_polling(*v, info.status);
    e.note_socket_server(*v, info, function);
    if (e.isolated() && function && limits::shared_state::session_unknown(v->target, info.status))
      e.note_state(*v, limits::shared_state::kSessionUnknown);
  }
  if (v->life.is<invocation::Tunnel>()) {
    v->total = limits::duration::scaled(v->limit.total,
                                        v->time_scale);  // counts from here, without the compile grace
    e.emit(event::SocketOpened{v->id, v->request_id, v->target, v->instance}, now);
    e.note_apart(*v, now);
  }
  e.rearm(*v);
  return Code::none;
}

Code Engine::request_body_over(InvocationId id, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || v->traffic == Traffic::internal || v->body_over) return Code::none;
  v->body_over = true;
  limits::Verdict& verdict =
      v->verdicts.emplace_back(limits::request_body::verdict(*v->profile, std::nullopt));
  verdict.route = v->route;
  verdict.file = v->file;
  // Too late for a 413 when the app has begun to answer, and for nobody when the client is gone.
  if (v->life.head_seen() || v->life.client_has_left()) verdict.enforced = false;
  if (!verdict.enforced) return Code::none;
  v->status = limits::info(verdict.code).status;
  e.end(*v, {EndedBy::platform, Phase::request, Code::function_payload_too_large}, e.totals_of(*v), now);
  return Code::function_payload_too_large;
}

bool Engine::client_left(InvocationId id, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr) return false;
  // On Vercel a function runs on when its client leaves, unless vercel.json says supportsCancellation
  // (facts 1.6). While next dev has not said which function it is, there may be one.
  const bool goes_on = e.limited(*v) && !v->supports_cancellation;
  v->life.client_left(goes_on);
  e.rearm(*v);
  return v->life.is<invocation::Draining>();
}

void Engine::client_half_closed(InvocationId id) {
  if (Invocation* v = impl_->slab.find(id)) v->half_closed = true;
}

Code Engine::upstream_failed(InvocationId id, UpstreamFailure failure, const ExchangeTotals& totals,
                             TimePoint now, WallTime wall, const limits::broken_off::Cause* cause) {
  using limits::broken_off::How;
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr) return Code::none;
  Code code = Code::none;
  if (failure == UpstreamFailure::no_descriptor) {
    v->status = limits::info(Code::sim_out_of_descriptors).status;
    e.end(*v, {EndedBy::emulator, v->life.phase(), Code::sim_out_of_descriptors}, totals, now);
    return Code::sim_out_of_descriptors;
  }
  if (failure != UpstreamFailure::truncated && !v->life.head_seen() && !v->life.client_has_left())
    code = failure == UpstreamFailure::refused && !e.options.agent
               ? Code::router_external_target_connection_error
               : Code::no_response_from_function;
  if (code != Code::none) v->status = limits::info(code).status;
  const bool cut = v->life.head_seen() && !v->life.is<invocation::Tunnel>();
  if (e.limited(*v) && !v->life.client_has_left() && (cut || code == Code::no_response_from_function))
    v->verdicts.push_back(limits::broken_off::verdict(cut                                   ? How::truncated
                                                      : failure == UpstreamFailure::garbage ? How::garbage
                                                                                            : How::nothing,
                                                      cause, v->route, v->file));
  e.end(*v, {EndedBy::app, v->life.phase(), code}, totals, now);
  return code;
}

void Engine::ended(InvocationId id, const ExchangeTotals& totals, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr) return;
  if (v->life.is<invocation::Lingering>()) return;
  // A function that goes on without its client ends by itself if it answers: an aborted upload never gets
  // there.
  const bool went_on = v->life.is<invocation::Draining>() && v->life.head_seen();
  EndedBy by = EndedBy::function;
  if (v->life.is<invocation::Dropped>() || (v->life.client_has_left() && !went_on))
    by = EndedBy::client;
  else if (e.stopping || !v->life.head_seen())
    by = EndedBy::emulator;
  if (v->traffic == Traffic::invocation && v->method != "HEAD" && v->status != 304 &&
      !limits::response_body::admits(*v->profile, v->buffered, totals.bytes_out)) {
    const auto same = [](const limits::Verdict& x) {
      return x.code == Code::function_response_payload_too_large;
    };
    if (std::none_of(v->verdicts.begin(), v->verdicts.end(), same)) {
      limits::Verdict& verdict =
          v->verdicts.emplace_back(limits::response_body::verdict(*v->profile, totals.bytes_out, false));
      verdict.route = v->route;
      verdict.file = v->answer_at.empty() ? v->file : v->answer_at;
    }
  }
  e.end(*v, {by, v->life.phase(), Code::none}, totals, now);
}

}  // namespace vsim::engine
