// Of requests that come faster than anybody looks at them, a second shows as many as a page can: the rest is
// left out of it, and counted. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "event/event.hpp"

namespace vsim::app {

class Flood {
 public:
  // Requests that begin in one second and are shown. What more would cost: docs/speed.md.
  static constexpr std::uint32_t kMost = 1000;

  // To be asked of every event. What the limits said of a request, what failed, and what is no word on one
  // request are never left out; the end of what was shown is not either.
  bool leaves_out(const event::Stamp& stamp, const event::Event& event) {
    if (const auto* started = std::get_if<event::InvocationStarted>(&event)) {
      const Duration second = std::chrono::floor<std::chrono::seconds>(stamp.at.time_since_epoch());
      if (second != second_) begun_ = 0;
      second_ = second;
      if (++begun_ <= kMost) return false;
      at(started->id) = started->id;
      return true;
    }
    if (const auto* running = std::get_if<event::InvocationRunning>(&event)) return has_left_out(running->id);
    const auto* ended = std::get_if<event::InvocationEnded>(&event);
    return ended != nullptr && has_left_out(ended->id) && is_plain(*ended);
  }
  // Its start was. Where more than kOpen are open at once, the end of one may be shown though.
  bool has_left_out(InvocationId id) const { return id != InvocationId::none && left_out_[slot(id)] == id; }

 private:
  // A crash behind its head has a code, and the status of its head.
  static bool is_plain(const event::InvocationEnded& e) {
    return e.verdicts.empty() && e.outcome.code == limits::Code::none && e.status < 500;
  }

  static constexpr std::size_t kOpen = 4096;
  static std::size_t slot(InvocationId id) { return static_cast<std::uint64_t>(id) % kOpen; }
  InvocationId& at(InvocationId id) { return left_out_[slot(id)]; }

  std::array<InvocationId, kOpen> left_out_{};
  Duration second_ = kForever;  // in which so many have begun
  std::uint32_t begun_ = 0;
};

}  // namespace vsim::app
