// Which instance has put which file into its /tmp, so that one that looks for it elsewhere in vain is seen.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace vsim::limits {

class TmpFiles {
 public:
  using Instance = std::uint64_t;

  // A file or folder that it made or wrote. `at_build`: so may the build, on a machine of its own.
  void wrote(Instance, std::string_view path, bool at_build = false);
  // It took it away, and what lies in it.
  void removed(Instance, std::string_view path);
  // Another instance than this one that has it, or something in it: the latest. Nullopt also where this one
  // has had it itself: then it is the function's own doing that it is gone. `at_build`: who looks for it may
  // be run by the build, which has what else the build wrote.
  std::optional<Instance> elsewhere(Instance, std::string_view path, bool at_build = false) const;

 private:
  static constexpr std::size_t kMost = 4096;  // the oldest are forgotten
  struct File {
    Instance by;
    std::string path;
    bool at_build = false;
    bool gone = false;  // taken away again
  };
  std::deque<File> files_;
};

}  // namespace vsim::limits
