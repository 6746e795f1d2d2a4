// The identity that the agent writes into a response head, so that a fast answer cannot overtake it:
//   x-vsim-meta: <token> page=%2Fapi%2Fslow%2Froute;kind=APP_ROUTE;runtime=nodejs;static=0
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vsim::agent {

struct Meta {
  std::string page;
  std::string_view kind, runtime;  // views into the value
  bool is_static = false;
  bool unseen = false;            // the user's code answered, and nobody saw it begin
  std::vector<std::string> kept;  // new on the instance's server object: "io"
  std::string at;                 // the app's line that sends a large answer, if it is known
};

// nullopt unless `name` is x-vsim-meta and the value begins with `token`: an app cannot forge it.
std::optional<Meta> parse_meta(std::string_view name, std::string_view value, std::string_view token);

}  // namespace vsim::agent
