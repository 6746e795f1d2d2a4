// `--events FILE`: every event as one JSON line. Encoding on the I/O thread straight into the writer's
// buffer, writing elsewhere.
#pragma once

#include "app/line_writer.hpp"
#include "event/json_codec.hpp"

namespace vsim::app {

class JsonSink final : public event::Sink {
 public:
  // `start`: what at_ms counts from.
  JsonSink(LineWriter& writer, TimePoint start) : writer_(writer), start_(start) {}
  void on_event(const event::Stamp& stamp, const event::Event& event) override {
    writer_.gather([&](std::string& out) { event::encode(out, stamp, event, start_); });
  }
  void on_pause() override { writer_.hand_over(); }

 private:
  LineWriter& writer_;
  TimePoint start_;
};

}  // namespace vsim::app
