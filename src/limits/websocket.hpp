// Rule: whether an application's WebSocket upgrade is carried (websocket.*; docs/platform.md section
// 4). Pure; asked at admission, never for the dev server's own HMR socket.
#pragma once

#include <cstdint>
#include <string_view>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::websocket {

enum class UpgradeAnswer : std::uint8_t {
  tunnel,  // carried, closed at the function's maximum duration
  refuse,  // an error response with websocket.refusal_status
  as_get,  // the route runs as a plain GET, without its upgrade headers
  drop,    // no answer at all
};
inline UpgradeAnswer answer(const profile::Profile& p) {
  if (p.websocket_policy.value == profile::WebSocketPolicy::tunnel) return UpgradeAnswer::tunnel;
  switch (p.websocket_refusal.value) {
    case profile::WebSocketRefusal::deliver_as_get:
      return UpgradeAnswer::as_get;
    case profile::WebSocketRefusal::drop:
      return UpgradeAnswer::drop;
    case profile::WebSocketRefusal::reject:
      break;
  }
  return UpgradeAnswer::refuse;
}
// Of a refusal, in any of the three ways.
Verdict verdict(const profile::Profile& p, std::string_view route, std::string_view file);

}  // namespace vsim::limits::websocket
