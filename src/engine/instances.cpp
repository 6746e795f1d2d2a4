// Where an invocation runs: what the shell tells of its instance.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/impl.hpp"
#include "limits/shared_state.hpp"

namespace vsim::engine {

using event::EndedBy;
using limits::Code;

namespace {

EndedBy ended_by(Code code, bool asked = false) {
  if (asked) return EndedBy::emulator;
  switch (code) {
    case Code::sim_not_ready:
    case Code::sim_out_of_descriptors:
      return EndedBy::emulator;
    case Code::function_invocation_failed:
    case Code::no_response_from_function:
    case Code::middleware_invocation_failed:
      return EndedBy::app;
    default:
      return EndedBy::platform;
  }
}

limits::instance_end::Begun begun(const invocation::InvocationLifecycle& life) {
  using limits::instance_end::Begun;
  if (life.is<invocation::Tunnel>()) return Begun::socket;
  return life.head_seen() ? Begun::answer : Begun::nothing;
}

}  // namespace

void Engine::set_next(std::string_view version) { impl_->next_version = version; }
bool Engine::doubt(std::string_view hook) { return impl_->sight.doubt(hook); }

bool Engine::begun_unseen(InvocationId id) const {
  const Invocation* v = impl_->slab.find(id);
  return v != nullptr && impl_->limited(*v) && impl_->sight.from_placement(impl_->sight_of(*v));
}

void Engine::Impl::begins_unseen(Invocation& v) {
  if (v.life.started_unseen(v.placed_at, v.compiled_before_placed) && v.leased) v.init = Duration::zero();
}

Code Engine::Impl::answered_unseen(Invocation& v, TimePoint now) {
  const std::string_view kind = sight_of(v);
  if (sight.unseen(kind)) {
    const std::string message = fmt::format(
        "{} has answered and nobody saw it begin: this Next ({}) calls such functions past the place that "
        "vercel-sim knows ({}). They are charged from their placement on, the evaluation of modules included",
        v.route.empty() ? v.path() : std::string_view(v.route), next_version, Sight::hook_of(kind));
    event::Notice notice;
    notice.level = event::Level::error;
    notice.code = limits::instance_end::kHandlerNotSeen;
    notice.message = message;
    notice.fix =
        "use a newer vercel-sim or a Next that it knows (`vercel-sim doctor`), and please report it; until "
        "then `vercel-sim test` ends with 70";
    notice.file = v.file;
    emit(notice, now);
  }
  begins_unseen(v);
  if (v.life.clock() == nullptr || v.life.compile().compiling() || v.life.client_has_left())
    return Code::none;
  const auto in_time = [&] { return v.life.charged(now) < std::min(v.first_byte, v.total); };
  if (in_time() || (forgives(v, now) && in_time())) return Code::none;
  const Code late = named(Code::function_invocation_timeout, v);
  v.verdicts.push_back(duration_verdict(v, false, now));
  v.status = limits::info(late).status;
  v.leased = false;  // as at a deadline
  end(v, {EndedBy::platform, v.life.phase(), late}, totals_of(v), now);
  return late;
}

std::optional<DispatchedFunction> Engine::function(InvocationId id) const {
  const Invocation* v = impl_->slab.find(id);
  if (v == nullptr || v->page.empty()) return std::nullopt;
  DispatchedFunction f;
  f.page = v->page;
  f.route = v->route;
  f.file = v->file;
  f.kind = v->kind;
  f.edge = v->runtime == routes::to_string(routes::Runtime::edge);
  f.is_static = v->traffic == event::Traffic::prerender;
  f.supports_cancellation = v->supports_cancellation;
  f.max_duration = v->limit.total;
  f.deadline = f.is_static ? kForever : v->total;
  return f;
}

void Engine::placed(InvocationId id, std::string_view instance, std::string_view start, Duration waited,
                    TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || v->leased || v->life.is<invocation::Lingering>()) return;
  if (v->life.is<invocation::Passing>() || v->life.is<invocation::Dropped>()) return;  // no function
  v->instance.assign(instance);
  v->start.assign(start);
  v->waited += waited;
  v->placed_at = now;
  v->compiled_before_placed = v->life.compile().total(now);
  v->init.reset();
  v->leased = true;
  v->unserved_before = e.unserved(*v);
  const bool unseen = begun_unseen(id);
  if (unseen) e.begins_unseen(*v);
  e.rearm(*v);
  if (unseen) e.emit_running(*v, now);
}

