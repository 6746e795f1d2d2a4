// When bytes passed on one stream or socket, coarsely: the time since the first look in spans, and of each
// span whether something came from the client and whether something went to it. Who looks gives the totals so
// far, so that nobody is asked about single chunks. Of bounded size: when there are too many spans, each
// becomes twice as long. Pure; kept by app/edge for what is open.
#pragma once

#include <bitset>
#include <string>

#include "base/exchange.hpp"
#include "base/time.hpp"

namespace vsim::engine {

class Ticks {
 public:
  static constexpr std::size_t kMost = 128;
  static constexpr Duration kEach = std::chrono::milliseconds(200);

  // What has passed until `at`: it is of the span that ends there. Another `watch` begins anew, since nobody
  // looked meanwhile. True: something has passed since the last look.
  bool look(TimePoint at, const ExchangeTotals& totals, unsigned watch);

  TimePoint from() const { return from_; }
  Duration each() const { return each_; }
  // A letter for each span: `o` out, `i` in, `b` both, `.` nothing; those behind the last are left out.
  std::string spans() const;
  // For as long as a span at least, and with something in it; of another watch nothing is known to its end.
  bool says_something(unsigned watch) const {
    return watch == watch_ && last_ - from_ >= kEach && (in_ | out_).any();
  }

 private:
  void widen();

  TimePoint from_{}, last_{};
  Duration each_ = kEach;
  ExchangeTotals seen_;
  unsigned watch_ = 0;
  std::bitset<kMost> in_, out_;
};

}  // namespace vsim::engine
