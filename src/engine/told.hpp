// What was remarked on already: each name once, and not for ever more of them. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace vsim::engine {

class Told {
 public:
  static constexpr std::size_t kMost = 64;
  bool may_tell(std::string_view name) const { return names_.size() < kMost && !names_.contains(name); }
  // True when it may be told; from then on it was.
  bool tell(std::string_view name) { return may_tell(name) && names_.emplace(name).second; }
  void clear() { names_.clear(); }

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace vsim::engine
