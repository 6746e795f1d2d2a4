#include "engine/ticks.hpp"

#include <algorithm>

namespace vsim::engine {

bool Ticks::look(TimePoint at, const ExchangeTotals& totals, unsigned watch) {
  if (watch != watch_) {
    *this = {};
    watch_ = watch;
    from_ = last_ = at;
    seen_ = totals;
    return false;
  }
  const bool in = totals.bytes_in != seen_.bytes_in, out = totals.bytes_out != seen_.bytes_out;
  last_ = std::max(last_, at);
  seen_ = totals;
  if (!in && !out) return false;
  // What is seen at the end of a span was within it.
  const Duration since = std::max(last_ - from_ - Duration(1), Duration::zero());
  while (since / each_ >= static_cast<Duration::rep>(kMost)) widen();
  const auto index = static_cast<std::size_t>(since / each_);
  if (in) in_.set(index);
  if (out) out_.set(index);
  return true;
}

void Ticks::widen() {
  for (auto* bits : {&in_, &out_}) {
    std::bitset<kMost> wide;
    for (std::size_t i = 0; i < kMost; ++i)
      if (bits->test(i)) wide.set(i / 2);
    *bits = wide;
  }
  each_ *= 2;
}

std::string Ticks::spans() const {
  std::string text;
  for (std::size_t i = 0; i < kMost; ++i)
    text += in_.test(i) ? (out_.test(i) ? 'b' : 'i') : out_.test(i) ? 'o' : '.';
  text.resize(text.find_last_not_of('.') + 1);
  return text;
}

}  // namespace vsim::engine
