#include "replay/schedule.hpp"

#include <algorithm>
#include <numeric>

namespace vsim::replay {

Schedule::Schedule(std::span<const Span> spans) : by_end_(spans.size()), over_(spans.size(), false) {
  std::iota(by_end_.begin(), by_end_.end(), std::size_t{0});
  // An end at the moment of an arrival: before it, as where a test waits for one answer and asks again.
  std::stable_sort(by_end_.begin(), by_end_.end(),
                   [&](std::size_t a, std::size_t b) { return spans[a].end < spans[b].end; });
  std::size_t after = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    // Only what arrived before: one that took no time at all ends at its own arrival.
    while (after < i && spans[by_end_[after]].end <= spans[i].begin && by_end_[after] < i) ++after;
    Duration anchor = i > 0 ? spans[i - 1].begin : spans[i].begin;
    if (after > 0) anchor = std::max(anchor, spans[by_end_[after - 1]].end);
    steps_.push_back({after, std::clamp(spans[i].begin - anchor, Duration::zero(), kMostThink)});
  }
}

void Schedule::settle() {
  while (settled_ < by_end_.size() && over_[by_end_[settled_]]) ++settled_;
}

std::optional<TimePoint> Schedule::next() const {
  if (next_ == steps_.size() || settled_ < steps_[next_].after || running_ >= kMostAtOnce)
    return std::nullopt;
  return anchor_ ? after(*anchor_, steps_[next_].think) : TimePoint::min();
}

std::optional<std::size_t> Schedule::take(TimePoint now) {
  const auto due = next();
  if (!due || *due > now) return std::nullopt;
  anchor_ = now;
  ++running_;
  return next_++;
}

void Schedule::ended(std::size_t index, TimePoint now) {
  if (index >= next_ || over_[index]) return;
  over_[index] = true;
  --running_;
  const std::size_t before = settled_;
  settle();
  // An end that nobody waits for does not make the next one think longer.
  if (next_ < steps_.size() && before < steps_[next_].after) anchor_ = now;
}

}  // namespace vsim::replay
