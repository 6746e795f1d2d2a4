#include "app/recording_file.hpp"

#include <unistd.h>

#include <cerrno>

namespace vsim::app {

RecordingFile::RecordingFile(int fd) : fd_(fd), thread_([this] { run(); }) {}

RecordingFile::~RecordingFile() { close(); }

void RecordingFile::put(Item&& item, std::size_t size) {
  const std::lock_guard lock(mutex_);
  // A verdict is small, and belongs to a request that is written or counted already.
  if (waiting_ + size > kMost && waiting_ > 0 && std::holds_alternative<replay::RecordedRequest>(item)) {
    ++lost_;
    return;
  }
  waiting_ += size;
  queue_.push_back(std::move(item));
  wake_.notify_one();
}

void RecordingFile::began(const replay::About& about) {
  begun_ = true;
  put(about, 0);
}

void RecordingFile::ended(replay::RecordedRequest&& request, std::string_view) {
  if (!begun_) return;
  std::size_t size = 512 + request.target.size() + request.body.bytes.size();
  for (const auto& h : request.headers) size += h.name.size() + h.value.size();
  put(std::move(request), size);
}

void RecordingFile::later(std::uint64_t n, limits::Code code) {
  if (begun_) put(Later{n, code}, 16);
}

void RecordingFile::close() {
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return;
    stop_ = true;
    wake_.notify_one();
  }
  thread_.join();
  if (begun_) {
    std::string text;
    replay::encode_end(text, requests_, lost_);
    write(text);
  }
  ::close(fd_);
}

void RecordingFile::run() {
  std::deque<Item> items;
  std::string text;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    items.swap(queue_);
    waiting_ = 0;
    lock.unlock();
    for (const Item& item : items) {
      text.clear();
      if (const auto* later = std::get_if<Later>(&item)) {
        replay::encode_later(text, later->first, later->second);
      } else if (const auto* request = std::get_if<replay::RecordedRequest>(&item)) {
        replay::encode(text, *request);
        ++requests_;
      } else {
        if (::ftruncate(fd_, 0) != 0) error_ = errno;
        replay::encode(text, std::get<replay::About>(item));
      }
      write(text);
    }
    items.clear();
    lock.lock();
  }
}

void RecordingFile::write(std::string_view text) {
  while (!text.empty() && error_ == 0) {
    const ssize_t n = ::write(fd_, text.data(), text.size());
    if (n >= 0)
      text.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR)
      error_ = errno;
  }
}

}  // namespace vsim::app
