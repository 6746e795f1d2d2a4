#include "engine/engine.hpp"

#include "engine/impl.hpp"

namespace vsim::engine {

Engine::Impl::Impl(const profile::Profile& p, EngineOptions o, event::Sink& s, const Outside* of)
    : profile(&p), options(o), sink(s), outside(of), rng(o.seed), id_prefix(p.region.value + "::") {}

Engine::Engine(const profile::Profile& profile, EngineOptions options, event::Sink& sink,
               const Outside* outside)
    : impl_(std::make_unique<Impl>(profile, options, sink, outside)) {}
Engine::~Engine() = default;
void Engine::set_profile(const profile::Profile& profile) {
  impl_->profile = &profile;
  if (impl_->isolated() && profile.isolation.value != profile::Isolation::none)
    impl_->options.isolation = profile.isolation.value;
}
void Engine::set_time_scale(double scale) { impl_->options.time_scale = scale; }

void Engine::set_isolation(profile::Isolation isolation) { impl_->options.isolation = isolation; }

void Engine::set_routes(std::shared_ptr<const routes::RouteTable> table) {
  impl_->pages.clear();
  impl_->routes = std::move(table);
}

void Engine::stopping() { impl_->stopping = true; }

std::vector<Open> Engine::open() const {
  std::vector<Open> out;
  impl_->slab.each([&](const Invocation& v) {
    const auto& life = v.life;
    if (!impl_->limited(v) || life.client_has_left() || v.half_closed || life.is<invocation::Lingering>())
      return;
    const bool socket = life.is<invocation::Tunnel>();
    if (socket || !v.page.empty() || !impl_->options.agent)
      out.push_back({v.id, v.path(), socket, !socket && life.head_seen()});
  });
  return out;
}

bool Engine::knows(InvocationId id) const { return impl_->slab.find(id) != nullptr; }
std::size_t Engine::active() const { return impl_->slab.active() - impl_->lingering; }
std::size_t Engine::lingering() const { return impl_->lingering; }

void Engine::announce(const event::Event& event, TimePoint now, WallTime wall) {
  impl_->tick(now, wall);
  if (const auto* changed = std::get_if<event::InstanceChanged>(&event);
      changed != nullptr && changed->to == "dead")
    impl_->connections.gone(changed->instance);
  impl_->emit(event, now);
}

}  // namespace vsim::engine
