// What the scheduler wants done. Commands of one call are carried out in their order. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "instance/ids.hpp"
#include "instance/lease.hpp"
#include "instance/lifecycle.hpp"
#include "limits/code.hpp"

namespace vsim::instance {

// Start a process; tell ready() or exited().
struct Spawn {
  InstanceId id;
  GroupId likely;   // who will probably get it; none: not known. A hint for preloading, not a promise
  bool background;  // nobody waits for it: low priority
  // The function's template, which it is to be a copy of: it is bound when it is ready. none: no code in it.
  InstanceId from = InstanceId::none;
};
// Evaluate the function's modules and warm the request path, serving nothing; tell bound(), standing() or
// exited().
struct Bind {
  InstanceId id;
  FunctionId function;
  bool as_template;  // and become a template, if that may be
  bool background;   // nobody would be served by it yet: whatever priority it has is enough
};
// One that binds: somebody would be served by it. Normal priority from now on.
struct Raise {
  InstanceId id;
};
// SIGSTOP, and SIGCONT.
struct Freeze {
  InstanceId id;
};
struct Thaw {
  InstanceId id;
};
// Ask its event loop; tell pong().
struct Ping {
  InstanceId id;
};
// SIGKILL, frozen ones too; tell exited().
struct Kill {
  InstanceId id;
  Why why;
};

enum class Start : std::uint8_t {
  warm,   // the instance has served before
  bound,  // a spare that had loaded the function
  spare,  // a spare that loads it now
  cold,   // nothing was ready when it came: it waited, then got a new one
};
std::string_view to_string(Start);  // "warm", as events have it
// Send the invocation to the instance. `instance` is none under isolation `none`.
struct Placement {
  InvocationId invocation;
  InstanceId instance;
  Start start;
  Duration waited;  // in the queue; shown, never charged
  Lease lease;
};
// It was never placed and will not be.
struct Refuse {
  InvocationId invocation;
  limits::Code code;
  Duration waited;
};
// Its instance is gone, or is no longer its own. The lease only remains to be given back.
struct LeaseLost {
  InvocationId invocation;
  InstanceId instance;
  limits::Code code;  // none: nobody waits for an answer
  Why why;            // none: the instance ended by itself, see `death`
  Death death{};
};

using SchedulerCommand =
    std::variant<Spawn, Bind, Raise, Freeze, Thaw, Ping, Kill, Placement, Refuse, LeaseLost>;

}  // namespace vsim::instance
