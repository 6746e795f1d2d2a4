// The core of a run with what it needs of the machine: a clock to be told by, one timer for all its
// deadlines, and hands. Whatever happens to a request or an instance is told through tell(); what the core
// wants done is carried out in its order, and what that leads to is told and obeyed behind it. I/O thread
// only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string_view>
#include <type_traits>

#include "app/clock.hpp"
#include "base/in_order.hpp"
#include "core/core.hpp"
#include "net/upstream.hpp"

namespace vsim::app {

// Where a request goes that has an instance.
struct Placed {
  net::UpstreamPool& pool;
  std::string_view secret;  // by which it knows us and we it
};

class CoreLoop final : core::Senses, OnClock {
 public:
  // Who has the connections of clients.
  class Requests {
   public:
    virtual void end(const core::EndExchange&) = 0;
    virtual void send(InvocationId, const Placed&) = 0;  // if its client is gone: unsent()
    virtual void not_there(InvocationId) = 0;            // the instance that it was to be sent to
    virtual ExchangeTotals totals(InvocationId) const = 0;

   protected:
    ~Requests() = default;
  };
  // Who has the processes of instances.
  class Instances {
   public:
    virtual std::optional<Placed> place(const core::SendTo&) = 0;  // nullopt: there is no such process
    virtual void obey(core::CoreCommand&) = 0;
    virtual bool busy(instance::InstanceId) const = 0;
    virtual Duration unserved(instance::InstanceId) const = 0;
    // As core::Senses's, which see.
    virtual void changed_state(instance::InstanceId, const instance::InstanceState& from,
                               const instance::InstanceState& to, instance::GroupId) = 0;

   protected:
    ~Instances() = default;
  };

  // `profile` and `sink` must outlive it.
  CoreLoop(boost::asio::io_context&, const profile::Profile& profile, engine::EngineOptions,
           event::Sink& sink);
  ~CoreLoop() override;

  // Both come and go while it runs; null: there are none.
  void serve(Requests* requests) { requests_ = requests; }
  void serve(Instances* instances) { instances_ = instances; }

  const core::Core& core() const { return core_; }
  engine::Engine& engine() { return core_.engine(); }

  // f(core, moment, commands): its answer is the answer.
  template <class F>
  auto tell(TimePoint at, F f) {
    const core::Moment moment{at, wall_at(at)};
    if constexpr (std::is_void_v<decltype(f(core_, moment, commands_.asked()))>) {
      f(core_, moment, commands_.asked());
      carry_out();
    } else {
      const auto answer = f(core_, moment, commands_.asked());
      carry_out();
      return answer;
    }
  }
  template <class F>
  auto tell(F f) {
    return tell(now(), f);
  }
  // What is the scheduler's alone: f(scheduler, now, its commands).
  template <class F>
  void tell_scheduler(F f) {
    tell([&](core::Core& core, const core::Moment& m, auto& out) { core.schedule(m, out, f); });
  }
  // No deadline strikes from now on.
  void stop();

 private:
  // core::Senses
  ExchangeTotals totals(InvocationId) const override;
  bool busy(instance::InstanceId) const override;
  Duration unserved(instance::InstanceId) const override;
  void on_state(instance::InstanceId, const instance::InstanceState& from, const instance::InstanceState& to,
                instance::GroupId, TimePoint) override;

  void carry_out();
  void obey(core::CoreCommand&);
  void obey(const core::SendTo&);
  void arm();

  core::Core core_;
  InOrder<core::CoreCommand> commands_;
  Requests* requests_ = nullptr;
  Instances* instances_ = nullptr;
  Timer timer_;
  TimePoint armed_for_ = TimePoint::max();
  bool stopped_ = false;
};

}  // namespace vsim::app
