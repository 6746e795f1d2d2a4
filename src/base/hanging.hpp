// Something that a function has left behind when it was done: told by the agent, judged by
// limits/background.hpp.
#pragma once

#include <string>

#include "base/time.hpp"

namespace vsim {

struct Hanging {
  std::string
      kind;        // "timeout", "interval", "server", "fetch", "Postgres query", ... (docs/agent-protocol.md)
  std::string at;  // "app/x/route.ts:12:3", or where in the generated code; empty: unknown
  Duration delay{};  // of a timer
};

}  // namespace vsim
