#include <algorithm>

#include "engine/classify.hpp"
#include "engine/impl.hpp"
#include "limits/header_size.hpp"
#include "limits/method.hpp"
#include "limits/request_body.hpp"
#include "limits/url_length.hpp"
#include "limits/websocket.hpp"

namespace vsim::engine {

using event::Traffic;
using limits::Code;

Invocation* Engine::Impl::take(const RequestInfo& r, const RequestTag& tag, TimePoint now) {
  Invocation* v = slab.acquire();
  if (v == nullptr) return nullptr;
  v->arrived = now;
  v->request_id.assign(id_prefix).append(tag.view());
  v->method.assign(r.method);
  v->target.assign(r.target);
  v->origin.assign(r.origin);
  v->profile = profile;
  v->isolation = options.isolation;
  v->time_scale = options.time_scale;
  v->path_size = static_cast<std::uint32_t>(std::min(r.path.size(), r.target.size()));
  return v;
}

// Over at once: nothing is kept, and there is no id.
void Engine::Impl::refuse(Admission& a, const RequestInfo& r, limits::Verdict verdict, TimePoint now,
                          int status, Traffic traffic) {
  a.action = Action::refuse;
  a.error = verdict.code;
  a.error_status = status;
  const routes::Function* f = function_at(r.path);
  if (f != nullptr) {
    verdict.route = f->route;
    verdict.file = f->file;
  }
  const std::string request_id = id_prefix + std::string(a.tag.view());
  event::InvocationEnded e;
  e.id = InvocationId::none;
  e.request_id = request_id;
  e.method = r.method;
  e.target = r.target;
  e.traffic = traffic;
  e.status = status != 0 ? status : limits::info(a.error).status;
  if (f != nullptr) {
    e.route = f->route;
    e.file = f->file;
    e.kind = routes::to_string(f->kind);
    e.runtime = routes::to_string(f->runtime);
  }
  e.outcome = {event::EndedBy::platform, event::Phase::request, a.error};
  e.origin = r.origin;
  e.verdicts = {&verdict, 1};
  emit(e, now);
}

Admission Engine::admit(const RequestInfo& r, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  const profile::Profile& p = *e.profile;
  Admission a;
  a.tag = make_request_tag(e.rng, wall);

  const auto full = [&] {
    limits::Verdict v;
    v.code = Code::function_throttled;
    v.limit_key = "concurrency";
    v.limit = std::to_string(invocation::Slab::kMost);
    v.measured = "more at the same time";
    e.refuse(a, r, std::move(v), now);
    return a;
  };

  if (is_dev_internal(r.path)) {
    Invocation* v = e.take(r, a.tag, now);
    if (v == nullptr) return full();
    v->traffic = Traffic::internal;
    v->life.begin(invocation::Passing{});
    a.action = Action::passthrough;
    a.id = v->id;
    return a;
  }

  namespace lim = limits;
  const auto refuse = [&](lim::Verdict verdict, int status = 0, Traffic traffic = Traffic::invocation) {
    e.refuse(a, r, std::move(verdict), now, status, traffic);
    return a;
  };
  if (auto over = lim::judge(p, r)) return refuse(std::move(*over));
  const bool body_ok = lim::request_body::admits(p, r.content_length);
  if (!body_ok && lim::request_body::enforced(p))
    return refuse(lim::request_body::verdict(p, r.content_length));

  const auto socket = r.websocket_upgrade ? lim::websocket::answer(p) : lim::websocket::UpgradeAnswer::as_get;
  if (r.websocket_upgrade && socket == lim::websocket::UpgradeAnswer::refuse)
    return refuse(lim::websocket::verdict(p, {}, {}), p.websocket_refusal_status.value, Traffic::socket);

  Invocation* v = e.take(r, a.tag, now);
  if (v == nullptr) return full();
  a.id = v->id;
  a.body_limit = lim::request_body::meter(p, r.chunked);
  if (!body_ok) v->verdicts.push_back(lim::request_body::verdict(p, r.content_length));

  const bool tunnel = r.websocket_upgrade && socket == lim::websocket::UpgradeAnswer::tunnel;
  const bool drop = r.websocket_upgrade && socket == lim::websocket::UpgradeAnswer::drop;
  if (r.websocket_upgrade) v->traffic = Traffic::socket;
  // An agent will name the function of a plain request; it is not asked about a socket.
  if (!e.options.agent || tunnel || drop) {
    const routes::Function* f = e.function_at(r.path);
    const bool grace = !e.options.agent && e.options.compile_grace > Duration::zero();
    e.identify(*v, f, false, grace);
  }
  if (r.websocket_upgrade && !tunnel) v->verdicts.push_back(lim::websocket::verdict(p, v->route, v->file));

  const invocation::ChargedClock clock{now, Duration::zero()};
  if (drop) {
    a.action = Action::drop;
    v->life.begin(invocation::Dropped{});
  } else if (tunnel) {
    a.action = Action::tunnel;
    v->life.begin(invocation::Upgrading{e.options.agent ? std::nullopt : std::optional(clock)});
  } else {
    a.action = r.websocket_upgrade ? Action::as_get : Action::forward;
    v->life.begin(e.options.agent ? invocation::InvocationState(invocation::Routing{})
                                  : invocation::InvocationState(invocation::Running{clock}));
  }
  e.emit(event::InvocationStarted{v->id, v->request_id, v->method, v->target}, now);
  e.rearm(*v);
  return a;
}

RequestTag Engine::reject_malformed(Code code, const limits::Head& head, TimePoint now, WallTime wall,
                                    int status) {
  Impl& e = *impl_;
  e.tick(now, wall);
  const RequestTag tag = make_request_tag(e.rng, wall);
  const std::string request_id = e.id_prefix + std::string(tag.view());
  event::InvocationEnded ended;
  ended.id = InvocationId::none;
  ended.request_id = request_id;
  ended.method = head.method;
  ended.target = head.target;
  ended.status = status != 0 ? status : limits::info(code).status;
  // The codec's own bounds lie above the profile's: what passes them has passed these. Which one it was is
  // known as far as the codec has read.
  std::optional<limits::Verdict> verdict = limits::judge(*e.profile, head);
  if (verdict && verdict->code != code) verdict.reset();
  const bool known = verdict && code != Code::request_header_too_large;
  if (!verdict && code == Code::url_too_long)
    verdict = limits::url_length::verdict(*e.profile, head.target.size());
  else if (!verdict && code == Code::request_header_too_large)
    verdict = limits::header_size::verdict(*e.profile, 0, 0);
  else if (!verdict && code == Code::invalid_request_method)
    verdict = limits::method::verdict(head.method);
  if (verdict) {
    if (!known && code != Code::invalid_request_method) verdict->measured = "more";
    ended.verdicts = {&*verdict, 1};
  }
  const bool ours = code == Code::sim_host_not_allowed || code == Code::sim_origin_not_allowed;
  ended.outcome = {verdict ? event::EndedBy::platform
                   : ours  ? event::EndedBy::emulator
                           : event::EndedBy::client,
                   event::Phase::request, code};
  e.emit(ended, now);
  return tag;
}

}  // namespace vsim::engine
