// What the engine knows of one request while it lives, and where those records are kept. Slots are used again
// with their buffers, so that a warm engine allocates nothing per request; the id holds the slot and the
// number of its use, so that an old id finds nothing. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "event/event.hpp"
#include "invocation/lifecycle.hpp"
#include "limits/background.hpp"
#include "limits/duration.hpp"
#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::invocation {

struct Invocation {
  InvocationId id = InvocationId::none;
  std::uint32_t slot = 0;
  InvocationLifecycle life;
  event::Traffic traffic = event::Traffic::invocation;
  TimePoint arrived{};
  TimePoint answered{};  // when its response began; zero: not yet

  // Buffers of the slot: assign to them, never move from them.
  std::string request_id, method, target;
  std::uint32_t path_size = 0;  // of target, up to '?'

  // What it came under. The plan may be switched while it goes on.
  const profile::Profile* profile = nullptr;
  profile::Isolation isolation = profile::Isolation::none;
  double time_scale = 1;

  // The function, as far as it is known.
  std::string page;                      // the agent's name of it; empty until it was dispatched
  std::string route, file, config_file;  // config_file:config_line: where maxDuration stands
  int config_line = 0;
  std::string_view kind, runtime;  // static text
  bool buffered = false;           // pages/ and pages/api: the platform does not stream them
  bool supports_cancellation = false;
  bool cold = false;  // the first requests of a route, without an agent: they get the compile grace

  limits::duration::Limit limit;   // as written
  Duration first_byte = kForever;  // as enforced: scaled, with grace
  Duration total = kForever;

  // Its instance; empty: none yet, or isolation is off. `start`: "cold", "warm", as it was told.
  std::string instance, start;
  TimePoint placed_at{};
  Duration compiled_before_placed{};  // CompileMeter::total at placed_at
  Duration waited{};                  // for an instance
  CompileMeter own_requests;  // requests of its own to the app that compiled or waited: the clock stood still
  std::optional<Duration> init;  // from placed_at to the handler's start, compiling left out
  // What its event loop had waited for a processor when the clock began; zero: not known.
  Duration unserved_before{};
  bool leased = false;           // holds a slot of its instance
  bool expiring = false;         // waitUntil work has passed the deadline, and was told to end
  std::vector<Hanging> hanging;  // left behind when the instance was given back before the response's end

  int status = 0;            // what the client got
  bool half_closed = false;  // its client has closed its direction: gone, or waiting for the answer only
  bool unheard = false;      // and nobody has read the answer to its end
  bool body_over = false;    // the meter of the request body struck
  std::string origin;        // of a socket: the site that asked for it
  std::string answer_at;     // the app's line that sends a large answer; empty: not known
  std::vector<limits::Verdict> verdicts;

  std::string_view path() const { return std::string_view(target).substr(0, path_size); }
};

class Slab {
 public:
  // Ids stay below 2^53, so that JavaScript holds them exactly.
  static constexpr std::uint32_t kSlotBits = 20;
  static constexpr std::uint32_t kMost = 1u << kSlotBits;

  // A cleared record with its id, or nullptr when kMost are alive.
  Invocation* acquire();
  Invocation* find(InvocationId id);
  Invocation& at(std::uint32_t slot) { return *slots_[slot].invocation; }
  void release(Invocation& invocation);
  std::size_t active() const { return active_; }
  template <class Visit>
  void each(Visit visit) const {
    for (const Slot& s : slots_)
      if (s.invocation->id != InvocationId::none) visit(*s.invocation);
  }
  template <class Matches>
  const Invocation* find_if(Matches matches) const {
    for (const Slot& s : slots_)
      if (s.invocation->id != InvocationId::none && matches(*s.invocation)) return s.invocation;
    return nullptr;
  }

 private:
  struct Slot {
    std::uint64_t uses = 0;
    Invocation* invocation = nullptr;
  };
  std::deque<Invocation> records_;  // addresses stay
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t active_ = 0;
};

}  // namespace vsim::invocation
