// Text to a file descriptor from a thread of its own, so that a slow terminal, a full pipe or a slow disk
// never holds up the proxy. Producers append on the I/O thread; the writer gathers for a few milliseconds and
// writes once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace vsim::app {

class LineWriter {
 public:
  // `fd` is not closed, unless `owned`.
  explicit LineWriter(int fd, bool owned = false);
  ~LineWriter();  // writes what is left, for a second at most
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // fill(std::string&) appends; called at once. When the reader is far behind (kMost) it is not called, and
  // the loss is counted.
  template <class Fill>
  void append(Fill fill) {
    const std::lock_guard lock(mutex_);
    if (buffer_.size() > kMost) {
      ++lost_;
      return;
    }
    fill(buffer_);
    if (!asked_) {
      asked_ = true;
      wake_.notify_one();
    }
  }
  std::uint64_t lost() const;
  // Everything appended so far has been handed to the system when this returns, or the time is over.
  void flush();

 private:
  static constexpr std::size_t kMost = 16u << 20;
  void run();

  const int fd_;
  const bool owned_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, written_;
  std::string buffer_;
  std::uint64_t lost_ = 0;
  bool asked_ = false, hurry_ = false, writing_ = false, stop_ = false, broken_ = false;
  std::thread thread_;
};

}  // namespace vsim::app
