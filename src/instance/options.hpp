// What the scheduler goes by: isolation, placement, budgets and delays. Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.hpp"
#include "profile/profile.hpp"

namespace vsim::instance {

struct SchedulerOptions {
  profile::Isolation isolation = profile::Isolation::invocation;
  // 0: pack, the first instance with room. N: at least N instances of a group take turns, in an order that
  // the seed decides: each round of N requests meets each of them once.
  std::uint32_t spread = 0;
  std::uint64_t seed = 1;
  // The bundler keeps several functions in one process (Groups).
  bool groups_shared = true;

  // Of one instance under `fluid`. The platform's number is not published (its schema allows 1 to 8192, facts
  // 8): chosen so that a page's own requests fit in one instance.
  std::uint32_t slots = 100;
  // Freeze an idle instance: what Lambda does. An instance of Fluid compute goes on.
  bool freeze_idle = true;

  // Processes at most, those that are dying included. A backstop; memory is the real bound.
  std::uint32_t max_instances = 64;
  std::uint64_t memory_budget = 1'500'000'000;  // PSS of all, bytes
  std::uint64_t memory_max = 0;                 // of one, bytes, without what it weighs idle; 0: unlimited
  profile::Mode memory_mode = profile::Mode::observe;
  // Counted for an instance that has not been measured: 48 MB PSS unbound, about 100 bound and warmed
  // (spike).
  std::uint64_t memory_estimate = 80'000'000;
  // Started side by side while invocations wait; more would make the first of them wait for all. The shell
  // sets what the machine's cores can bear.
  std::uint32_t spawns_at_once = 4;
  std::uint32_t queue_max =
      1000;  // more wait than that: FUNCTION_THROTTLED. Chosen: no test waits for so many
  // A request from inside a request from inside…: INFINITE_LOOP_DETECTED. The platform's depth is not
  // published (facts 2).
  std::uint32_t nesting_max = 16;

  std::uint32_t spares = 2;           // not bound to a function
  std::uint32_t bound_functions = 4;  // the most recently used functions keep one bound spare each; 0: none
  // An instance that is bound becomes a template, if it may, and instances of the function are copies of it.
  bool templates = false;
  // Copies of the template of the function used last that wait for its next requests: a page asks its API for
  // several things at once. Of the others one. Each is begun when the one before is there; while requests
  // come, only when none waits.
  std::uint32_t copies_ahead = 1;
  // Under `invocation` as many as came together lately (Bursts), so that no request of such a burst but the
  // last begins one; no more than this, and only once no request has come or ended for refill_delay: until
  // then they would take the machine from those that follow. All that wait have half of the memory budget.
  std::uint32_t copies_most = 1;
  // From the begin of a copy to ready: 20 ms was measured, 100 on a busy machine. After that its template is
  // of no use.
  Duration copy_limit = std::chrono::seconds(15);
  // Copies of a template that fail, one after the other, after which the function has none.
  std::uint32_t copy_tries = 2;
  // Under `invocation`, what may_be_kept() waits for the instance that is kept for it, which is as a rule
  // done within milliseconds of its last answer: as long as the last fresh one took to begin, and no longer
  // than this (100 ms was measured, 300 on a busy machine).
  Duration kept_patience = std::chrono::milliseconds(250);
  // After a request is done, before spares are refilled: the next one may follow at once.
  Duration refill_delay = std::chrono::milliseconds(50);
  // But no longer than this after the first one was missed, or was taken by a request that does not end.
  Duration refill_patience = std::chrono::seconds(2);
  // After an announced change, before spares are bound again: an editor saves many files at once, and a
  // branch switch changes them for a second.
  Duration change_calm = std::chrono::seconds(1);

  // From spawn to ready. 0.4 to 1 s was measured; generous because a busy machine is no fault of the app, and
  // a second process in the place of a slow one makes it busier.
  Duration spawn_limit = std::chrono::seconds(90);
  // For the evaluation of a function's modules, dev-server calls (compiles) not counted: Lambda's init phase
  // (INF). kForever where nobody tells handler_started().
  Duration init_limit = std::chrono::seconds(10);
  // For the event loop to answer a ping after a deadline has struck one of its invocations.
  Duration ping_limit = std::chrono::seconds(1);
  // For an event loop that runs no handler to begin one that was given to it, before it is asked whether it
  // lives: nothing of the app that has a limit of its own keeps it busy then (CHOICE: as init_limit).
  Duration turn_limit = std::chrono::seconds(10);
  // An idle instance is kept that long. Lambda's is not published; minutes were observed (INF).
  Duration idle_expiry = std::chrono::minutes(10);
  // For what a dispatch relies on to be told (Early): it is sent before the dispatch, on another socket.
  Duration early_patience = std::chrono::seconds(5);
  // Consecutive instances that die before they are ready, after which waiting requests are refused.
  std::uint32_t spawn_tries = 3;
};

// Isolation and placement as the profile says them ("pack", "spread:N": checked by its schema), and what
// follows from its compute model. The rest is as above.
SchedulerOptions options_for(const profile::Profile&, std::uint64_t seed);

// memory.budget; "auto" is a quarter of the machine's memory (bytes; 0: unknown), 1.5 GB at most.
std::uint64_t memory_budget_for(const profile::Profile&, std::uint64_t machine);

}  // namespace vsim::instance
