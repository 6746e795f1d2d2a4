// What `run` says at its end: how much was asked, and which routes were told something. Holds a bounded
// number of routes, however long the run. Filled on the I/O thread, rendered after it.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "event/event.hpp"

namespace vsim::cli {

class RunSummary final : public event::Sink {
 public:
  void on_event(const event::Stamp&, const event::Event&) override;
  // `events_file`: of --events, empty when there is none. Empty when no request came.
  std::string text(std::string_view events_file) const;

 private:
  struct Route {
    std::size_t requests = 0;
    std::map<std::pair<limits::Code, bool>, std::size_t> told;  // code, whether it is a violation
  };
  Route& route_of(std::string_view route, std::string_view target);
  void count(Route&, std::span<const limits::Verdict>);

  std::map<std::string, Route, std::less<>> routes_;
  std::size_t requests_ = 0, violations_ = 0, warnings_ = 0;
  TimePoint first_{}, last_{};
};

}  // namespace vsim::cli
