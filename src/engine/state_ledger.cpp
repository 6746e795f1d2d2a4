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
  return method == "ACTION" ? fmt::format("a Server Action of {}", route)
                            : fmt::format("{} {}", method, route);
}

std::string what_is_here(const StateSeen& seen) {
  if (seen.kind == "number" || seen.kind == "value") return "has its first value";
  if (seen.before == 0) return seen.kind == "emitter" ? "has no listener" : "is empty";
  return "is without it";
}

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
                             std::string_view instance, bool open, TimePoint now) const {
  StateLoss loss;
  loss.at = seen.at;
  const std::string writer = fmt::format("{} on {}, {} ago", request_of(written.method, written.route),
                                         written.instance, human_duration(now - written.at));
  const bool asked = std::any_of(report.asked.begin(), report.asked.end(), [&](const std::string& word) {
    return written.keys.contains(word) && !contains(seen.wrote, word);
  });
  if (asked && written.mutation) {
    loss.proven = true;
    loss.evidence =
        fmt::format("`{}` has no entry for what this request asks for on {}: it was put there by {}",
                    seen.name, instance, writer);
  } else if (!seen.changed && written.mutation && written.from_request) {
    loss.proven = true;
    loss.evidence = fmt::format("`{}` {} on {}: what was put there by {}, is in that instance's memory alone",
                                seen.name, what_is_here(seen), instance, writer);
  } else if (!seen.changed && open && is_mutation(report.method)) {
    loss.proven = true;
    loss.evidence = fmt::format("`{}` {} on {}, while {} holds what {} put there and still waits", seen.name,
                                what_is_here(seen), instance, written.instance,
                                request_of(written.method, written.route));
  } else if (seen.counts && written.counts) {
    loss.proven = true;
    loss.evidence = fmt::format("`{}` counts from its first value again on {}: it had been counted up by {}",
                                seen.name, instance, writer);
  } else if (seen.by_client && written.by_client) {
    loss.evidence = fmt::format(
        "`{}` counts visitors on each instance for itself: this one was known to {}, and is new on {}",
        seen.name, written.instance, instance);
  } else if (!seen.changed && written.mutation && seen.kind != "object" && seen.before == 0) {
    loss.evidence = fmt::format("`{}` {} on {}, and was written by {}: if that is no cache, it is lost here",
                                seen.name, what_is_here(seen), instance, writer);
  }
  return loss;
}

std::vector<StateLoss> StateLedger::look(const StateReport& report, InvocationId id, std::string_view route,
                                         std::string_view instance, const Runs& runs, TimePoint now) {
  std::vector<StateLoss> out;
  for (const StateSeen& seen : report.seen) {
    const std::string variable = fmt::format("{}\n{}", seen.at, seen.name);
    const auto known = written_.find(variable);
    if (!report.open && !seen.unread && known != written_.end() && known->second.instance != instance &&
        misses(known->second, seen)) {
      StateLoss loss = judge(known->second, seen, report, instance, runs(known->second.open), now);
      if (!loss.evidence.empty() &&
          told_.insert(fmt::format("{}\n{} {}", variable, report.method, route)).second)
        out.push_back(std::move(loss));
    }
    if (!seen.changed || seen.wrote.empty()) continue;
    if (known == written_.end() && written_.size() >= kMostVariables) continue;
    Written& w = written_[variable];
    // A client that only makes again what another instance has (a cache) takes nothing away from who wrote
    // first with a request's data.
    const bool same = w.instance == instance;
    if (!same && w.from_request && w.mutation && !(seen.from_request && is_mutation(report.method))) continue;
    if (!same) w = {};
    w.instance = instance;
    w.route = route;
    w.method = report.method;
    w.at = now;
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
