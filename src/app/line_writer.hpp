// Text to a file descriptor from a thread of its own, so that a slow terminal, a full pipe or a slow disk
// never holds up the proxy. Producers append on the I/O thread; the writer gathers for a few milliseconds and
// writes once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace vsim::app {

class LineWriter {
 public:
  // `fd` is not closed, unless `owned`. `failed` is called once with error(), on the writer's thread and not
  // after the destructor has returned.
  explicit LineWriter(int fd, bool owned = false, std::function<void(int)> failed = {});
  // Writes what is left, for a second at most: a stopped terminal or a pipe that nobody reads does not hold
  // up the end of the program. What could not be written then is lost, and `fd` stays open.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // fill(std::string&) appends one piece; called at once. It is written after the next hand_over(): gathered
  // without a lock, since a lock for each line would wait for the line's own bytes to leave the processor.
  template <class Fill>
  void gather(Fill fill) {
    fill(gathered_);
    ++pieces_;
    if (gathered_.size() >= kGather) hand_over();
  }
  // To the thread that writes. When the reader is far behind (kMost) what was gathered is thrown away, and
  // the loss is counted in pieces.
  void hand_over();
  template <class Fill>
  void append(Fill fill) {
    gather(fill);
    hand_over();
  }
  std::uint64_t lost() const;
  // At most so many lines were appended and have not been handed to the system yet.
  std::uint64_t behind() const;
  // Why writing ended for good (errno: ENOSPC, EPIPE…); 0 while it goes on.
  int error() const;
  // Everything appended so far has been handed to the system when this returns, or the time is over.
  void flush();

 private:
  static constexpr std::size_t kMost = 16u << 20, kGather = 64u << 10;
  // Outlives the writer when its thread is stuck in write().
  struct Shared {
    Shared(int descriptor, bool is_owned, std::function<void(int)> on_failure)
        : fd(descriptor), owned(is_owned), failed(std::move(on_failure)) {}
    const int fd;
    const bool owned;
    std::function<void(int)> failed;
    std::mutex mutex;
    std::condition_variable wake, written;
    std::string buffer;
    std::string out;  // what is being written; changed with the mutex held only
    std::uint64_t lost = 0;
    int error = 0;
    bool asked = false, hurry = false, writing = false, stop = false, over = false;
  };
  static void run(Shared&);

  std::string gathered_;
  std::uint64_t pieces_ = 0;  // in it
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace vsim::app
