// What the agent finds out about the app's own code, in words of its own messages.
#include <algorithm>
#include <utility>

#include "engine/impl.hpp"
#include "limits/shared_state.hpp"

namespace vsim::engine {

void Engine::answer_made_at(InvocationId id, std::string_view place) {
  Invocation* v = impl_->slab.find(id);
  if (v != nullptr) v->answer_at.assign(place);
}

void Engine::Impl::tell(Invocation* v, InvocationId id, limits::Verdict verdict, TimePoint now) {
  if (v == nullptr) {
    event::Event event(std::in_place_type<event::BackgroundWork>);
    auto& e = std::get<event::BackgroundWork>(event);
    e.id = id;
    e.route = verdict.route;
    e.file = verdict.file;
    e.verdicts = {&verdict, 1};
    return emit(event, now);
  }
  if (v->life.is<invocation::Lingering>()) return emit_background(*v, verdict, now);
  v->verdicts.push_back(std::move(verdict));
}

void Engine::code_refused(InvocationId id, const limits::CodeRefused& told, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  const std::string_view none;
  e.tell(v, id,
         limits::edge_code::refused(told, v != nullptr ? std::string_view(v->route) : none,
                                    v != nullptr ? std::string_view(v->file) : none),
         now);
}

// What was refused is told each time; what was let through once a route, and a stand-in once a run.
void Engine::machine(InvocationId id, const limits::MachineFact& fact, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr) return;
  const limits::Code code = limits::machine::code_of(fact.kind);
  const std::string what = std::string(limits::info(code).name) + " " + std::string(fact.to);
  if (limits::machine::is_remark(fact)) {
    if (!e.machine_told.tell(what)) return;
    const std::string message = limits::machine::remark(fact);
    event::Notice notice;
    notice.message = message;
    notice.fix = limits::info(code).fix;
    return e.emit(notice, now);
  }
  auto verdict = limits::machine::told(*v->profile, fact, v->route, v->file);
  const auto same = [&](const limits::Verdict& x) { return x.code == code && x.file == verdict.file; };
  if (std::any_of(v->verdicts.begin(), v->verdicts.end(), same)) return;
  if (!fact.refused && !e.machine_told.tell(what + " " + v->route)) return;
  e.tell(v, id, std::move(verdict), now);
}

// Once a route.
void Engine::made_at_build(InvocationId id, const limits::made_at_build::Made& made, TimePoint now,
                           WallTime wall) {
  namespace rule = limits::made_at_build;
  Impl& e = *impl_;
  e.tick(now, wall);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || v->traffic != event::Traffic::prerender) return;
  const auto change = e.made.look(made, v->arrived, now, wall);
  if (!change || !e.made_told.tell(v->route)) return;
  if (!rule::is_remark(made))
    return e.tell(v, id, rule::changed(*v->profile, made, *change, v->route, v->file), now);
  const std::string message = rule::remark(made, *change, v->route);
  event::Notice notice;
  notice.message = message;
  notice.fix = limits::info(limits::Code::sim_made_at_build).fix;
  e.emit(notice, now);
}

void Engine::files_changed(const std::vector<std::string>& files, bool all, TimePoint now) {
  if (all)
    impl_->made.clear(now);
  else
    impl_->made.edited(files);
}

void Engine::revalidated(TimePoint now) { impl_->made.revalidated(now); }

// Once a function and file.
void Engine::not_traced(InvocationId id, const Dispatch& d, const limits::not_traced::Read& read,
                        TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  const routes::Function* f = e.function_of(d);
  const std::string route = route_of(d);
  const std::string name = std::string(limits::info(limits::Code::sim_file_not_traced).name) + " " + route +
                           " " + std::string(read.path);
  if (!e.machine_told.tell(name)) return;
  Invocation* v = e.slab.find(id);
  e.tell(v, id, limits::not_traced::told(e.profile_of(v), read, route, f != nullptr ? f->file : ""), now);
}

void Engine::middleware_left(InvocationId id, std::span<const Hanging> hanging, bool stopped, TimePoint now,
                             WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  if (hanging.empty()) return;
  Invocation* v = e.slab.find(id);
  e.tell(v, id, limits::background::frozen_middleware(e.profile_of(v), stopped, hanging), now);
}

// Where functions run is where middleware would have memory of its own.
void Engine::middleware_state(InvocationId id, const StateReport& report, TimePoint now, WallTime wall) {
  Impl& e = *impl_;
  e.tick(now, wall);
  if (!e.isolated()) return;
  Invocation* v = e.slab.find(id);
  const auto open = [](InvocationId) { return false; };
  for (const StateLoss& loss : e.state.look(report, id, kMiddleware, kMiddleware, open, now)) {
    auto verdict = limits::shared_state::of_middleware(e.profile_of(v), loss.evidence, kMiddleware, loss.at);
    // An earlier request may have met the same instance where those are used again.
    verdict.enforced =
        loss.proven && (!loss.same_process || e.options.isolation == profile::Isolation::invocation);
    e.tell(v, id, std::move(verdict), now);
  }
}

}  // namespace vsim::engine
