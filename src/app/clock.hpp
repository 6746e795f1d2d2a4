// The one place that reads the machine's clocks, and the clock that a run goes by: an emulator is given one,
// and all that serves in it asks that and waits by it. A test's stands still until the test moves it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "base/time.hpp"

namespace vsim::app {

// The machine's: for what is no part of a run, or measures this machine.
inline TimePoint now() { return TimePoint(std::chrono::steady_clock::now().time_since_epoch()); }
inline std::chrono::steady_clock::time_point to_steady(TimePoint t) {
  return std::chrono::steady_clock::time_point(t.time_since_epoch());
}

// The wall time of `at`, which is now() or a moment ago. Reads the second clock only now and then: on the
// path of every request.
inline WallTime wall_at(TimePoint at) {
  constexpr Duration kTrusted = std::chrono::milliseconds(50);
  static thread_local TimePoint read_at{};
  static thread_local std::chrono::system_clock::time_point read;
  if (at - read_at > kTrusted || at < read_at) {
    read_at = at;
    read = std::chrono::system_clock::now();
  }
  return {std::chrono::duration_cast<std::chrono::milliseconds>(read.time_since_epoch() + (at - read_at))
              .count()};
}

class Clock {
 public:
  using Then = std::function<void(boost::system::error_code)>;
  // Waits for one moment at a time. I/O thread only.
  class Alarm {
   public:
    virtual ~Alarm() = default;
    // `then` is called at `at`, never from inside this call. When the alarm is set again, cancelled or
    // destroyed before: with an error, or not at all.
    virtual void set(TimePoint at, Then then) = 0;
    virtual void cancel() = 0;
  };
  virtual TimePoint now() const = 0;
  virtual WallTime wall_at(TimePoint) const = 0;  // of now(), or a moment ago
  virtual std::unique_ptr<Alarm> alarm(boost::asio::io_context&) = 0;

  // The clock that all on this context go by: the machine's, unless it was told another one before anybody
  // asked.
  static Clock& of(boost::asio::io_context&);
  static Clock& set(boost::asio::io_context&, Clock*);  // null: the machine's. Outlives the context

 protected:
  ~Clock() = default;
};

// As asio's, by the clock of its context.
class Timer {
 public:
  explicit Timer(boost::asio::io_context& io) : clock_(Clock::of(io)), alarm_(clock_.alarm(io)) {}
  void expires_at(TimePoint at) {
    alarm_->cancel();
    at_ = at;
  }
  void expires_after(Duration wait) { expires_at(after(clock_.now(), wait)); }
  void async_wait(Clock::Then then) { alarm_->set(at_, std::move(then)); }
  void cancel() { alarm_->cancel(); }

 private:
  Clock& clock_;
  std::unique_ptr<Clock::Alarm> alarm_;
  TimePoint at_{};
};

// For whoever goes by the clock of its context: these are found before the machine's.
class OnClock {
 protected:
  explicit OnClock(boost::asio::io_context& io) : clock_(Clock::of(io)) {}
  ~OnClock() = default;
  TimePoint now() const { return clock_.now(); }
  WallTime wall_at(TimePoint at) const { return clock_.wall_at(at); }
  WallTime wall_now() const { return wall_at(now()); }

 private:
  Clock& clock_;
};

}  // namespace vsim::app
