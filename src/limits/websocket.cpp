#include "limits/websocket.hpp"
#include "limits/of_setting.hpp"

#include <fmt/format.h>

namespace vsim::limits::websocket {

Verdict verdict(const profile::Profile& p, std::string_view route, std::string_view file) {
  Verdict v = of_setting(Code::sim_websocket_refused, "websocket.policy", p.websocket_policy, route, file);
  v.limit =
      fmt::format("no WebSockets on {}", p.name.empty() ? to_string(p.plan.value) : std::string_view(p.name));
  switch (answer(p)) {
    case UpgradeAnswer::as_get:
      v.measured = "upgrade delivered as a plain GET";
      break;
    case UpgradeAnswer::drop:
      v.measured = "upgrade left without an answer";
      break;
    default:
      v.measured = fmt::format("upgrade refused with {}", p.websocket_refusal_status.value);
      break;
  }
  return v;
}

}  // namespace vsim::limits::websocket
