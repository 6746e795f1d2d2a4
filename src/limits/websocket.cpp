#include "limits/websocket.hpp"

#include <fmt/format.h>

namespace vsim::limits::websocket {

Verdict verdict(const profile::Profile& p, std::string_view route, std::string_view file) {
  Verdict v;
  v.code = Code::sim_websocket_refused;
  v.limit_key = "websocket.policy";
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
  v.provenance = &p.websocket_policy.from;
  v.route = route;
  v.file = file;
  return v;
}

}  // namespace vsim::limits::websocket
