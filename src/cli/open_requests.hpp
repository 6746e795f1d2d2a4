// Requests that have no end yet, for a person who waits for one. Pure: time is an argument.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "event/event.hpp"

namespace vsim::cli {

class OpenRequests {
 public:
  void on_event(const event::Stamp&, const event::Event&);
  // Lines about those that take long: after 2 s, 10 s, and then each 30 s.
  std::string tell(TimePoint now);

 private:
  struct Open {
    std::string method, target;
    TimePoint since{};
    Duration next{};
  };
  std::unordered_map<std::uint64_t, Open> open_;
};

}  // namespace vsim::cli
