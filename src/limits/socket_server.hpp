// Rule: on Vercel no server of the app's own stands around its functions, so a Socket.IO client or a
// WebSocket meets whatever answers at that path: nothing (404), a page or a handler that runs as for a plain
// GET (200), a redirect (308), or a server that does not speak its transport (400).
// The client only sees "websocket error" or "xhr poll error"; this says why. docs/platform.md 4.
// Pure; asked at the response head.
#pragma once

#include <optional>
#include <string_view>

#include "limits/verdict.hpp"
#include "profile/profile.hpp"

namespace vsim::limits::socket_server {

struct FunctionAnswer {
  bool upgrade = false;  // the request asked for a WebSocket
  int status = 0;
  std::string_view method, target, content_type, location;
  bool empty = false;            // Content-Length: 0
  std::string_view kind;         // of the function that answered; empty: none has
  std::string_view route, file;  // its own, or empty
};

// Nothing where the answer is a server's or the app's own refusal (101, 401, 403, 429, 5xx, an Engine.IO
// packet), or where polling's session was lost, which is shared_state's.
std::optional<Verdict> verdict(const profile::Profile& p, const FunctionAnswer& answer);

}  // namespace vsim::limits::socket_server
