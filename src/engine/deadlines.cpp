#include <algorithm>

#include "engine/impl.hpp"

namespace vsim::engine {

using event::EndedBy;
using limits::Code;

// Called after everything that may start, stop, move or lift a deadline.
void Engine::Impl::rearm(Invocation& v) {
  // A client left while it was not known who would answer, and now it is no function: nobody needs the rest.
  // Not at once, because the agent's word for a function may come after the head.
  constexpr Duration kLateNews = std::chrono::seconds(1);
  if (v.life.is<invocation::Draining>() && !limited(v)) {
    if (!deadlines.at(v.slot)) deadlines.set(v.slot, after(now_, kLateNews));
    return;
  }
  const invocation::Clock* clock = v.life.clock();
  TimePoint due = TimePoint::max();
  if (clock != nullptr && limited(v) && !v.life.compile().compiling())
    // Late news may name a limit that has passed already: due at once, never in the past.
    due = std::max(
        now_, clock->due(v.life.compile(), v.life.head_seen() ? v.total : std::min(v.first_byte, v.total)));
  if (due == TimePoint::max())
    deadlines.remove(v.slot);
  else
    deadlines.set(v.slot, due);
}

Command Engine::Impl::strike(Invocation& v, TimePoint now) {
  if (!limited(v)) {
    const InvocationId id = v.id;
    end(v, {EndedBy::client, v.life.phase(), Code::none}, totals_of(v), now);
    return {Command::Kind::cut, id, Code::none};
  }
  Command command{Command::Kind::cut, v.id, Code::function_invocation_timeout};
  if (v.life.is<invocation::Tunnel>()) {
    command.kind = Command::Kind::cut_tunnel;
    command.code = Code::sim_websocket_closed_at_limit;
  } else if (!v.life.head_seen() && !v.life.client_has_left()) {
    command.kind = Command::Kind::answer_error;
    v.status = limits::info(command.code).status;
  }
  if (!v.life.client_has_left()) {  // nobody sees the end of a function whose client is gone
    limits::duration::Strike s;
    s.limit = v.limit;
    s.before_head = !v.life.head_seen();
    s.tunnel = command.kind == Command::Kind::cut_tunnel;
    s.charged = v.life.charged(now);
    s.scale = options.time_scale;
    const Duration bound = limits::duration::scaled(v.limit.total, options.time_scale);
    if (v.total != bound) s.grace = options.compile_grace;
    s.route = v.route;
    s.file = v.file;
    s.config_file = v.config_file;
    s.config_line = v.config_line;
    s.kind = v.kind;
    v.verdicts.push_back(limits::duration::verdict(profile, s));
  }
  end(v, {EndedBy::platform, v.life.phase(), command.code}, totals_of(v), now);
  return command;
}

std::optional<TimePoint> Engine::next_wakeup() const {
  const auto next = impl_->deadlines.next();
  return next ? std::optional(next->at) : std::nullopt;
}

void Engine::wake(TimePoint now, WallTime wall, std::vector<Command>& out) {
  Impl& e = *impl_;
  e.tick(now, wall);
  for (auto next = e.deadlines.next(); next && next->at <= now; next = e.deadlines.next())
    out.push_back(e.strike(e.slab.at(next->slot), now));
}

}  // namespace vsim::engine
