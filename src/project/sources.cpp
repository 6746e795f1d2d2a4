#include "project/sources.hpp"

#include <atomic>
#include <mutex>
#include <thread>

#include "log/log.hpp"
#include "project/scanner.hpp"
#include "project/watcher.hpp"

namespace vsim::project {

struct SourceIndex::Impl {
  explicit Impl(SourceOptions o) : options(std::move(o)), known(options.known), scanner(options) {}

  const SourceOptions options;
  std::mutex mutex;  // guards `known`
  KnownConfig known;
  std::atomic<bool> stopping{false};
  std::unique_ptr<Watcher> watcher;
  std::thread thread;
  Callback on_change;

  // Before start() of the caller, afterwards of the thread.
  Scanner scanner;
  std::string last;
  std::uint64_t version = 0;
  std::shared_ptr<const Snapshot> current;

  KnownConfig known_now() {
    const std::lock_guard lock(mutex);
    return known;
  }

  // The snapshot if it differs from the last one.
  std::shared_ptr<const Snapshot> rescan() {
    std::shared_ptr<Snapshot> snapshot = scanner.scan(known_now());
    std::string text = Scanner::fingerprint(*snapshot);
    if (version > 0 && text == last) return nullptr;
    last = std::move(text);
    snapshot->version = ++version;
    log::debug(log::Logger::project, "the sources, version {}: {} names, {} read", version, snapshot->files,
               snapshot->parsed);
    current = snapshot;
    return snapshot;
  }

  // Watches are set after the scan that found the directories, so what changed in between is only seen by one
  // more scan.
  void watch_and_settle() {
    for (int i = 0; i < 5 && !stopping; ++i) {
      const Watcher::Watched now = watcher->watch(scanner.directories());
      if (!now.all) {
        const std::lock_guard lock(mutex);
        watcher = make_polling_watcher(options.poll_interval);
        log::warn(log::Logger::project,
                  "not every directory can be watched: the sources are looked through every {} ms",
                  options.poll_interval.count());
        return;
      }
      if (!now.fresh) return;
      if (auto news = rescan(); news && !stopping) on_change(news);
    }
  }

  void run() {
    if (auto first = rescan(); first && !stopping) on_change(first);
    watch_and_settle();
    while (!stopping) {
      Watcher::Wake why = watcher->wait(std::chrono::milliseconds(-1));
      // Wait for quiet, but not for ever: a build that writes all the time must not hide a change.
      for (int bursts = 0;
           why == Watcher::Wake::changed && bursts < 10 && !stopping && !options.force_polling; ++bursts) {
        why = watcher->wait(options.debounce);
        if (why == Watcher::Wake::timeout) break;
      }
      if (stopping) return;
      if (auto news = rescan(); news && !stopping) on_change(news);
      watch_and_settle();
    }
  }
};

SourceIndex::SourceIndex(SourceOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
SourceIndex::~SourceIndex() { stop(); }

std::shared_ptr<const Snapshot> SourceIndex::scan() {
  impl_->rescan();
  return impl_->current;
}

void SourceIndex::start(Callback on_change) {
  impl_->on_change = std::move(on_change);
  if (!impl_->options.force_polling) impl_->watcher = make_inotify_watcher();
  if (impl_->watcher == nullptr) impl_->watcher = make_polling_watcher(impl_->options.poll_interval);
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

void SourceIndex::set_known(KnownConfig known) {
  const std::lock_guard lock(impl_->mutex);
  impl_->known = std::move(known);
  if (impl_->watcher != nullptr) impl_->watcher->wake();
}

void SourceIndex::stop() {
  if (!impl_->thread.joinable()) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    if (impl_->watcher != nullptr) impl_->watcher->wake();
  }
  impl_->thread.join();
}

}  // namespace vsim::project
