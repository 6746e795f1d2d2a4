// Counts of a run as Prometheus reads them (text format 0.0.4), at /_vercel-sim/metrics. Names and labels are
// a published format: docs/live.md. Bounded: beyond kMostRoutes the rest is one route, "other". I/O thread
// only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "event/event.hpp"

namespace vsim::app {

class Metrics {
 public:
  static constexpr std::string_view kType = "text/plain; version=0.0.4; charset=utf-8";
  static constexpr std::size_t kMostRoutes = 200;

  void on_event(const event::Event&);
  // `dropped`: events that readers of the stream have lost.
  std::string text(std::uint64_t dropped) const;

 private:
  static constexpr std::array<double, 11> kBounds = {0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 800};  // s
  struct Histogram {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};
    double sum = 0;
  };
  struct ByVerdict {
    std::string code, route;
    bool enforced;
    // NOLINTNEXTLINE(modernize-use-nullptr): of clang 14 itself
    auto operator<=>(const ByVerdict&) const = default;
  };
  void count(std::span<const limits::Verdict>);
  void ended(const event::InvocationEnded&);
  std::string_view route_of(std::string_view route) const;

  std::string version_, profile_;
  double time_scale_ = 1;
  bool ready_ = false;
  std::uint64_t events_ = 0, deployments_ = 0, bytes_in_ = 0, bytes_out_ = 0;
  std::array<std::array<std::uint64_t, 5>, 5> requests_{};  // by traffic and who ended it
  std::map<std::string, Histogram, std::less<>> charged_;   // by route
  std::map<ByVerdict, std::uint64_t> verdicts_;
  std::map<std::string, std::uint64_t, std::less<>> starts_;
  std::map<std::string, std::string, std::less<>> instances_;  // the state of each that lives
};

}  // namespace vsim::app
