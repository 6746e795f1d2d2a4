// The state machine of one invocation. It says which moments may follow which and keeps what belongs to a
// state only; limits, events and identities are the engine's. Pure. A moment that cannot happen in a state
// changes nothing and is answered false.
//
//                                  admit
//      ┌──────────┬────────────┬─────┴───────┬──────────────┬───────────┐
//   Passing    Routing ─────► Waiting    Running¹       Upgrading    Dropped
//   (dev's      │  │ dispatched  │ handler  ▲ │            │   │
//    own)       │  └─────────────┼──────────┘ │      101 ▼   │ any other head
//               │    handler     ▼            │        Tunnel │
//               │             Running         │               │
//               │ head           │ head       │ head          │
//               └───────► Responding² ◄───────┴───────────────┘
//      Routing, Waiting, Running, Responding ── client left, the function goes on ──► Draining
//      Waiting, Running ── again: the instance leaves it to the next route ──► Routing
//      every state ── the response is over, its instance is not given back ──► Lingering
//      every state ── end ──► Ended
//
//   ¹ without an agent the handler counts as started at admission.
//   ² with a clock if a function is behind the head; the agent's word may also come after it (another
//   channel), and starts the clock then.
//
// Compiling is a region of its own: it may begin and end in every state, nested, and its time is never
// charged. Nor is time that is forgiven: its process wanted a processor and got none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/time.hpp"
#include "event/event.hpp"

namespace vsim::invocation {

// Time spent compiling for this invocation.
class CompileMeter {
 public:
  void start(TimePoint now) {
    if (depth_++ == 0) since_ = now;
  }
  // False when nothing is being compiled.
  bool end(TimePoint now) {
    if (depth_ == 0) return false;
    if (--depth_ == 0) done_ += now - since_;
    return true;
  }
  bool compiling() const { return depth_ > 0; }
  TimePoint since() const { return since_; }  // of the compile under way, or of the last one
  Duration done() const { return done_; }     // without the compile under way
  Duration total(TimePoint now) const { return depth_ > 0 ? done_ + (now - since_) : done_; }

 private:
  std::uint32_t depth_ = 0;
  TimePoint since_{};
  Duration done_{};
};

// Runs from the handler's start and stands still while something is compiled.
struct ChargedClock {
  TimePoint start{};
  Duration compiled_before{};  // CompileMeter::total at `start`

  Duration charged(const CompileMeter& compile, TimePoint now) const {
    return (now - start) - (compile.total(now) - compiled_before);
  }
  // When `limit` will have been charged. Only meaningful while nothing is being compiled.
  TimePoint due(const CompileMeter& compile, Duration limit) const {
    return after(start + (compile.done() - compiled_before), limit);
  }
};

// The dev server's own traffic; `head`: it was answered.
struct Passing {
  bool head = false;
};
// Sent to the app; which function answers is unknown.
struct Routing {};
// Function known, its handler not called yet.
struct Waiting {};
// Handler called, no response head yet.
struct Running {
  ChargedClock clock;
};
// Head forwarded, body on its way. No clock: no function is behind it, as far as is known.
struct Responding {
  std::optional<ChargedClock> clock;
};
// The client is gone, the function goes on; `head`: it has begun to answer.
struct Draining {
  std::optional<ChargedClock> clock;
  bool head = false;
};
// Upgrade sent to the app, not answered.
struct Upgrading {
  std::optional<ChargedClock> clock;
};
// 101 forwarded.
struct Tunnel {
  ChargedClock clock;
};
// An upgrade nobody answers.
struct Dropped {};
// Over for the client; waitUntil work goes on where it ran, under the same clock.
struct Lingering {
  std::optional<ChargedClock> clock;
};
struct Ended {};

using InvocationState = std::variant<Passing, Routing, Waiting, Running, Responding, Draining, Upgrading,
                                     Tunnel, Dropped, Lingering, Ended>;
std::string_view name(const InvocationState&);

class InvocationLifecycle {
 public:
  void begin(InvocationState first) {
    state_ = first;
    compile_ = {};
    stopped_ = {};
    forgiven_ = {};
    client_left_ = false;
    unseen_ = false;
  }

  // The function is named. `started`: if a head has come already, its handler is taken to have started by
  // now.
  bool dispatched(TimePoint now, bool started);
  bool handler_started(TimePoint now) { return started_at(clock_from(now)); }
  // Nobody may see its handler begin: its time counts from `since`, until that is seen before a head.
  bool started_unseen(TimePoint since, Duration compiled_before);
  bool seen_after_all(TimePoint now);
  bool compile_started(TimePoint now);
  bool compile_ended(TimePoint now);
  // `started`: a function is behind the head, and its handler is taken to have started by now.
  bool response_head(TimePoint now, int status, bool started);
  // `goes_on`: the function is not stopped by it. Only Routing, Waiting, Running and Responding can go on.
  bool client_left(bool goes_on);
  // Which function answers is open again. Not once a head was sent.
  bool again();
  // The function is done, its waitUntil work too; what it has said may still be on its way to the client.
  bool stop_clock(TimePoint now);
  bool linger();
  bool end();

  const InvocationState& state() const { return state_; }
  template <class S>
  bool is() const {
    return std::holds_alternative<S>(state_);
  }
  const ChargedClock* clock() const;
  const CompileMeter& compile() const { return compile_; }
  bool client_has_left() const { return client_left_; }
  bool head_seen() const;  // the app's response head came, whether or not there was a client to get it
  event::Phase phase() const;
  Duration charged(TimePoint now) const {
    if (stopped_) return *stopped_;
    const ChargedClock* c = clock();
    return c != nullptr ? std::max(c->charged(compile_, now) - forgiven_, Duration::zero())
                        : Duration::zero();
  }
  void forgive(Duration more) { forgiven_ += more; }
  Duration forgiven() const { return forgiven_; }
  bool clock_stopped() const { return stopped_.has_value(); }

 private:
  bool started_at(const ChargedClock&);
  ChargedClock clock_from(TimePoint now) const { return {now, compile_.total(now)}; }

  InvocationState state_ = Ended{};
  CompileMeter compile_;
  Duration forgiven_{};
  std::optional<Duration> stopped_;  // what was charged when the clock was stopped
  bool client_left_ = false;
  bool unseen_ = false;  // the clock began at a moment that stands for the handler's start
};

}  // namespace vsim::invocation