// From the first call of the handler on time is charged; what came before, and was no compile, is the
// instance's start and the evaluation of modules.
void Engine::Impl::init_over(Invocation& v, TimePoint now) {
  if (v.init) return;
  v.init = (now - v.placed_at) - (v.life.compile().total(now) - v.compiled_before_placed);
}

Code Engine::not_placed(InvocationId id, Code code, Duration waited, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || v->leased || v->life.is<invocation::Lingering>()) return Code::none;
  v->waited += waited;
  code = Engine::Impl::named(code, *v);
  const bool answerable = !v->life.head_seen() && !v->life.client_has_left();
  if (answerable) v->status = limits::info(code).status;
  if (code != Code::sim_not_ready)
    v->verdicts.push_back(limits::instance_end::not_placed(code, v->waited, v->route, v->file));
  e.end(*v, {ended_by(code), v->life.phase(), code}, e.totals_of(*v), now);
  return answerable ? code : Code::none;
}

void Engine::again(InvocationId id, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || !v->life.again()) return;
  v->leased = false;
  v->hanging.clear();
  v->page.clear();  // so that the same page, dispatched again, is news
  e.rearm(*v);
}

Code Engine::instance_lost(InvocationId id, const limits::instance_end::Loss& of,
                           const ExchangeTotals& totals, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr) return Code::none;
  limits::instance_end::Loss loss = of;
  const Code code = loss.code = Engine::Impl::named(of.code, *v);
  v->leased = false;
  const bool told = code != Code::none && code != Code::sim_not_ready && e.limited(*v);
  if (v->life.is<invocation::Lingering>()) {
    if (v->expiring)
      e.settle(*v, {}, now);
    else if (told)
      e.emit_background(*v, limits::instance_end::lost(loss, v->instance, v->route, v->file), now);
    if (e.slab.find(id) == v) e.drop(*v);
    return Code::none;
  }
  const bool answerable = code != Code::none && !v->life.head_seen() && !v->life.client_has_left();
  if (answerable) v->status = limits::info(code).status;
  if (code != Code::none && code != Code::sim_not_ready)
    v->verdicts.push_back(limits::instance_end::lost(loss, v->instance, v->route, v->file, begun(v->life),
                                                     e.sight.ever(Engine::Impl::sight_of(*v))));
  e.end(*v, {code == Code::none ? EndedBy::client : ended_by(code, loss.asked), v->life.phase(), code},
        totals, now);
  return answerable ? code : Code::none;
}

void Engine::released(InvocationId id, std::span<const Hanging> hanging, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || !v->leased) return;
  v->leased = false;
  if (v->life.is<invocation::Lingering>()) return e.settle(*v, hanging, now);
  v->hanging.assign(hanging.begin(), hanging.end());
  e.init_over(*v, now);
  v->life.stop_clock(now);
  e.rearm(*v);
}

// An interval at one line is one mistake, however many invocations and instances run it.
bool Engine::Impl::told_interval(std::span<const Hanging> hanging) {
  constexpr std::size_t kMostPlaces = 256;
  if (!limits::background::only_intervals(hanging)) return false;
  bool news = false;
  for (const Hanging& h : hanging) {
    if (h.at.empty() || intervals_told.size() >= kMostPlaces) return false;
    news |= intervals_told.insert(h.at).second;
  }
  return !news;
}

void Engine::Impl::settle(Invocation& v, std::span<const Hanging> hanging, TimePoint now) {
  if (v.expiring) {
    limits::Verdict verdict = duration_verdict(v, false, now);
    verdict.measured += " with waitUntil work, which was cancelled";
    if (!hanging.empty()) verdict.measured += ": " + limits::background::list(hanging);
    verdict.file = std::string(limits::background::place(hanging, verdict.file));
    emit_background(v, verdict, now);
  } else if (!hanging.empty() && limited(v) && !told_interval(hanging)) {
    emit_background(
        v,
        limits::background::frozen(*v.profile, v.isolation, options.freezes_idle, hanging, v.route, v.file),
        now);
  }
  drop(v);
}

