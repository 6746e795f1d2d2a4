#include "limits/duration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace vsim::limits::duration {
namespace {

constexpr Duration kFloor =
    std::chrono::seconds(1);  // real work under a scaled limit must not be cut falsely

Duration ceiling(const profile::Profile& p) {
  return std::max(p.duration_max.value, p.duration_extended_max.value);
}

// Where maxDuration stands.
std::string place(const Strike& s) {
  return s.config_line > 0 ? fmt::format("{}:{}", s.config_file, s.config_line) : std::string(s.config_file);
}

// What the reader can do about it here, beyond info(code).fix: the line to write, and how far the plan lets
// it go.
std::string fix(const profile::Profile& p, const Strike& s) {
  if (s.tunnel || s.kind == "middleware") return {};
  if (s.busy)
    return "The event loop was busy all the time before the limit struck: look for a loop that does not end, "
           "or for synchronous work (parsing, hashing, images, a regular expression that backtracks), which "
           "also keeps everybody else on this instance waiting. No limit is long enough for the first; hand "
           "the second to a queue, a workflow or a worker.";
  if (s.limit.from == LimitOrigin::edge)
    return "Begin to stream the response at once, or drop `runtime = 'edge'`: the Node.js runtime has a "
           "maxDuration you can set.";
  const Duration most = ceiling(p);
  // Code goes before vercel.json (facts 1.3), but who has written it there looks for it there.
  const bool in_json = s.config_file.ends_with(".json") && s.limit.from != LimitOrigin::profile_default;
  std::string out;
  if (s.limit.from == LimitOrigin::capped) {
    out = fmt::format("maxDuration asks for {}, and {} gives at most {}: the deployment would fail. ",
                      format_duration(s.limit.asked), p.name, format_duration(most));
    if (!s.config_file.empty()) out += fmt::format("Lower it in {}. ", place(s));
  } else if (s.limit.total < most && most != kForever) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(most).count();
    const bool object = s.kind == "pages_api" || s.kind == "pages";
    out = in_json  ? fmt::format("Write `\"maxDuration\": {}` in {}", seconds, place(s))
          : object ? fmt::format("Write `export const config = {{ maxDuration: {} }}`", seconds)
                   : fmt::format("Write `export const maxDuration = {}`", seconds);
    if (!in_json && !s.file.empty()) out += fmt::format(" in {}", s.file);
    out += fmt::format(" ({} allows up to {}). ", p.name, format_duration(most));
  }
  if (p.compute.value == profile::Compute::serverless && p.plan.value == profile::Plan::hobby)
    out += "Fluid compute gives 300s on Hobby. ";
  out +=
      "Work that outlives a request belongs in a queue or workflow (Vercel Queues, Inngest, Trigger.dev); "
      "`after()` and waitUntil end at "
      "the same limit. Endless streams: let EventSource reconnect, or use Ably, Pusher, Liveblocks or "
      "Supabase Realtime.";
  return out;
}

}  // namespace

Limit limit_for(const profile::Profile& p, const Ask& ask) {
  Limit limit;
  if (ask.edge) {
    limit.from = LimitOrigin::edge;
    limit.first_byte = p.edge_first_byte.value;
    limit.total = p.edge_duration_max.value;
    return limit;
  }
  if (ask.max) {
    limit.from = LimitOrigin::function;
    limit.total = p.duration_max.value;
  } else if (ask.value) {
    const Duration most = ceiling(p);
    limit.from = *ask.value > most ? LimitOrigin::capped : LimitOrigin::function;
    limit.asked = *ask.value;
    limit.total = std::min(*ask.value, most);
  } else {
    limit.total = p.duration_default.value;
  }
  return limit;
}

Duration scaled(Duration limit, double scale) {
  if (limit == kForever || limit <= kFloor || !(scale > 0) || scale == 1) return limit;
  const double ns = static_cast<double>(limit.count()) / scale;
  if (ns >= static_cast<double>(kForever.count())) return kForever;
  return std::max(kFloor, Duration(static_cast<Duration::rep>(ns)));
}

Verdict verdict(const profile::Profile& p, const Strike& s) {
  Verdict v;
  // On the wire production has said FUNCTION_INVOCATION_TIMEOUT for edge functions too since August 2026; the
  // documented code says what happened (facts 1.5).
  v.code = s.tunnel                            ? Code::sim_websocket_closed_at_limit
           : s.kind == "middleware"            ? Code::middleware_invocation_timeout
           : s.limit.from == LimitOrigin::edge ? Code::edge_function_invocation_timeout
                                               : Code::function_invocation_timeout;
  v.route = s.route;
  v.file = s.file;
  const bool first_byte = s.before_head && s.limit.first_byte < s.limit.total;
  const Duration bound = first_byte ? s.limit.first_byte : s.limit.total;
  v.limit = format_duration(bound);
  std::string note;
  switch (s.limit.from) {
    case LimitOrigin::profile_default:
      v.limit_key = "duration.default";
      v.provenance = &p.duration_default.from;
      break;
    case LimitOrigin::function:
      v.limit_key = "maxDuration";
      break;
    case LimitOrigin::capped:
      v.limit_key = "duration.max";
      v.provenance = p.duration_extended_max.value > p.duration_max.value ? &p.duration_extended_max.from
                                                                          : &p.duration_max.from;
      note = fmt::format("maxDuration {} is above it", format_duration(s.limit.asked));
      break;
    case LimitOrigin::edge:
      v.limit_key = first_byte ? "edge.first_byte" : "edge.duration_max";
      v.provenance = first_byte ? &p.edge_first_byte.from : &p.edge_duration_max.from;
      break;
  }
  if (!s.config_file.empty() &&
      (s.limit.from == LimitOrigin::function || s.limit.from == LimitOrigin::capped)) {
    const std::string where = place(s);
    if (s.config_file == s.file || s.file.empty())
      v.file = where;
    else
      note = note.empty() ? fmt::format("set in {}", where) : fmt::format("{}, set in {}", note, where);
  }
  if (s.limit.from == LimitOrigin::edge && s.before_head && !s.tunnel && s.kind != "middleware")
    note = "sent as FUNCTION_INVOCATION_TIMEOUT, as seen since August 2026";
  const Duration real = scaled(bound, s.scale);
  if (real != bound) {
    if (!note.empty()) note += ", ";
    note += fmt::format("{} at {:g}x", format_duration(real), s.scale);
  }
  if (s.grace > Duration::zero()) {
    if (!note.empty()) note += ", ";
    note += fmt::format("{} compile grace added", format_duration(s.grace));
  }
  if (!note.empty()) v.limit += fmt::format(" ({})", note);
  v.measured = human_duration(s.charged);
  v.fix = fix(p, s);
  return v;
}

}  // namespace vsim::limits::duration
