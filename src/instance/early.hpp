// Invocations that must not be placed yet: next dev has dispatched them after a change that it has not told
// of (their instance would be chosen without knowing which ones are stale), or the instance that left them to
// the next route has not given them back. Both are a matter of milliseconds, and both waits have a limit.
// Pure.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "instance/ids.hpp"

namespace vsim::instance {

class Early {
 public:
  struct Asked {
    InvocationId id = InvocationId::none;
    FunctionId function = FunctionId::none;
    InvocationId parent = InvocationId::none;
    Generation generation = 0;  // all changes up to that must be known
  };
  struct Ready {
    Asked asked;
    bool left = false;  // its client
    Duration waited;
  };
  struct Overdue {
    std::vector<InvocationId> not_given_back;
    Generation missing = 0;  // the change that was not told; 0: none
  };

  explicit Early(Duration patience) : patience_(patience) {}

  // Nobody has to wait for the changes up to it.
  bool known(Generation g) const { return g <= told_ || g <= excused_; }
  void add(const Asked&, bool on_its_old_instance, TimePoint now);
  // All changes up to that are known.
  void announced(Generation);
  void given_back(InvocationId);
  void client_left(InvocationId);
  void withdraw(InvocationId);
  std::vector<InvocationId> clear();

  // The first that may be asked for, in order of arrival; it is not here any more.
  std::optional<Ready> take(TimePoint now);
  // Who has waited too long. The change that is missing is not waited for any more, by nobody, until another
  // one is told: then next dev and we count the same again. Whoever stays has the whole time again.
  Overdue strike(TimePoint now);
  std::optional<TimePoint> next_wakeup() const;
  bool empty() const { return waiting_.empty(); }

 private:
  struct Entry {
    Asked asked;
    bool on_old, left;
    TimePoint arrived, since;
  };
  Entry* find(InvocationId);

  Duration patience_;
  Generation told_ = 0, excused_ = 0;
  std::list<Entry> waiting_;  // in order of arrival
};

}  // namespace vsim::instance
