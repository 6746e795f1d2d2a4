#include "engine/state_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace vsim::engine {
namespace {

constexpr std::size_t kMostVariables = 1024;
constexpr std::size_t kMostKeys = 256;

bool is_mutation(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string request_of(std::string_view method, std::string_view route) {
  if (route == kMiddleware) return fmt::format("middleware at a {}", method);
  return method == "ACTION" ? fmt::format("a Server Action of {}", route)
                            : fmt::format("{} {}", method, route);
}

std::string what_is_here(const StateSeen& seen) {
  if (seen.kind == "number" || seen.kind == "value") return "has its first value";
  if (seen.before == 0) return seen.kind == "emitter" ? "has no listener" : "is empty";
  return "is without it";
}

std::string place_of(std::string_view instance) {
  return instance == kMiddleware ? "in middleware" : fmt::format("on {}", instance);
}

// "POST /api/rooms on i1, 2.00s ago"
std::string writer_of(std::string_view method, std::string_view route, std::string_view instance,
                      Duration ago) {
  const std::string on = instance == kMiddleware ? "" : fmt::format(" on {}", instance);
  return fmt::format("{}{}, {} ago", request_of(method, route), on, human_duration(ago));
}

bool is_single(const StateSeen& seen) { return seen.kind == "value" || seen.kind == "number"; }

}  // namespace

void StateLedger::clear() {
  written_.clear();
  told_.clear();
}

// Whether nothing of what was written elsewhere is in the variable as the invocation found it.
bool StateLedger::misses(const Written& written, const StateSeen& seen) const {
  return std::none_of(seen.had.begin(), seen.had.end(),
                      [&](const std::string& key) { return written.keys.contains(key); });
}

// `evidence` stays empty where there is nothing to say.
StateLoss StateLedger::judge(const Written& written, const StateSeen& seen, const StateReport& report,
                             std::string_view route, std::string_view instance, bool open,
                             TimePoint now) const {
  StateLoss loss;
  loss.at = seen.at;
  const std::string writer = writer_of(written.method, written.route, written.instance, now - written.at);
  const bool by_middleware = written.route == kMiddleware;
  loss.with_middleware = by_middleware || route == kMiddleware;
  // Middleware runs at every request, and what it puts into a single variable is no cache. But of what
  // it keeps for itself a later request says nothing by not asking: it looks for that on some paths only.
  const bool its_own = by_middleware && route == kMiddleware;
  const bool meant = !its_own && (written.mutation || (by_middleware && is_single(seen)));
  const bool asked = std::any_of(report.asked.begin(), report.asked.end(), [&](const std::string& word) {
    return written.keys.contains(word) && !contains(seen.wrote, word);
  });
  // Of what is not seen in full nothing else is known; what this request itself has taken away neither.
  if (seen.more && (!asked || seen.changed)) return loss;
  if (asked && written.mutation) {
    loss.proven = true;
    loss.evidence = fmt::format("`{}` has no entry for what this request asks for {}: it was put there by {}",
                                seen.name, place_of(instance), writer);
  } else if (!seen.changed && meant && written.from_request) {
    loss.proven = true;
    loss.evidence = fmt::format("`{}` {} {}: what was put there by {}, is in {} memory alone", seen.name,
                                what_is_here(seen), place_of(instance), writer,
                                by_middleware ? "its" : "that instance's");
  } else if (!seen.changed && open && is_mutation(report.method)) {
    loss.proven = true;
    loss.evidence = fmt::format("`{}` {} {}, while {} holds what {} put there and still waits", seen.name,
                                what_is_here(seen), place_of(instance), written.instance,
                                request_of(written.method, written.route));
  } else if (seen.counts && written.counts) {
    loss.proven = true;
    loss.evidence = fmt::format("`{}` counts from its first value again {}: it had been counted up by {}",
                                seen.name, place_of(instance), writer);
  } else if (seen.by_client && written.by_client) {
    loss.evidence = fmt::format(
        "`{}` counts visitors on each instance for itself: this one was known to {}, and is new {}",
        seen.name, written.instance, place_of(instance));
  } else if (!seen.changed && seen.before == 0 &&
             ((!its_own && written.mutation && seen.kind != "object") ||
              (by_middleware && written.from_request && (!its_own || is_single(seen))))) {
    loss.evidence = fmt::format("`{}` {} {}, and was written by {}: if that is no cache, it is lost here",
                                seen.name, what_is_here(seen), place_of(instance), writer);
  }
  return loss;
}

// One process served both requests, so nothing was lost here: what the later one has found would not have
// been there on another instance.
StateLoss StateLedger::judge_again(const Written& written, const StateSeen& seen, const StateReport& report,
                                   TimePoint now) const {
  StateLoss loss;
  loss.at = seen.at;
  loss.with_middleware = loss.same_process = true;
  const std::string writer = writer_of(written.method, written.route, written.instance, now - written.at);
  const bool asked = std::any_of(report.asked.begin(), report.asked.end(), [&](const std::string& word) {
    return written.keys.contains(word) && contains(seen.had, word);
  });
  if (seen.counts && written.counts) {
    loss.proven = true;
    loss.evidence =
        fmt::format("`{}` goes on counting from {}: another instance begins anew", seen.name, writer);
  } else if (seen.by_client && written.by_client) {
    loss.evidence = fmt::format(
        "`{}` counts visitors: each instance of middleware does so for itself, and this one was known from "
        "{}",
        seen.name, writer);
  } else if (written.mutation && asked) {
    loss.evidence = fmt::format(
        "`{}` has what this request asks for from {}: if that is no cache, another instance lacks it",
        seen.name, writer);
  } else if (!seen.changed && is_single(seen) && written.from_request && !misses(written, seen)) {
    loss.evidence =
        fmt::format("`{}` is as {} left it: another instance has its first value", seen.name, writer);
  }
  return loss;
}

std::vector<StateLoss> StateLedger::look(const StateReport& report, InvocationId id, std::string_view route,
                                         std::string_view instance, const Runs& runs, TimePoint now) {
  std::vector<StateLoss> out;
  for (const StateSeen& seen : report.seen) {
    const std::string variable = fmt::format("{}\n{}", seen.at, seen.name);
    const auto known = written_.find(variable);
    const bool judged = !report.open && !seen.unread && known != written_.end();
    const bool same = judged && known->second.instance == instance;
    // What this very invocation wrote may be told in two words.
    const bool again = same && instance == kMiddleware && known->second.by != id;
    if (same ? again : judged && misses(known->second, seen)) {
      StateLoss loss =
          same ? judge_again(known->second, seen, report, now)
               : judge(known->second, seen, report, route, instance, runs(known->second.open), now);
      if (!loss.evidence.empty() &&
          told_.insert(fmt::format("{}\n{} {}", variable, report.method, route)).second)
        out.push_back(std::move(loss));
    }
    if (!seen.changed || seen.wrote.empty()) continue;
    if (known == written_.end() && written_.size() >= kMostVariables) continue;
    Written& w = written_[variable];
    // A client that only makes again what another instance has (a cache) takes nothing away from who wrote
    // first with a request's data.
    const bool goes_on = w.instance == instance;
    if (!goes_on && w.from_request && w.mutation && !(seen.from_request && is_mutation(report.method)))
      continue;
    if (!goes_on) w = {};
    w.instance = instance;
    w.route = route;
    w.method = report.method;
    w.at = now;
    w.by = id;
    if (w.keys.size() < kMostKeys) w.keys.insert(seen.wrote.begin(), seen.wrote.end());
    w.from_request = w.from_request || seen.from_request;
    w.mutation = w.mutation || is_mutation(report.method);
    w.counts = seen.counts;
    w.by_client = seen.by_client;
    w.open = report.open ? id : InvocationId::none;
  }
  return out;
}

}  // namespace vsim::engine
