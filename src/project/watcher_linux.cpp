#include "project/watcher.hpp"

#ifdef __linux__

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <set>

namespace vsim::project {
namespace {

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

class InotifyWatcher final : public Watcher {
 public:
  InotifyWatcher(int inotify, int event) : inotify_(inotify), event_(event) {}
  ~InotifyWatcher() override {
    ::close(inotify_);
    ::close(event_);
  }
  InotifyWatcher(const InotifyWatcher&) = delete;
  InotifyWatcher& operator=(const InotifyWatcher&) = delete;

  Watched watch(const std::vector<std::string>& directories) override {
    const std::set<std::string> wanted(directories.begin(), directories.end());
    Watched result;
    std::map<std::string, int> kept;
    std::set<int> in_use;
    for (const std::string& d : wanted) {
      // Adding a watched directory again gives the same number, and a new one when it was replaced by another
      // of the same name.
      const int id = ::inotify_add_watch(inotify_, d.c_str(), kMask);
      if (id >= 0) {
        const auto before = watched_.find(d);
        if (before == watched_.end() || before->second != id) result.fresh = true;
        kept[d] = id;
        in_use.insert(id);
      } else if (errno != ENOENT && errno != ENOTDIR) {
        result.all = false;
      }
    }
    for (const auto& [d, id] : watched_)
      if (!in_use.contains(id)) ::inotify_rm_watch(inotify_, id);
    watched_ = std::move(kept);
    return result;
  }

  Wake wait(std::chrono::milliseconds most) override {
    const bool forever = most.count() < 0;
    const auto until = std::chrono::steady_clock::now() + most;
    while (true) {
      pollfd fds[2] = {{inotify_, POLLIN, 0}, {event_, POLLIN, 0}};
      int left = -1;
      if (!forever) {
        const auto rest =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
        left = rest > 0 ? static_cast<int>(std::min<std::int64_t>(rest, 1'000'000)) : 0;
      }
      const int n = ::poll(fds, 2, left);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Wake::timeout;
      if ((fds[1].revents & POLLIN) != 0) {
        std::uint64_t value = 0;
        [[maybe_unused]] const ssize_t got = ::read(event_, &value, sizeof value);
        return Wake::woken;
      }
      if ((fds[0].revents & POLLIN) != 0) {
        if (drain()) return Wake::changed;
        continue;  // only the echo of watches taken away
      }
      if (n == 0 && !forever) return Wake::timeout;
    }
  }

  void wake() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof one);
  }

 private:
  bool drain() {
    alignas(inotify_event) char buffer[16384];
    bool news = false;
    while (true) {
      const ssize_t n = ::read(inotify_, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return news;
      for (ssize_t at = 0; at < n;) {
        const auto* e = reinterpret_cast<const inotify_event*>(buffer + at);
        if ((e->mask & IN_IGNORED) == 0) news = true;
        at += static_cast<ssize_t>(sizeof(inotify_event) + e->len);
      }
    }
  }

  const int inotify_, event_;
  std::map<std::string, int> watched_;
};

}  // namespace

std::unique_ptr<Watcher> make_inotify_watcher() {
  const int inotify = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify < 0) return nullptr;
  const int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event < 0) {
    ::close(inotify);
    return nullptr;
  }
  return std::make_unique<InotifyWatcher>(inotify, event);
}

}  // namespace vsim::project

#else

namespace vsim::project {
std::unique_ptr<Watcher> make_inotify_watcher() { return nullptr; }
}  // namespace vsim::project

#endif
