#include "app/line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

namespace vsim::app {

using namespace std::chrono_literals;

namespace {

std::uint64_t lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

LineWriter::LineWriter(int fd, bool owned, std::function<void(int)> failed)
    : shared_(std::make_shared<Shared>(fd, owned, std::move(failed))),
      thread_([shared = shared_] { run(*shared); }) {}

LineWriter::~LineWriter() {
  hand_over();
  std::unique_lock lock(shared_->mutex);
  shared_->stop = true;
  shared_->wake.notify_all();
  if (shared_->written.wait_for(lock, 1s, [this] { return shared_->over; })) {
    lock.unlock();
    thread_.join();
  } else {
    shared_->failed = nullptr;
    thread_.detach();
  }
}

void LineWriter::hand_over() {
  if (pieces_ == 0) return;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->buffer.size() > kMost) {
      shared_->lost += pieces_;
    } else {
      shared_->buffer.append(gathered_);
      if (!std::exchange(shared_->asked, true)) shared_->wake.notify_one();
    }
  }
  gathered_.clear();
  pieces_ = 0;
}

std::uint64_t LineWriter::lost() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->lost;
}

std::uint64_t LineWriter::behind() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->error != 0 ? 0 : lines(shared_->buffer) + lines(shared_->out);
}

int LineWriter::error() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->error;
}

void LineWriter::flush() {
  hand_over();
  std::unique_lock lock(shared_->mutex);
  shared_->hurry = true;
  shared_->wake.notify_all();
  shared_->written.wait_for(
      lock, 1s, [this] { return (shared_->buffer.empty() && !shared_->writing) || shared_->error != 0; });
  shared_->hurry = false;
}

void LineWriter::run(Shared& s) {
  std::string& out = s.out;
  std::unique_lock lock(s.mutex);
  for (;;) {
    s.wake.wait(lock, [&] { return s.asked || s.stop; });
    if (!s.asked) break;
    if (!s.hurry && !s.stop) s.wake.wait_for(lock, 20ms, [&] { return s.hurry || s.stop; });  // gather
    out.swap(s.buffer);
    s.buffer.clear();
    s.asked = false;
    s.writing = true;
    int error = s.error;
    lock.unlock();
    for (std::size_t at = 0; at < out.size() && error == 0;) {
      const ssize_t n = ::write(s.fd, out.data() + at, out.size() - at);
      if (n >= 0) {
        at += static_cast<std::size_t>(n);
      } else if (errno == EAGAIN) {  // somebody made our terminal non-blocking
        pollfd ready{s.fd, POLLOUT, 0};
        ::poll(&ready, 1, 200);
      } else if (errno != EINTR) {
        error = errno;  // the reader is gone, the disk is full; the emulator goes on
      }
    }
    lock.lock();
    if (out.capacity() > (1u << 20)) std::string().swap(out);
    out.clear();
    s.writing = false;
    s.written.notify_all();
    if (error == 0 || std::exchange(s.error, error) != 0) continue;
    if (const auto failed = std::move(s.failed)) {
      lock.unlock();
      failed(error);
      lock.lock();
    }
  }
  if (s.owned) ::close(s.fd);
  s.over = true;
  s.written.notify_all();
}

}  // namespace vsim::app
