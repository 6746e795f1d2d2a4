#include <condition_variable>
#include <mutex>

#include "project/watcher.hpp"

namespace vsim::project {
namespace {

// Says "changed" at every interval: whoever rescans compares modification times anyway, and a rescan without
// changes is cheap.
class PollingWatcher final : public Watcher {
 public:
  explicit PollingWatcher(std::chrono::milliseconds interval) : interval_(interval) {}
  Watched watch(const std::vector<std::string>&) override { return {}; }
  Wake wait(std::chrono::milliseconds most) override {
    std::unique_lock lock(mutex_);
    const bool short_wait = most.count() >= 0 && most < interval_;
    const auto woken = [&] { return woken_; };
    if (changed_.wait_for(lock, short_wait ? most : interval_, woken)) {
      woken_ = false;
      return Wake::woken;
    }
    return short_wait ? Wake::timeout : Wake::changed;
  }
  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    changed_.notify_one();
  }

 private:
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace

std::unique_ptr<Watcher> make_polling_watcher(std::chrono::milliseconds interval) {
  return std::make_unique<PollingWatcher>(interval);
}

}  // namespace vsim::project