void Engine::kept_on_server(InvocationId id, std::string_view name, TimePoint now, WallTime wall) {
  constexpr std::size_t kMostRemembered = 256;
  Impl& e = *impl_;
  const Invocation* v = e.slab.find(id);
  if (v == nullptr || v->instance.empty()) return;
  std::string key = v->route;
  key.append("\n").append(name);
  const auto known = e.kept_on_server.find(key);
  if (known == e.kept_on_server.end()) {
    if (e.kept_on_server.size() < kMostRemembered) e.kept_on_server.emplace(std::move(key), v->instance);
    return;
  }
  const std::string first = std::exchange(known->second, v->instance);
  if (first == v->instance) return;
  state_not_shared(id,
                   fmt::format("res.socket.server.{} was made again on {}: {} has its own, and nothing of it "
                               "is seen here",
                               name, v->instance, first),
                   now, wall);
}

void Engine::code_changed() {
  impl_->kept_on_server.clear();
  impl_->state.clear();
  impl_->intervals_told.clear();
  impl_->no_server_told.clear();
}

void Engine::module_state(InvocationId id, const StateReport& report, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || v->instance.empty() || !e.limited(*v)) return;
  const auto runs = [&](InvocationId other) {
    const Invocation* o = other == InvocationId::none ? nullptr : e.slab.find(other);
    return o != nullptr && !o->life.is<invocation::Lingering>();
  };
  for (const StateLoss& loss : e.state.look(report, id, v->route, v->instance, runs, now)) {
    const std::string_view at = loss.at.empty() ? std::string_view(v->file) : loss.at;
    limits::Verdict verdict =
        loss.with_middleware
            ? limits::shared_state::of_middleware(*v->profile, loss.evidence, v->route, at)
            : limits::shared_state::verdict(*v->profile, v->isolation, loss.evidence, v->route, at);
    verdict.enforced = loss.proven;
    if (v->life.is<invocation::Lingering>())
      e.emit_background(*v, verdict, now);
    else
      v->verdicts.push_back(std::move(verdict));
  }
}

void Engine::connections(InvocationId id, const limits::connections::HeldConnections& held, TimePoint now,
                         WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || v->instance.empty() || held.to.empty()) return;
  e.connections.note(v->instance, held);
  const auto sum = e.connections.sum(held.to);
  if (!held.refusal.empty()) {
    const std::size_t others = sum.instances - (held.count > 0 ? 1 : 0);
    if (others == 0 || !e.limited(*v)) return;  // one process would hold as many
    const auto same = [](const limits::Verdict& x) { return x.code == Code::sim_connections_refused; };
    if (std::any_of(v->verdicts.begin(), v->verdicts.end(), same)) return;
    v->verdicts.push_back(limits::connections::refused(*v->profile, sum, held, v->route, v->file));
    if (v->life.is<invocation::Lingering>()) e.emit_background(*v, v->verdicts.back(), now);
    return;
  }
  if (sum.instances < 2 || !e.connections_told.tell(held.to)) return;
  const std::string message = limits::connections::words(sum, held.to) +
                              (held.at.empty() ? "" : ", opened at " + held.at) +
                              ": each instance has a pool of its own";
  event::Notice notice;
  notice.message = message;
  notice.fix = limits::info(Code::sim_connections_refused).fix;
  e.emit(notice, now);
}

void Engine::state_not_shared(InvocationId id, std::string_view evidence, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || !e.limited(*v)) return;
  if (!v->life.is<invocation::Lingering>()) return e.note_state(*v, evidence);
  event::Notice notice;
  notice.level = event::Level::warning;
  notice.code = limits::info(Code::sim_state_not_shared).name;
  notice.message = evidence;
  notice.fix = limits::info(Code::sim_state_not_shared).fix;
  notice.file = v->file;
  e.emit(notice, now);
}

}  // namespace vsim::engine
