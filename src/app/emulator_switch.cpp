#include <fmt/format.h>

#include "agent/control.hpp"
#include "app/emulator_impl.hpp"
#include "profile/switch.hpp"

namespace vsim::app {

void Emulator::Impl::told_switch(std::string_view before, std::span<const event::ValueChange> changes) {
  event::ProfileChanged e;
  e.profile = options.profile->name;
  e.profile_as_of = options.profile->as_of;
  e.before = before;
  e.isolation = isolation();
  e.time_scale = options.engine.time_scale;
  e.changes = changes;
  emit(e);
}

void Emulator::Impl::switch_profile(const profile::Profile& to) {
  if (stopping) return;
  const profile::Profile& from = *options.profile;
  const auto differences = profile::differences(from, to);
  std::vector<event::ValueChange> changes;
  changes.reserve(differences.size());
  for (const auto& d : differences) changes.push_back({d.key, d.from, d.to});
  options.profile = &to;
  engine->set_profile(to);
  edge->set_cuts(to.stream_cut.value, to.websocket_close_code.value);
  const auto words = app->set_profile(from, to);
  told_switch(from.name, changes);
  say(words);
  if (to.region.value != from.region.value)
    notice(event::Level::info,
           fmt::format("the region stays {} until the end of the run", from.region.value));
  if (snapshot) take_sources(snapshot);  // what this plan says of them
}

void Emulator::Impl::switch_time_scale(double scale) {
  if (stopping) return;
  const std::string from = fmt::format("{:g}", options.engine.time_scale), to = fmt::format("{:g}", scale);
  options.engine.time_scale = scale;
  engine->set_time_scale(scale);
  const auto words = app->set_time_scale(scale);
  const event::ValueChange change{"time_scale", from, to};
  told_switch(options.profile->name, {&change, 1});
  say(words);
}

void Emulator::Impl::retire_instances() {
  if (stopping) return;
  IsolationShell* const instances = app->instances();
  if (instances == nullptr)
    return notice(event::Level::info, "there are no instances: all requests share one process",
                  "r restarts it");
  const std::size_t busy = instances->retire(instance::Why::asked);
  notice(event::Level::info,
         busy == 0
             ? std::string("all instances are new from the next request on")
             : fmt::format("all instances are new from the next request on; {} still {} what {} begun", busy,
                           busy == 1 ? "finishes" : "finish", busy == 1 ? "it has" : "they have"));
}

std::string Emulator::Impl::kill_instance(std::string_view name) {
  if (stopping) return "the run is ending";
  IsolationShell* const instances = app->instances();
  if (instances == nullptr) return "there are no instances: all requests share one process";
  if (!instances->kill(name)) return fmt::format("no instance {} is alive", name);
  notice(event::Level::info, fmt::format("{} is killed because somebody asked for it", name));
  return {};
}

void Emulator::Impl::deploy() {
  if (stopping) return;
  IsolationShell* const instances = app->instances();
  if (instances == nullptr)
    return notice(event::Level::info,
                  "there is nothing to deploy: all requests share one process, which is "
                  "not replaced while it serves",
                  "let vercel-sim run the project's own next dev, with instances");
  const auto open = engine->open();
  const std::uint32_t number = score.drill.deploy(open, clock.now());
  const std::string name = instances->deploy(number);
  event::Deployed e;
  e.deployment = number;
  e.name = name;
  for (const engine::Open& o : open) ++(o.socket ? e.sockets : o.streams ? e.streams : e.requests);
  emit(e);
  score.arm();
}

void Emulator::Impl::deploy_again() {
  if (options.deploy_every <= Duration::zero()) return;
  next_deployment.expires_after(options.deploy_every);
  next_deployment.async_wait([this](boost::system::error_code error) {
    if (error || stopping) return;
    deploy();
    deploy_again();
  });
}

// Its own events are told later: one comes from within another.
void Emulator::Impl::Score::on_event(const event::Stamp& stamp, const event::Event& event) {
  drill.on_event(event, stamp.at);
  arm();
}

void Emulator::Impl::Score::arm() {
  const auto next = drill.next_wakeup();
  if (!next || (armed_for && *armed_for <= *next)) return;
  armed_for = next;
  timer.expires_at(*next);
  timer.async_wait([this](boost::system::error_code error) {
    if (error) return;
    armed_for.reset();
    tell(drill.take(impl.clock.now()));
    arm();
  });
}

void Emulator::Impl::Score::finish() { tell(drill.finish(impl.clock.now())); }

void Emulator::Impl::Score::tell(const engine::Drill::News& news) {
  for (const auto& m : news.met)
    impl.emit(event::DeploymentMet{m.deployment, m.id, m.path, m.socket, m.fate, m.stayed, m.took});
  for (const auto& s : news.scored)
    impl.emit(event::DeploymentScored{s.deployment, s.sockets, s.streams, s.reconnected, s.ended, s.left,
                                      s.lost, s.open, s.slowest});
}

}  // namespace vsim::app
