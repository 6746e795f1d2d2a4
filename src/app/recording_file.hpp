// The file of --record, written by a thread of its own: encoding a body of megabytes is nothing for the I/O
// thread. What the disk does not take in time is counted, not waited for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "app/recorder.hpp"

namespace vsim::app {

class RecordingFile final : public RecordTarget {
 public:
  // Owns `fd`, which appends. What the file holds stays until began(): a run that fails before leaves the
  // recording of an earlier one as it was.
  explicit RecordingFile(int fd);
  // Writes what is left.
  ~RecordingFile();
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;

  void began(const replay::About&) override;
  void ended(replay::RecordedRequest&&, std::string_view mark) override;
  void later(std::uint64_t n, limits::Code) override;

  // The run is over: writes what is left and, if it began, the last line. Nothing is told after that.
  void close();
  // After close().
  std::uint64_t requests() const { return requests_; }
  std::uint64_t lost() const { return lost_; }
  int error() const { return error_; }  // why writing ended for good (errno); 0: it did not

 private:
  using Later = std::pair<std::uint64_t, limits::Code>;
  using Item = std::variant<replay::About, replay::RecordedRequest, Later>;
  // Of bodies and heads that wait; about a dozen of the largest.
  static constexpr std::size_t kMost = 64u << 20;
  void put(Item&&, std::size_t size);
  void run();
  void write(std::string_view text);

  const int fd_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  std::size_t waiting_ = 0;  // bytes in it
  bool begun_ = false;       // began() was called; of the thread that tells
  bool stop_ = false;
  std::uint64_t requests_ = 0, lost_ = 0;
  int error_ = 0;
  std::thread thread_;
};

}  // namespace vsim::app
