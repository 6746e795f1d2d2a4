#include "app/clock.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/execution_context.hpp>

namespace vsim::app {
namespace {

namespace asio = boost::asio;

class MachineAlarm final : public Clock::Alarm {
 public:
  explicit MachineAlarm(asio::io_context& io) : timer_(io) {}
  void set(TimePoint at, Clock::Then then) override {
    timer_.expires_at(to_steady(at));
    timer_.async_wait(std::move(then));
  }
  void cancel() override { timer_.cancel(); }

 private:
  // The context's own executor, by its type: a general one costs an allocation for each wait.
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      timer_;
};

class MachineClock final : public Clock {
 public:
  TimePoint now() const override { return app::now(); }
  WallTime wall_at(TimePoint at) const override { return app::wall_at(at); }
  std::unique_ptr<Alarm> alarm(asio::io_context& io) override { return std::make_unique<MachineAlarm>(io); }
};

MachineClock machine;

// What a context goes by, kept with it as asio keeps its reactor.
class ClockOf final : public asio::execution_context::service {
 public:
  using key_type = ClockOf;
  static asio::execution_context::id id;
  explicit ClockOf(asio::execution_context& context) : asio::execution_context::service(context) {}
  Clock* clock = &machine;

 private:
  void shutdown() override {}
};

asio::execution_context::id ClockOf::id;

}  // namespace

Clock& Clock::of(asio::io_context& io) { return *asio::use_service<ClockOf>(io).clock; }

Clock& Clock::set(asio::io_context& io, Clock* clock) {
  if (clock != nullptr) asio::use_service<ClockOf>(io).clock = clock;
  return of(io);
}

}  // namespace vsim::app
