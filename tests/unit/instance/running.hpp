// What several tests of the scheduler begin with: spares in stock, requests that run.
#pragma once

#include "unit/instance/sim.hpp"

namespace vsim::test {

inline SchedulerOptions stocked(std::uint32_t spares, std::uint32_t bound = 4) {
  SchedulerOptions o = Sim::plain(Isolation::invocation);
  o.spares = spares;
  o.bound_functions = bound;
  return o;
}

// Requests 1..n placed on instances as the policy has it, handlers called, the log empty.
struct Running {
  Sim w;
  FunctionId f;
  Running(SchedulerOptions o, int n) : w(o), f(w.define("/a")) {
    for (int k = 1; k <= n; ++k) w.request(k, f);
    for (bool again = true; again;) {
      again = false;
      for (auto& [id, p] : w.processes)
        if (!p.ready) {
          again = true;
          w.ready(num(id));
          break;
        }
    }
    for (int k = 1; k <= n; ++k) w.handler(k);
    w.said();
  }
};

}  // namespace vsim::test
