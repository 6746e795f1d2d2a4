#include "invocation/deadline_queue.hpp"

namespace vsim::invocation {

void DeadlineQueue::place(std::uint32_t index, const Node& node) {
  heap_[index] = node;
  index_of_[node.slot] = index;
}

void DeadlineQueue::sift_up(std::uint32_t index, const Node& node) {
  while (index > 0) {
    const std::uint32_t parent = (index - 1) / 2;
    if (!node.before(heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, node);
}

void DeadlineQueue::sift_down(std::uint32_t index, const Node& node) {
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    std::uint32_t child = 2 * index + 1;
    if (child >= size) break;
    if (child + 1 < size && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(node)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, node);
}

void DeadlineQueue::set(Slot slot, TimePoint at) {
  if (slot >= index_of_.size()) index_of_.resize(slot + 1, kNone);
  const std::uint32_t index = index_of_[slot];
  if (index == kNone) {
    const Node node{at, ++order_, slot};
    heap_.push_back(node);
    sift_up(static_cast<std::uint32_t>(heap_.size() - 1), node);
    return;
  }
  if (heap_[index].at == at) return;
  const Node node{at, ++order_, slot};
  if (node.before(heap_[index]))
    sift_up(index, node);
  else
    sift_down(index, node);
}

void DeadlineQueue::remove(Slot slot) {
  if (slot >= index_of_.size() || index_of_[slot] == kNone) return;
  const std::uint32_t index = index_of_[slot];
  const Node last = heap_.back();
  heap_.pop_back();
  index_of_[slot] = kNone;
  if (last.slot == slot) return;
  if (index > 0 && last.before(heap_[(index - 1) / 2]))
    sift_up(index, last);
  else
    sift_down(index, last);
}

std::optional<TimePoint> DeadlineQueue::at(Slot slot) const {
  if (slot >= index_of_.size() || index_of_[slot] == kNone) return std::nullopt;
  return heap_[index_of_[slot]].at;
}

std::optional<DeadlineQueue::Entry> DeadlineQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return Entry{heap_.front().at, heap_.front().slot};
}

}  // namespace vsim::invocation
