// What an instance weighs that has run nothing of the user's: Node, Next and a dev server's renderer, which
// are no use of the function's. The core tells it of each look at an instance, and judges by what is left.
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace vsim::core {

class IdleMemory {
 public:
  // `ran`: user code of a request has begun there; what it weighs since then, even at the first look, is no
  // idle instance's.
  void look(bool ran, std::uint64_t bytes) {
    if (!ran) lightest_ = lightest_ == 0 ? bytes : std::min(lightest_, bytes);
  }
  // Of `bytes` those that are the function's; all of them while no idle instance was seen.
  std::uint64_t own(std::uint64_t bytes) const { return bytes - std::min(bytes, lightest_); }
  std::uint64_t lightest() const { return lightest_; }  // 0: none was seen

 private:
  std::uint64_t lightest_ = 0;
};

}  // namespace vsim::core
