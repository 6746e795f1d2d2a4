#include "app/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace vsim::app {
namespace {

// As a value of a label: backslash, quote and newline are escaped.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void one(std::string& out, std::string_view name, std::string_view type, std::string_view help,
         double value) {
  head(out, name, type, help);
  out += fmt::format("{} {}\n", name, value);
}

template <class Map>
std::uint64_t& entry(Map& map, std::string_view key) {
  const auto known = map.find(key);
  return known != map.end() ? known->second : map[std::string(key)];
}

}  // namespace

std::string_view Metrics::route_of(std::string_view route) const {
  return charged_.size() < kMostRoutes || charged_.find(route) != charged_.end() ? route : "other";
}

void Metrics::count(std::span<const limits::Verdict> verdicts) {
  for (const limits::Verdict& v : verdicts)
    ++verdicts_[{std::string(limits::info(v.code).name), std::string(route_of(v.route)), v.enforced}];
}

void Metrics::ended(const event::InvocationEnded& e) {
  ++requests_[static_cast<std::size_t>(e.traffic)][static_cast<std::size_t>(e.outcome.ended_by)];
  bytes_in_ += e.bytes_in;
  bytes_out_ += e.bytes_out;
  count(e.verdicts);
  if (!e.start.empty()) ++entry(starts_, e.start);
  if (e.traffic != event::Traffic::invocation && e.traffic != event::Traffic::socket) return;
  const std::string_view route = route_of(e.route);
  auto known = charged_.find(route);
  if (known == charged_.end()) known = charged_.emplace(route, Histogram()).first;
  const double took = seconds(e.charged);
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), took);
  ++known->second.counts[static_cast<std::size_t>(bound - kBounds.begin())];
  known->second.sum += took;
}

void Metrics::on_event(const event::Event& event) {
  ++events_;
  if (const auto* e = std::get_if<event::InvocationEnded>(&event)) return ended(*e);
  if (const auto* e = std::get_if<event::BackgroundWork>(&event)) return count(e->verdicts);
  if (const auto* e = std::get_if<event::InstanceChanged>(&event)) {
    if (e->to == "dead") {
      if (const auto known = instances_.find(e->instance); known != instances_.end()) instances_.erase(known);
    } else {
      instances_.insert_or_assign(std::string(e->instance), std::string(e->to));
    }
  } else if (const auto* run = std::get_if<event::RunStarted>(&event)) {
    version_ = run->version;
    profile_ = run->profile;
    time_scale_ = run->time_scale;
  } else if (const auto* changed = std::get_if<event::ProfileChanged>(&event)) {
    profile_ = changed->profile;
    time_scale_ = changed->time_scale;
  } else if (const auto* app = std::get_if<event::AppChanged>(&event)) {
    ready_ = app->state == event::AppState::ready;
  } else if (std::holds_alternative<event::Deployed>(event)) {
    ++deployments_;
  }
}

std::string Metrics::text(std::uint64_t dropped) const {
  using event::EndedBy, event::Traffic;
  std::string out;
  head(out, "vercel_sim_info", "gauge", "What runs here.");
  out +=
      fmt::format("vercel_sim_info{{version=\"{}\",profile=\"{}\"}} 1\n", label(version_), label(profile_));
  one(out, "vercel_sim_ready", "gauge", "Whether the app takes requests.", ready_ ? 1 : 0);
  one(out, "vercel_sim_time_scale", "gauge", "Limits are divided by it.", time_scale_);
  head(out, "vercel_sim_requests_total", "counter",
       "Requests that are over, by kind of traffic and who ended them.");
  for (std::size_t t = 0; t < requests_.size(); ++t)
    for (std::size_t by = 0; by < requests_[t].size(); ++by)
      if (requests_[t][by] > 0)
        out += fmt::format("vercel_sim_requests_total{{traffic=\"{}\",ended_by=\"{}\"}} {}\n",
                           to_string(static_cast<Traffic>(t)), to_string(static_cast<EndedBy>(by)),
                           requests_[t][by]);
  head(out, "vercel_sim_verdicts_total", "counter", "What the limits said; enforced: something was changed.");
  for (const auto& [by, count] : verdicts_)
    out += fmt::format("vercel_sim_verdicts_total{{code=\"{}\",route=\"{}\",enforced=\"{}\"}} {}\n",
                       label(by.code), label(by.route), by.enforced, count);
  constexpr std::string_view kCharged = "vercel_sim_charged_seconds";
  head(out, kCharged, "histogram", "What counted against the maximum duration, by route.");
  for (const auto& [route, histogram] : charged_) {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i)
      out += fmt::format("{}_bucket{{route=\"{}\",le=\"{}\"}} {}\n", kCharged, label(route),
                         i < kBounds.size() ? fmt::format("{}", kBounds[i]) : "+Inf",
                         all += histogram.counts[i]);
    out += fmt::format("{0}_sum{{route=\"{1}\"}} {2}\n{0}_count{{route=\"{1}\"}} {3}\n", kCharged,
                       label(route), histogram.sum, all);
  }
  head(out, "vercel_sim_starts_total", "counter",
       "What requests found on their instance: warm, bound, spare, cold.");
  for (const auto& [start, count] : starts_)
    out += fmt::format("vercel_sim_starts_total{{start=\"{}\"}} {}\n", label(start), count);
  std::map<std::string_view, std::uint64_t> states;
  for (const auto& [name, state] : instances_) ++states[state];
  head(out, "vercel_sim_instances", "gauge", "Function instances that live, by state.");
  for (const auto& [state, count] : states)
    out += fmt::format("vercel_sim_instances{{state=\"{}\"}} {}\n", label(state), count);
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    head(out, name, "counter", help);
    out += fmt::format("{} {}\n", name, value);
  };
  counter("vercel_sim_received_bytes_total", "Bytes of request bodies.", bytes_in_);
  counter("vercel_sim_sent_bytes_total", "Bytes of response bodies.", bytes_out_);
  counter("vercel_sim_deployments_total", "Deployments after the first.", deployments_);
  counter("vercel_sim_events_total", "Events of the run.", events_);
  counter("vercel_sim_stream_dropped_events_total", "Events that readers of the stream did not read in time.",
          dropped);
  return out;
}

}  // namespace vsim::app
