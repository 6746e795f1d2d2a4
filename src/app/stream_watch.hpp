// Says when to look how much has passed on what is open, for the ticks of the live page and of reports. No
// chunk is counted for it: after a turn of the I/O thread, at most five times a second, and while no socket
// has anything to tell, never. Nobody is looked at while nobody wants to see it. I/O thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <utility>

#include "app/clock.hpp"
#include "net/poller.hpp"

namespace vsim::app {

class StreamWatch final : private net::Pollable, private OnClock {
 public:
  // `watch`: a number that differs when nobody has looked for a while (engine/ticks.hpp).
  using Look = std::function<void(TimePoint at, unsigned watch)>;
  StreamWatch(boost::asio::io_context& io, Duration each, std::function<bool()> wanted, Look look)
      : OnClock(io),
        poller_(net::Poller::of(io)),
        timer_(io),
        each_(each),
        wanted_(std::move(wanted)),
        look_(std::move(look)) {}
  ~StreamWatch() override { stop(); }
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;

  // Somebody wants to see it from now on.
  void start() {
    if (std::exchange(is_on_, true)) return;
    until_ = now() + kLinger;
    poller_.watch_next(this);
  }
  unsigned number() const { return watch_; }
  void stop() {
    if (!std::exchange(is_on_, false)) return;
    ++watch_;
    poller_.watch_next(nullptr);
    timer_.cancel();
  }

 private:
  // A page that is loaded again is the same watch.
  static constexpr Duration kLinger = std::chrono::seconds(5);

  void on_ready(std::uint32_t) override {
    if (now() >= last_ + each_) return look();
    timer_.expires_at(last_ + each_);
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error && is_on_) look();
    });
  }
  void look() {
    last_ = now();
    if (wanted_()) until_ = last_ + kLinger;
    if (last_ > until_) return stop();
    look_(last_, watch_);
    poller_.watch_next(this);
  }

  net::Poller& poller_;
  Timer timer_;
  const Duration each_;
  const std::function<bool()> wanted_;
  const Look look_;
  bool is_on_ = false;
  unsigned watch_ = 1;
  TimePoint last_{}, until_{};
};

}  // namespace vsim::app
