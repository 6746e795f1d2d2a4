// Bounded waits for many connections with one timer: each class of wait has one length, so its list is in
// order of expiry and joining, leaving and renewing are O(1). The timer runs only while something is bounded,
// so idle streams cause no wake-ups. I/O thread only.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>

namespace vsim::net {

namespace asio = boost::asio;

enum class Wait : unsigned char {
  none,
  head,        // a request head has begun (or the connection is new) and is not whole
  keep_alive,  // between two requests
  body,        // the client owes us bytes of a request body
  stalled,     // the client takes nothing of a response that is under way
  drain,       // a finished response that the client does not take, or a closing connection
  connect,     // to the app
  idle_upstream,
  kCount
};

class Waiter
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void on_timeout(Wait) = 0;
  Wait waiting() const { return wait_; }

 protected:
  virtual ~Waiter() = default;

 private:
  friend class Timeouts;
  Wait wait_ = Wait::none;
  std::chrono::steady_clock::time_point since_;
};

class Timeouts {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Timeouts(asio::io_context& io) : timer_(io) {}

  // Starts, renews or (Wait::none) ends the bounded wait of `w`. A waiter has one at a time.
  void set(Waiter& w, Wait wait) {
    if (w.is_linked()) w.unlink();
    w.wait_ = wait;
    if (wait == Wait::none) return;
    w.since_ = coarse_now();
    lists_[index(wait)].push_back(w);
    if (const auto at = w.since_ + kLength[index(wait)]; at < armed_for_) arm(at);
  }
  void stop() {
    armed_for_ = Clock::time_point::min();  // never again
    timer_.cancel();
  }

 private:
  // A few milliseconds behind at most (the kernel's tick), and several times cheaper; these waits are
  // seconds.
  static Clock::time_point coarse_now() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return Clock::time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  }
  using List = boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>>;
  static constexpr std::size_t index(Wait w) { return static_cast<std::size_t>(w); }
  // Chosen for a developer's machine: generous to a person with a debugger, still an end to what would leak.
  // The last is below Node's keepAliveTimeout of 5 s, so that we never write to a connection that Node is
  // closing.
  static constexpr std::array<std::chrono::milliseconds, static_cast<std::size_t>(Wait::kCount)> kLength{
      std::chrono::milliseconds{0}, std::chrono::seconds{30},  std::chrono::seconds{75},
      std::chrono::seconds{60},     std::chrono::seconds{120}, std::chrono::seconds{30},
      std::chrono::seconds{10},     std::chrono::seconds{4}};

  void arm(Clock::time_point at) {
    armed_for_ = at;
    timer_.expires_at(at);
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error) expire();
    });
  }
  void expire() {
    armed_for_ = kNever;
    const auto now = Clock::now();
    auto next = kNever;
    for (std::size_t i = 1; i < lists_.size(); ++i) {
      while (!lists_[i].empty() && lists_[i].front().since_ + kLength[i] <= now) {
        Waiter& w = lists_[i].front();
        const Wait wait = w.wait_;
        w.unlink();
        w.wait_ = Wait::none;
        w.on_timeout(wait);
      }
      if (!lists_[i].empty()) next = std::min(next, lists_[i].front().since_ + kLength[i]);
    }
    if (next < armed_for_) arm(next);
  }

  std::array<List, static_cast<std::size_t>(Wait::kCount)> lists_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, asio::io_context::executor_type> timer_;
  static constexpr Clock::time_point kNever = Clock::time_point::max();
  Clock::time_point armed_for_ = kNever;
};

}  // namespace vsim::net
