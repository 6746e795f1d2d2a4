// Which instance holds what in the memory of its modules, as far as invocations have told, and what a later
// invocation on another instance misses: the run-time half of SIM_STATE_NOT_SHARED. Says nothing of what
// every instance makes for itself (a cache, a client, a constant) and marks as suspected what it cannot
// prove. Pure: time is an argument. One engine, one ledger.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/module_state.hpp"
#include "base/time.hpp"

namespace vsim::engine {

// The route of that name is middleware; the instance of that name is `next dev`: middleware without instances
// of its own runs in one process there, where the platform has many instances of it. It never shares memory
// with functions.
inline constexpr std::string_view kMiddleware = "middleware";

struct StateLoss {
  bool proven = false;           // else suspected
  bool with_middleware = false;  // it wrote or misses
  bool same_process = false;     // two requests of middleware: what they would have missed on two instances
  std::string evidence;          // what was seen, in words
  std::string at;                // where the variable is declared
};

class StateLedger {
 public:
  using Runs = std::function<bool(InvocationId)>;  // whether an invocation's response is still open

  // Invocation `id` of `route` on `instance` tells what it found and left. What it misses of other instances,
  // each variable and reader once.
  std::vector<StateLoss> look(const StateReport& report, InvocationId id, std::string_view route,
                              std::string_view instance, const Runs& runs, TimePoint now);
  // The code has changed: variables of the old one mean nothing any more.
  void clear();

 private:
  struct Written {
    std::string instance, route, method;
    TimePoint at{};
    std::set<std::string> keys;
    bool from_request = false, mutation = false, counts = false, by_client = false;
    InvocationId open = InvocationId::none;  // it was written by a response that went on then
    InvocationId by = InvocationId::none;
  };
  std::map<std::string, Written> written_;  // by variable
  std::set<std::string> told_;              // variable and reader

  bool misses(const Written&, const StateSeen&) const;
  StateLoss judge(const Written&, const StateSeen&, const StateReport&, std::string_view route,
                  std::string_view instance, bool open, TimePoint now) const;
  StateLoss judge_again(const Written&, const StateSeen&, const StateReport&, TimePoint now) const;
};

}  // namespace vsim::engine
