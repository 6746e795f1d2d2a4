// Reads what an instance tells of the memory of its modules ("state" in docs/agent-protocol.md). A variable
// is told in full once on each connection, with a number; then only what is no longer as it was told.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/module_state.hpp"

namespace vsim::agent {

class StateReader {
 public:
  static constexpr std::uint64_t kMostVariables = 4096;  // of one connection: who has more tells all in full

  // A variable that is not told in full and was never told before is left out.
  StateReport read(const boost::json::object& told);

 private:
  struct Known {
    std::string name, at;
    std::vector<std::string> had;
  };
  std::map<std::uint64_t, Known> known_;
};

}  // namespace vsim::agent
