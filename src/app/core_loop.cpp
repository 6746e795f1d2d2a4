#include "app/core_loop.hpp"

#include <variant>

namespace vsim::app {

CoreLoop::CoreLoop(boost::asio::io_context& io, const profile::Profile& profile,
                   engine::EngineOptions options, event::Sink& sink)
    : OnClock(io), core_(profile, options, sink, *this), timer_(io) {}

CoreLoop::~CoreLoop() { stop(); }

void CoreLoop::stop() {
  stopped_ = true;
  timer_.cancel();
}

ExchangeTotals CoreLoop::totals(InvocationId id) const {
  return requests_ != nullptr ? requests_->totals(id) : ExchangeTotals{};
}

bool CoreLoop::busy(instance::InstanceId id) const { return instances_ != nullptr && instances_->busy(id); }

Duration CoreLoop::unserved(instance::InstanceId id) const {
  return instances_ != nullptr ? instances_->unserved(id) : Duration{};
}

void CoreLoop::on_state(instance::InstanceId id, const instance::InstanceState& from,
                        const instance::InstanceState& to, instance::GroupId group, TimePoint) {
  if (instances_ != nullptr) instances_->changed_state(id, from, to, group);
}

void CoreLoop::carry_out() {
  if (commands_.carry_out([this](core::CoreCommand& command) { obey(command); })) arm();
}

void CoreLoop::obey(core::CoreCommand& command) {
  if (const auto* end = std::get_if<core::EndExchange>(&command)) {
    if (requests_ != nullptr) requests_->end(*end);
  } else if (const auto* sent = std::get_if<core::SendTo>(&command)) {
    obey(*sent);
  } else if (instances_ != nullptr) {
    instances_->obey(command);
  }
}

void CoreLoop::obey(const core::SendTo& command) {
  if (requests_ == nullptr) return;
  const auto placed = instances_ != nullptr ? instances_->place(command) : std::nullopt;
  placed ? requests_->send(command.id, *placed) : requests_->not_there(command.id);
}

// The timer is moved only when an earlier deadline appears: a stream of requests with equal limits never
// touches it.
void CoreLoop::arm() {
  const auto next = core_.next_wakeup();
  if (stopped_ || !next || *next >= armed_for_) return;
  armed_for_ = *next;
  timer_.expires_at(*next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    armed_for_ = TimePoint::max();
    tell([](core::Core& core, const core::Moment& m, auto& out) { core.wake(m, out); });
  });
}

}  // namespace vsim::app
