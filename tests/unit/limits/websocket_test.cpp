#include "limits/websocket.hpp"

#include <catch2/catch.hpp>

#include "limits/polling.hpp"
#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using profile::WebSocketRefusal;

TEST_CASE("WebSockets: refused in the three ways on serverless profiles, carried on Fluid") {
  auto p = test::make_profile();
  CHECK(websocket::answer(p) == websocket::UpgradeAnswer::refuse);
  p.websocket_refusal.value = WebSocketRefusal::deliver_as_get;
  CHECK(websocket::answer(p) == websocket::UpgradeAnswer::as_get);
  p.websocket_refusal.value = WebSocketRefusal::drop;
  CHECK(websocket::answer(p) == websocket::UpgradeAnswer::drop);
  auto fluid = test::make_profile(test::Plan::hobby, test::Compute::fluid);
  fluid.websocket_refusal.value = WebSocketRefusal::drop;  // plays no part then
  CHECK(websocket::answer(fluid) == websocket::UpgradeAnswer::tunnel);
}

TEST_CASE("WebSockets: the verdict tells what was done with the upgrade") {
  auto p = test::make_profile();
  CHECK(websocket::verdict(p, "/ws", "pages/ws.ts").measured == "upgrade refused with 400");
  CHECK(websocket::verdict(p, "/ws", "pages/ws.ts").route == "/ws");
  CHECK(websocket::verdict(p, "/ws", "pages/ws.ts").limit == "no WebSockets on hobby");
  p.websocket_refusal.value = WebSocketRefusal::deliver_as_get;
  CHECK(websocket::verdict(p, "", "").measured == "upgrade delivered as a plain GET");
  p.websocket_refusal.value = WebSocketRefusal::drop;
  CHECK(websocket::verdict(p, "", "").measured == "upgrade left without an answer");
}

TEST_CASE("polling: only a poll of an established Engine.IO session counts") {
  CHECK(polling::is_session_poll("/socket.io/?EIO=4&transport=polling&t=abc&sid=x1"));
  CHECK(polling::is_session_poll("/api/socket?sid=x1&transport=polling&EIO=3"));
  CHECK_FALSE(polling::is_session_poll("/socket.io/?EIO=4&transport=polling&t=abc"));
  CHECK_FALSE(polling::is_session_poll("/socket.io/?EIO=4&transport=websocket&sid=x1"));
  CHECK_FALSE(polling::is_session_poll("/socket.io/?EIO=4&transport=polling&sid="));
  CHECK_FALSE(polling::is_session_poll("/socket.io/"));
  CHECK_FALSE(polling::is_session_poll("/search?q=EIO=4&transport=polling2&sid=1"));
  CHECK_FALSE(polling::is_session_poll("/x?"));
}

TEST_CASE("polling: a warning, never enforced") {
  const auto p = test::make_profile();
  CHECK_FALSE(polling::verdict(p, "/api/socket", "pages/api/socket.ts").enforced);
  CHECK(polling::verdict(p, "/api/socket", "pages/api/socket.ts").file == "pages/api/socket.ts");
}
