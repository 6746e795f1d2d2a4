// How many requests of a function come together: so many copies of its template are worth having. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <utility>

#include "base/time.hpp"
#include "instance/ids.hpp"

namespace vsim::instance {

class Bursts {
 public:
  // Requests that follow each other sooner than this are one burst. Longer than a copy takes to be made on a
  // busy machine (100 ms): what comes later than that finds one that was made meanwhile.
  static constexpr Duration kGap = std::chrono::milliseconds(250);

  void asked(FunctionId f, TimePoint now) {
    Of& of = of_[f];
    if (now - of.last >= kGap) of.before = std::exchange(of.size, 0);
    ++of.size;
    of.last = last_ = now;
  }

  // The larger of the last two, in requests: one click between does not forget what a page asks for.
  std::size_t of(FunctionId f) const {
    const auto it = of_.find(f);
    return it == of_.end() ? 0 : std::max(it->second.size, it->second.before);
  }

  // When a request, of whichever function, was asked for last.
  TimePoint last() const { return last_; }

 private:
  struct Of {
    std::size_t size = 0, before = 0;
    TimePoint last{};
  };
  std::map<FunctionId, Of> of_;
  TimePoint last_{};
};

}  // namespace vsim::instance
