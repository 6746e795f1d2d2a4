// One stream of events, many sinks; gives each event its number, and tells the sinks of a pause once for all
// events of one turn of the I/O thread. I/O thread only.
#pragma once

#include <vector>

#include "event/event.hpp"
#include "net/poller.hpp"

namespace vsim::app {

class EventHub final : public event::Sink, private net::Pollable {
 public:
  EventHub() = default;
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;
  // `sink` must outlive the hub.
  void add(event::Sink& sink) { sinks_.push_back(&sink); }
  void on_event(const event::Stamp& stamp, const event::Event& event) override {
    event::Stamp numbered = stamp;
    numbered.seq = ++seq_;
    for (event::Sink* sink : sinks_) sink->on_event(numbered, event);
    if (poller_ != nullptr)
      poller_->defer(*this);
    else
      on_pause();
  }
  void on_pause() override {
    for (event::Sink* sink : sinks_) sink->on_pause();
  }
  // Pauses are `poller`'s turns until leave(); without one each event is a turn of its own.
  void join(net::Poller& poller) { poller_ = &poller; }
  void leave() {
    if (poller_ == nullptr) return;
    poller_->forget(*this);
    poller_ = nullptr;
    on_pause();
  }

 private:
  void on_ready(std::uint32_t) override { on_pause(); }

  net::Poller* poller_ = nullptr;
  std::vector<event::Sink*> sinks_;
  std::uint64_t seq_ = 0;
};

}  // namespace vsim::app
