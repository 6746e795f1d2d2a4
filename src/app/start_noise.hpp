// What every instance writes again while it starts: Node's warnings, a library's greeting, a line at module
// level. Shown for the first of them. Never folded: what is written to standard error and is no warning, and
// all that comes once user code of a request has begun. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace vsim::app {

class StartNoise {
 public:
  enum class Show : std::uint8_t {
    yes,
    no,
    note
  };  // note: instead of it, once in a run, that lines are left out
  // A line without its instance's name, written before the instance's first request has begun.
  Show look(std::string_view text, bool error);

 private:
  std::set<std::string> seen_;
  bool noted_ = false;
};

}  // namespace vsim::app
