#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "engine/impl.hpp"

namespace vsim::engine {

using event::EndedBy;
using limits::Code;

// Called after everything that may start, stop, move or lift a deadline.
void Engine::Impl::rearm(Invocation& v) {
  // A client left while it was not known who would answer, and now it is no function: nobody needs the rest.
  // Not at once, because the agent's word for a function may come after the head.
  constexpr Duration kLateNews = std::chrono::seconds(1);
  // Nor does anybody wait for next dev to find out. Longer than it needs, compiling left out.
  constexpr Duration kRouting = std::chrono::seconds(60);
  if (v.expiring) return;  // strike() has set the last moment
  const invocation::ChargedClock* clock = v.life.clock();
  const bool compiling = v.life.compile().compiling();
  if (v.life.is<invocation::Draining>() && (clock == nullptr || !limited(v)) && !compiling) {
    const bool with_instances = isolated() && limited(v) && !v.page.empty();  // they have limits of their own
    const Duration patience = limited(v) ? kRouting : kLateNews;
    if (!with_instances) {
      const auto at = deadlines.at(v.slot);
      const TimePoint due = after(now_, patience);
      return deadlines.set(v.slot, at ? std::min(*at, due) : due);
    }
  }
  TimePoint due = TimePoint::max();
  if (clock != nullptr && limited(v) && !compiling && !v.life.clock_stopped())
    // Late news may name a limit that has passed already: due at once, never in the past.
    due = std::max(now_, after(clock->due(v.life.compile(),
                                          v.life.head_seen() ? v.total : std::min(v.first_byte, v.total)),
                               v.life.forgiven()));
  if (due == TimePoint::max())
    deadlines.remove(v.slot);
  else
    deadlines.set(v.slot, due);
}

// Worded anew only when it would read differently: thousands of equal streams may be cut in one wake.
const limits::Verdict& Engine::Impl::duration_verdict(const Invocation& v, bool tunnel, TimePoint now) {
  Worded& w = worded;
  const bool grace = v.total != limits::duration::scaled(v.limit.total, v.time_scale);
  const bool before_head = !v.life.head_seen();
  const bool busy = !v.instance.empty() && outside != nullptr && outside->busy(v.id);
  if (!w.known || w.profile != v.profile || w.time_scale != v.time_scale || w.busy != busy ||
      w.tunnel != tunnel || w.before_head != before_head || w.grace != grace || w.limit != v.limit ||
      w.config_line != v.config_line || w.kind != v.kind || w.route != v.route || w.file != v.file ||
      w.config_file != v.config_file) {
    w.known = true;
    w.profile = v.profile;
    w.time_scale = v.time_scale;
    w.tunnel = tunnel;
    w.before_head = before_head;
    w.grace = grace;
    w.busy = busy;
    w.limit = v.limit;
    w.route = v.route;
    w.file = v.file;
    w.config_file = v.config_file;
    w.config_line = v.config_line;
    w.kind = v.kind;
    limits::duration::Strike s;
    s.limit = v.limit;
    s.before_head = before_head;
    s.busy = busy;
    s.tunnel = tunnel;
    s.scale = v.time_scale;
    if (grace) s.grace = options.compile_grace;
    s.route = v.route;
    s.file = v.file;
    s.config_file = v.config_file;
    s.config_line = v.config_line;
    s.kind = v.kind;
    w.verdict = limits::duration::verdict(*v.profile, s);
  }
  w.verdict.measured = human_duration(v.life.charged(now));
  return w.verdict;
}

// Once for each route: a limit that nobody has felt is no violation, but it is paid for.
void Engine::Impl::note_unheard(const Invocation& v, TimePoint now) {
  const std::string_view name = v.route.empty() ? v.path() : std::string_view(v.route);
  if (!unheard_told.tell(name)) return;
  const std::string message = fmt::format(
      "{} ran on until its maximum duration of {} after its client had left: on Vercel too the function is "
      "not told that nobody reads, and its time is charged",
      name, format_duration(v.limit.total));
  event::Notice notice;
  notice.message = message;
  notice.fix =
      "where that is too much, set `supportsCancellation` for the function in vercel.json and end the work "
      "when `request.signal` is aborted";
  notice.file = v.file;
  emit(notice, now);
}

Duration Engine::Impl::unserved(const Invocation& v) const {
  return v.instance.empty() || outside == nullptr ? Duration::zero() : outside->unserved(v.id);
}

// A function of the platform has a processor of its own, here it competes with everything else on the
// machine: what it has waited for one since its clock began is not charged, and its deadline moves. False: it
// has hardly waited.
bool Engine::Impl::forgives(Invocation& v, TimePoint now) {
  constexpr Duration kWorthIt = std::chrono::milliseconds(50);
  if (!limited(v) || v.life.clock() == nullptr || v.unserved_before == Duration::zero()) return false;
  const Duration more = std::min(unserved(v) - v.unserved_before - v.life.forgiven(), v.life.charged(now));
  if (more < kWorthIt) return false;
  v.life.forgive(more);
  rearm(v);
  if (std::exchange(unserved_told, true)) return true;
  const std::string message =
      fmt::format("this machine is too busy: {} has waited {} for a processor, which is not charged",
                  v.instance, human_duration(v.life.forgiven()));
  event::Notice notice;
  notice.level = event::Level::warning;
  notice.message = message;
  notice.fix = "nothing in your app: run less beside it, or take a machine with more cores";
  emit(notice, now);
  return true;
}

std::optional<ExchangeCommand> Engine::Impl::strike(Invocation& v, TimePoint now) {
  // How long an instance may take to give back what has expired.
  constexpr Duration kExpiring = std::chrono::seconds(2);
  if (v.expiring) {
    settle(v, {}, now);
    return std::nullopt;
  }
  if (forgives(v, now)) return std::nullopt;
  if (v.life.is<invocation::Lingering>()) {
    v.expiring = true;
    v.life.stop_clock(now);
    deadlines.set(v.slot, after(now, kExpiring));
    return ExchangeCommand{ExchangeCommand::Kind::expire, v.id, named(Code::function_invocation_timeout, v)};
  }
  v.leased = false;  // the shell gives it back; nothing more is told about it
  if (!limited(v) || v.life.clock() == nullptr) {
    const InvocationId id = v.id;
    end(v, {EndedBy::client, v.life.phase(), Code::none}, totals_of(v), now);
    return ExchangeCommand{ExchangeCommand::Kind::cut, id, Code::none};
  }
  ExchangeCommand command{ExchangeCommand::Kind::cut, v.id, named(Code::function_invocation_timeout, v)};
  if (v.life.is<invocation::Tunnel>()) {
    command.kind = ExchangeCommand::Kind::cut_tunnel;
    command.code = Code::sim_websocket_closed_at_limit;
  } else if (!v.life.head_seen() && !v.life.client_has_left()) {
    command.kind = ExchangeCommand::Kind::answer_error;
    v.status = limits::info(command.code).status;
  }
  event::Outcome outcome{EndedBy::platform, v.life.phase(), command.code};
  if (v.life.client_has_left() || v.half_closed) {  // nobody sees the end of a function whose client is gone
    v.unheard = true;
    outcome.code = Code::none;
    note_unheard(v, now);
    end(v, outcome, totals_of(v), now);
    return command;
  }
  const limits::Verdict& verdict =
      duration_verdict(v, command.kind == ExchangeCommand::Kind::cut_tunnel, now);
  if (!v.verdicts.empty()) {
    v.verdicts.push_back(verdict);
    end(v, outcome, totals_of(v), now);
    return command;
  }
  mark_warm(v);
  if (!v.instance.empty()) init_over(v, now);
  emit_ended(v, outcome, totals_of(v), now, {&verdict, 1});
  drop(v);
  return command;
}

std::optional<TimePoint> Engine::next_wakeup() const {
  const auto next = impl_->deadlines.next();
  return next ? std::optional(next->at) : std::nullopt;
}

void Engine::wake(TimePoint now, WallTime wall, std::vector<ExchangeCommand>& out) {
  Impl& e = *impl_;
  e.tick(now, wall);
  for (auto next = e.deadlines.next(); next && next->at <= now; next = e.deadlines.next())
    if (const auto command = e.strike(e.slab.at(next->slot), now)) out.push_back(*command);
}

}  // namespace vsim::engine
