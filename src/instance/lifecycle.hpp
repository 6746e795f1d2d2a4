// The life of one instance as a state machine. It says which moments may follow which and keeps what belongs
// to a state only; which instance is chosen, and when one must go, are the scheduler's. Pure. A moment that
// cannot happen in a state changes nothing and is answered false.
//
//    Spawning ── ready ──► Spare ── bind ──► Binding ── bound ──► Bound ⟲ freeze, thaw
//                            │                                      │
//                            └──────────── lease ───────────────────┤ lease (thawed)
//                                                                   ▼
//          Idle ◄── the last lease is released ───────────────── Leased(n) ⟲ lease (n < slots), release
//           ⟲ └──────────── lease (thawed) ─────────────────────────▲
//      freeze, thaw
//
//    all of the above ── retire ──► Retired(n) ⟲ release      takes no work any more; n invocations go on
//    all of the above, Retired ── kill ──► Dying              its invocations are lost
//    every state ── exited ──► Dead
//
// A spare that gets an invocation loads its function inside it; a bound one has loaded it before.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "instance/ids.hpp"

namespace vsim::instance {

// Why an instance must go.
enum class Why : std::uint8_t {
  none,           // it ended by itself
  spent,          // policy `invocation`: it has served its one invocation
  stale,          // its code has changed
  idle,           // not used for as long as the platform keeps one
  memory,         // room was needed, and it was the least recently used that was free
  grown,          // room was needed, and since its first invocation it had grown by a quarter of all room
  abandoned,      // room was needed, and only invocations whose clients have left were on it
  surplus,        // started above the cap for a nested request, and needed no more
  deadline,       // an invocation passed its limit
  unresponsive,   // its event loop did not answer after a deadline
  init_timeout,   // its modules were not evaluated in time
  spawn_timeout,  // it was not ready in time
  memory_limit,   // the function used more than its memory
  failed,         // an error that nobody caught: it ends when the others on it have finished
  settings,       // the plan or the time scale was switched: what comes now is to run otherwise
  asked,          // somebody wants new ones
  deployment,     // there is a newer deployment
  shutdown,       // the emulator stops
};
std::string_view to_string(Why);

// How a process ended, as the shell saw it.
struct Death {
  enum class Kind : std::uint8_t { exited, signaled, out_of_memory, lost } kind = Kind::exited;
  int value = 0;  // exit code or signal
};

// Started, not ready.
struct Spawning {};
// Ready, and of no group: no user code has run in it.
struct Spare {};
// Evaluates a function's modules and warms the request path.
struct Binding {
  FunctionId function;
};
// Has done so and served nothing.
struct Bound {
  FunctionId function;
  bool frozen = false;
};
// Has done so, is copied for instances of the function, and never serves itself.
struct Template {
  FunctionId function;
};
struct Leased {
  std::uint32_t leases = 1;
};
// Has served, serves nothing now.
struct Idle {
  bool frozen = false;
};
// Takes no work any more.
struct Retired {
  Why why;
  std::uint32_t leases = 0;
};
// SIGKILL was asked for; its end has not been told.
struct Dying {
  Why why;
};
struct Dead {
  Why why;  // none: nobody asked for it
  Death death;
};

using InstanceState =
    std::variant<Spawning, Spare, Binding, Bound, Template, Leased, Idle, Retired, Dying, Dead>;
std::string_view name(const InstanceState&);

class InstanceLifecycle {
 public:
  bool ready();
  bool ready(FunctionId);  // as a copy of its template
  bool bind(FunctionId);
  bool bound();
  bool stand();  // as a template
  // One more invocation, if there is a slot for it and the instance is not frozen.
  bool lease(std::uint32_t slots);
  bool release();
  bool freeze();
  bool thaw();
  bool retire(Why);
  bool kill(Why);
  bool exited(const Death&);

  const InstanceState& state() const { return state_; }
  template <class S>
  bool is() const {
    return std::holds_alternative<S>(state_);
  }
  std::uint32_t leases() const;
  bool frozen() const;
  // Not Dying and not Dead.
  bool living() const { return !is<Dying>() && !is<Dead>(); }
  // Ready to be given an invocation, once thawed; slots aside.
  bool usable() const { return is<Spare>() || is<Bound>() || is<Leased>() || is<Idle>(); }

 private:
  InstanceState state_ = Spawning{};
};

}  // namespace vsim::instance
