// When each request of a recording is sent again. Pure: told what happened, it says what is due.
//
// Order of arrival is kept. A request that arrived after others had ended waits until those have ended again;
// one that arrived while others were under way is sent while they are (unless they are quicker now). What
// lies between, the thinking of a person or a test, is kept up to kMostThink and not longer.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/time.hpp"

namespace vsim::replay {

// From arrival to end, as it was recorded.
struct Span {
  Duration begin{}, end{};
};

class Schedule {
 public:
  // Longer than what a browser needs between the requests of one page, so that what was one burst stays one,
  // and short enough that an hour of clicking is replayed in minutes.
  static constexpr Duration kMostThink = std::chrono::milliseconds(250);
  // Connections at a time. A recording that had more is sent with as many.
  static constexpr std::size_t kMostAtOnce = 512;

  // `spans` in order of arrival.
  explicit Schedule(std::span<const Span> spans);

  // The next request, if it is due at `now`; it has begun then.
  std::optional<std::size_t> take(TimePoint now);
  void ended(std::size_t index, TimePoint now);
  // When take() may have something although nothing more is told: nullopt while it waits for an end.
  std::optional<TimePoint> next() const;
  bool done() const { return next_ == steps_.size() && running_ == 0; }
  std::size_t running() const { return running_; }

 private:
  struct Step {
    std::size_t after = 0;  // so many of by_end_ had ended
    Duration think{};       // since the last of them ended, or the one before arrived
  };
  void settle();

  std::vector<Step> steps_;
  std::vector<std::size_t> by_end_;  // indices, in the order in which they ended
  std::vector<bool> over_;
  std::size_t next_ = 0, settled_ = 0, running_ = 0;
  std::optional<TimePoint> anchor_;  // the latest beginning or end so far
};

}  // namespace vsim::replay
