// Which invocation is due next: a binary heap of deadlines, indexed by slot, so that a deadline is set, moved
// and removed in O(log n) and none is ever left behind. Equal deadlines come out in the order they were set.
// Pure; knows nothing of what a deadline means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace vsim::invocation {

class DeadlineQueue {
 public:
  using Slot = std::uint32_t;
  struct Entry {
    TimePoint at;
    Slot slot;
  };

  // Replaces the slot's deadline if it has one; setting the same moment again changes nothing.
  void set(Slot slot, TimePoint at);
  void remove(Slot slot);  // nothing happens when it has none
  std::optional<TimePoint> at(Slot slot) const;
  std::optional<Entry> next() const;  // stays in the queue
  std::size_t size() const { return heap_.size(); }
  bool empty() const { return heap_.empty(); }

 private:
  struct Node {
    TimePoint at;
    std::uint64_t order;  // of setting, decides among equals
    Slot slot;
    bool before(const Node& other) const { return at != other.at ? at < other.at : order < other.order; }
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;
  void place(std::uint32_t index, const Node& node);
  void sift_up(std::uint32_t index, const Node& node);
  void sift_down(std::uint32_t index, const Node& node);

  std::vector<Node> heap_;
  std::vector<std::uint32_t> index_of_;  // by slot
  std::uint64_t order_ = 0;
};

}  // namespace vsim::invocation
