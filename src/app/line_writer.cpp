#include "app/line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace vsim::app {

using namespace std::chrono_literals;

LineWriter::LineWriter(int fd, bool owned) : fd_(fd), owned_(owned), thread_([this] { run(); }) {}

LineWriter::~LineWriter() {
  flush();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    wake_.notify_all();
  }
  thread_.join();
  if (owned_) ::close(fd_);
}

std::uint64_t LineWriter::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void LineWriter::flush() {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  wake_.notify_all();
  written_.wait_for(lock, 1s, [this] { return (buffer_.empty() && !writing_) || broken_; });
  hurry_ = false;
}

void LineWriter::run() {
  std::string out;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return asked_ || stop_; });
    if (!asked_) return;
    if (!hurry_ && !stop_) wake_.wait_for(lock, 5ms, [this] { return hurry_ || stop_; });  // gather
    out.swap(buffer_);
    buffer_.clear();
    asked_ = false;
    writing_ = true;
    lock.unlock();
    for (std::size_t at = 0; at < out.size() && !broken_;) {
      const ssize_t n = ::write(fd_, out.data() + at, out.size() - at);
      if (n > 0) {
        at += static_cast<std::size_t>(n);
      } else if (errno == EAGAIN) {  // somebody made our terminal non-blocking
        pollfd ready{fd_, POLLOUT, 0};
        ::poll(&ready, 1, 200);
        const std::lock_guard again(mutex_);
        if (stop_) break;
      } else if (errno != EINTR) {
        const std::lock_guard again(mutex_);
        broken_ = true;  // the reader is gone; the emulator goes on
      }
    }
    if (out.capacity() > (1u << 20)) std::string().swap(out);
    out.clear();
    lock.lock();
    writing_ = false;
    written_.notify_all();
  }
}

}  // namespace vsim::app
