// One stream of events, many sinks; gives each event its number. I/O thread only.
#pragma once

#include <vector>

#include "event/event.hpp"

namespace vsim::app {

class EventHub final : public event::Sink {
 public:
  // `sink` must outlive the hub.
  void add(event::Sink& sink) { sinks_.push_back(&sink); }
  void on_event(const event::Stamp& stamp, const event::Event& event) override {
    event::Stamp numbered = stamp;
    numbered.seq = ++seq_;
    for (event::Sink* sink : sinks_) sink->on_event(numbered, event);
  }

 private:
  std::vector<event::Sink*> sinks_;
  std::uint64_t seq_ = 0;
};

}  // namespace vsim::app
