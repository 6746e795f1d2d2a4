// --record: gathers whole requests and how they ended. The edge tells of heads and cookies, the event stream
// of outcomes; each request that is over goes to a RecordTarget. Not recorded: the dev server's own traffic,
// /_vercel-sim/, heads that could not be read, and what a function asks of its own app (its caller is
// recorded, and asks again). I/O thread only.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/engine.hpp"
#include "event/event.hpp"
#include "net/body_copy.hpp"
#include "net/http1.hpp"
#include "replay/recording.hpp"

namespace vsim::app {

class RecordTarget {
 public:
  virtual void began(const replay::About&) = 0;
  // `mark`: the value of replay::kMark, by which a replay knows its request; empty otherwise.
  virtual void ended(replay::RecordedRequest&&, std::string_view mark) = 0;
  // What became known of it later.
  virtual void later(std::uint64_t n, limits::Code) = 0;

 protected:
  ~RecordTarget() = default;
};

class Recorder final : public event::Sink {
 public:
  // `bodies`: keep them too. `build` is asked once, when the app is ready (replay::About::build). The target
  // must outlive the recorder.
  Recorder(RecordTarget& target, bool bodies, std::function<std::string()> build = {})
      : target_(target), bodies_(bodies), build_(std::move(build)) {}

  // From the edge, in this order; `head` is valid during the call. What the engine refuses in between is
  // over.
  void arrived(const net::http1::RequestHead& head, TimePoint at);
  // It goes on as `id`. Where to keep its body; null: nowhere.
  std::shared_ptr<net::BodyCopy> admitted(InvocationId id);
  // It is not to be recorded, or is over already.
  void forget() { arriving_.reset(); }
  void responds(InvocationId id, const net::http1::ResponseHead& head);
  void client_left(InvocationId id, TimePoint at);

  void on_event(const event::Stamp&, const event::Event&) override;

 private:
  struct Open {
    replay::RecordedRequest request;
    std::string mark;
    std::shared_ptr<net::BodyCopy> copy;
    TimePoint arrived{};
  };
  void end(Open&&, const event::InvocationEnded&);

  RecordTarget& target_;
  const bool bodies_;
  std::function<std::string()> build_;
  std::optional<TimePoint> zero_;
  std::uint64_t arrivals_ = 0;
  std::optional<Open> arriving_;
  boost::unordered_flat_map<std::uint64_t, Open> open_;
  // Those of whom more may become known: they were on an instance.
  std::deque<std::pair<std::uint64_t, std::uint64_t>> recent_;  // invocation, n
};

}  // namespace vsim::app
