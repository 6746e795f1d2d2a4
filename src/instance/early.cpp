#include "instance/early.hpp"

#include <algorithm>

namespace vsim::instance {

Early::Entry* Early::find(InvocationId id) {
  const auto it =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Entry& e) { return e.asked.id == id; });
  return it == waiting_.end() ? nullptr : &*it;
}

void Early::add(const Asked& asked, bool on_its_old_instance, TimePoint now) {
  waiting_.push_back({asked, on_its_old_instance, false, now, now});
}

void Early::announced(Generation g) {
  told_ = std::max(told_, g);
  excused_ = 0;
}

void Early::given_back(InvocationId id) {
  if (Entry* e = find(id)) e->on_old = false;
}

void Early::client_left(InvocationId id) {
  if (Entry* e = find(id)) e->left = true;
}

void Early::withdraw(InvocationId id) {
  waiting_.remove_if([&](const Entry& e) { return e.asked.id == id; });
}

std::vector<InvocationId> Early::clear() {
  std::vector<InvocationId> all;
  for (const Entry& e : waiting_) all.push_back(e.asked.id);
  waiting_.clear();
  return all;
}

std::optional<Early::Ready> Early::take(TimePoint now) {
  const auto it = std::find_if(waiting_.begin(), waiting_.end(),
                               [&](const Entry& e) { return !e.on_old && known(e.asked.generation); });
  if (it == waiting_.end()) return std::nullopt;
  const Ready ready{it->asked, it->left, now - it->arrived};
  waiting_.erase(it);
  return ready;
}

Early::Overdue Early::strike(TimePoint now) {
  Overdue over;
  for (Entry& e : waiting_) {
    if (after(e.since, patience_) > now) continue;
    e.since = now;
    if (e.on_old) over.not_given_back.push_back(e.asked.id);
    if (!known(e.asked.generation)) over.missing = std::max(over.missing, e.asked.generation);
  }
  excused_ = std::max(excused_, over.missing);
  return over;
}

std::optional<TimePoint> Early::next_wakeup() const {
  std::optional<TimePoint> at;
  for (const Entry& e : waiting_) {
    const TimePoint due = after(e.since, patience_);
    if (due != TimePoint::max() && (!at || due < *at)) at = due;
  }
  return at;
}

}  // namespace vsim::instance
