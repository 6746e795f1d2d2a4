#include "engine/impl.hpp"
#include "routes/app_path.hpp"

namespace vsim::engine {
namespace {

bool is_buffered(routes::Kind kind, bool edge) {
  return !edge && (kind == routes::Kind::pages || kind == routes::Kind::pages_api);
}

}  // namespace

const routes::Function* Engine::Impl::function_at(std::string_view path) {
  return routes != nullptr ? routes->match(path) : nullptr;
}

const routes::Function* Engine::Impl::function_of(const Dispatch& d) {
  constexpr std::size_t kMostRemembered = 10'000;
  if (routes == nullptr) return nullptr;
  const auto known = pages.find(d.page);
  if (known != pages.end() && known->second.kind == d.kind) return known->second.function;
  const routes::Function* found = routes->find_page(d.page, d.kind);
  if (known != pages.end())
    known->second = {d.kind, found};
  else if (pages.size() < kMostRemembered)
    pages.emplace(d.page, Page{d.kind, found});
  return found;
}

std::string Engine::route_of(const Dispatch& d) const {
  if (d.page.empty()) return {};
  const routes::Function* f = impl_->function_of(d);
  return f != nullptr ? f->route : routes::normalize_app_page(d.page);
}

void Engine::Impl::identify(Invocation& v, const routes::Function* f, bool edge, bool with_grace) {
  limits::duration::Ask ask;
  ask.edge = edge;
  v.config_file.clear();
  v.config_line = 0;
  if (f != nullptr) {
    v.route.assign(f->kind == routes::Kind::middleware ? kMiddleware : std::string_view(f->route));
    v.file.assign(f->file);
    v.kind = routes::to_string(f->kind);
    v.supports_cancellation = f->supports_cancellation;
    ask.edge = edge || f->runtime == routes::Runtime::edge;
    if (f->max_duration) {
      ask.max = f->max_duration->max;
      if (!ask.max) ask.value = f->max_duration->value;
      v.config_file.assign(f->max_duration->file);
      v.config_line = f->max_duration->line;
    }
    v.runtime = routes::to_string(ask.edge ? routes::Runtime::edge : routes::Runtime::nodejs);
    v.buffered = is_buffered(f->kind, ask.edge);
    // Of whatever runtime. Its own limit is documented nowhere, that of the runtime that it had alone is.
    if (f->kind == routes::Kind::middleware) ask.edge = true;
  }
  v.limit = limits::duration::limit_for(*v.profile, ask);
  v.first_byte = limits::duration::scaled(v.limit.first_byte, v.time_scale);
  v.total = limits::duration::scaled(v.limit.total, v.time_scale);
  v.cold = with_grace && is_cold(v);
  if (v.cold) {
    const auto longer = [&](Duration d) {
      return d >= kForever - options.compile_grace ? kForever : d + options.compile_grace;
    };
    v.first_byte = longer(v.first_byte);
    v.total = longer(v.total);
  }
}

limits::Code Engine::Impl::named(limits::Code code, const Invocation& v) {
  using limits::Code;
  if (v.kind != routes::to_string(routes::Kind::middleware)) return code;
  if (code == Code::function_invocation_timeout) return Code::middleware_invocation_timeout;
  return code == Code::function_invocation_failed ? Code::middleware_invocation_failed : code;
}

// A route, or the path where no route is known, until it has answered once: whoever comes meanwhile waits for
// the same compile.
bool Engine::Impl::is_cold(const Invocation& v) const {
  constexpr std::size_t kMostRemembered = 10'000;
  const std::string_view key = v.route.empty() ? v.path() : std::string_view(v.route);
  return warm.size() < kMostRemembered && !warm.contains(key);
}

void Engine::Impl::mark_warm(Invocation& v) {
  if (!v.cold) return;
  v.cold = false;
  warm.emplace(v.route.empty() ? v.path() : std::string_view(v.route));
}

void Engine::dispatched(InvocationId id, const Dispatch& d, TimePoint now) {
  Impl& e = *impl_;
  e.tick(now);
  Invocation* v = e.slab.find(id);
  if (v == nullptr || !v->life.dispatched(now, e.head_starts_clock())) return;
  const routes::Function* f = e.function_of(d);
  // Where only a part of a page is asked for (the client's router), Next loads no page that would say what it
  // is: its source does.
  const bool is_static = d.is_static && (f == nullptr || !f->forced_dynamic);
  const event::Traffic traffic = v->traffic == event::Traffic::socket ? event::Traffic::socket
                                 : is_static                          ? event::Traffic::prerender
                                                                      : event::Traffic::invocation;
  if (v->page == d.page && !v->page.empty() &&
      v->traffic == traffic) {  // told twice: by the head and by the control channel
    e.rearm(*v);
    return;
  }
  v->traffic = traffic;
  if (!e.isolated() && v->page.empty()) {  // it runs in next dev: this is its placement
    v->placed_at = now;
    v->compiled_before_placed = v->life.compile().total(now);
  }
  v->page.assign(d.page.empty() ? v->path() : d.page);
  const bool unknown_middleware = f == nullptr && d.kind == routes::Kind::middleware;
  e.identify(*v, f, d.runtime == routes::Runtime::edge || unknown_middleware, false);
  if (f == nullptr) {
    v->route = unknown_middleware ? std::string(kMiddleware) : routes::normalize_app_page(d.page);
    v->file.clear();
    v->kind = d.kind == routes::Kind::unknown ? std::string_view{} : routes::to_string(d.kind);
    v->runtime = routes::to_string(d.runtime);
    v->buffered = is_buffered(d.kind, d.runtime == routes::Runtime::edge);
    v->supports_cancellation = false;
  }
  if (!e.isolated() && begun_unseen(id)) e.begins_unseen(*v);
  e.rearm(*v);
}

}  // namespace vsim::engine
