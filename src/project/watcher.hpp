// Tells that something changed in a set of directories. Two forms behind one interface: inotify
// (watcher_linux.cpp, the only file of this module with Linux-only calls) and comparing modification times
// (watcher_poll.cpp), where there is no inotify or it has run out of watches. Used on one thread; only wake()
// may be called from others.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vsim::project {

class Watcher {
 public:
  enum class Wake : std::uint8_t {
    changed,  // something in a watched directory may have changed
    woken,    // wake() was called
    timeout,
  };
  virtual ~Watcher() = default;
  struct Watched {
    bool all = true;     // false: the system has no more watches to give
    bool fresh = false;  // some directory is watched only from now on: what changed in it before was not seen
  };
  // From now on these directories, not what lies below them. Cheap for the ones already watched.
  virtual Watched watch(const std::vector<std::string>& directories) = 0;
  // Waits. A negative time: for ever.
  virtual Wake wait(std::chrono::milliseconds most) = 0;
  virtual void wake() = 0;  // any thread; remembered when nobody waits
};

std::unique_ptr<Watcher> make_inotify_watcher();  // nullptr where the system has none
std::unique_ptr<Watcher> make_polling_watcher(std::chrono::milliseconds interval);

}  // namespace vsim::project
