#include "limits/socket_server.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "limits/of_setting.hpp"
#include "limits/polling.hpp"
#include "limits/websocket.hpp"

namespace vsim::limits::socket_server {
namespace {

bool is_redirect(int status) { return status == 301 || status == 302 || status == 307 || status == 308; }

bool is_missing(int status) { return status == 404 || status == 405; }

// Engine.IO answers a GET with a packet, as text, bytes or a script (JSONP); a page, JSON of a route and an
// empty answer are none. Of what has no type nobody knows.
bool is_packet(const FunctionAnswer& a) {
  return !a.empty && (a.content_type.empty() || a.content_type.starts_with("text/plain") ||
                      a.content_type.starts_with("text/javascript") ||
                      a.content_type.starts_with("application/octet-stream"));
}

bool is_page(const FunctionAnswer& a) { return a.kind == "app_page" || a.kind == "pages"; }

std::string_view path_of(std::string_view target) { return target.substr(0, target.find_first_of("?#")); }

// Next's own, to the same path with or without its last slash. The app's are its own answer.
bool is_slash_redirect(const FunctionAnswer& a) {
  if (!is_redirect(a.status)) return false;
  std::string_view to = path_of(a.location), from = path_of(a.target);
  if (const auto scheme = to.find("://"); scheme != std::string_view::npos) {
    const auto slash = to.find('/', scheme + 3);
    to = slash == std::string_view::npos ? std::string_view("/") : to.substr(slash);
  }
  if (from.size() < to.size()) std::swap(from, to);
  return from.size() == to.size() + 1 && from.ends_with('/') && from.starts_with(to);
}

// Whether a client of this kind is left without a server by this answer.
bool strands(const FunctionAnswer& a, bool engine_io) {
  if (a.status == 101) return false;
  if (a.upgrade)
    return is_missing(a.status) || is_redirect(a.status) || a.status == 400 || a.status == 426 ||
           (a.status >= 200 && a.status < 300);
  if (!engine_io) return false;
  if (is_missing(a.status) || is_slash_redirect(a)) return true;
  if (a.status == 400) return !polling::is_session(a.target);
  return a.method == "GET" && a.status >= 200 && a.status < 300 && !is_packet(a);
}

std::string seen(const FunctionAnswer& a, bool engine_io) {
  std::string out =
      engine_io ? (a.upgrade ? "Socket.IO's WebSocket" : "Socket.IO's long poll") : "a WebSocket";
  out += fmt::format(" was answered {}", a.status);
  if (is_redirect(a.status)) {
    out += a.location.empty() ? std::string(", a redirect")
                              : fmt::format(", a redirect to {}", path_of(a.location));
    return a.upgrade ? out + ", which no WebSocket client follows" : out;
  }
  if (is_page(a)) return out + " by a page, as a plain GET";
  if (!a.kind.empty()) return out + " by the handler, as a plain GET";
  if (is_missing(a.status)) return out + ": no function has this path";
  return out + ", and by no function";
}

std::string_view fluid_fix(const FunctionAnswer& a, bool engine_io) {
  if (a.upgrade && engine_io && is_slash_redirect(a))
    return path_of(a.target).ends_with('/')
               ? "Socket.IO puts a slash behind its path and Next redirects it away. Set `addTrailingSlash: "
                 "false` in the client and in the server, or `skipTrailingSlashRedirect: true` in "
                 "next.config."
               : "Next puts a slash behind every path (`trailingSlash: true`). Leave `addTrailingSlash: "
                 "false` out "
                 "in the client and in the server, or set `skipTrailingSlashRedirect: true` in next.config.";
  if (is_redirect(a.status) && a.upgrade)
    return "Open the WebSocket at the address that the redirect names, or keep the path out of what "
           "redirects "
           "it: `redirects` of next.config, the middleware, or the trailing slash "
           "(`skipTrailingSlashRedirect: true`).";
  if (!a.upgrade)
    return "On Fluid compute a Socket.IO client must use `transports: ['websocket']`: polls of one session "
           "reach different instances. Take its upgrade in a route handler at the very path it asks for "
           "(`experimental_upgradeWebSocket()` of @vercel/functions), with `addTrailingSlash: false`.";
  if (a.status == 400 || a.status == 426)
    return "The upgrade reached code that refuses it: compare path, transports and protocol version of "
           "client and server; a Socket.IO server here needs `transports: ['websocket']` on both sides.";
  if (is_missing(a.status) || is_page(a) || a.kind.empty())
    return "Make a route handler at this path and take the upgrade in it: `experimental_upgradeWebSocket()` "
           "of @vercel/functions. A custom server, or a Socket.IO or ws server with a path of its own, is "
           "not there on Vercel.";
  return "Take the upgrade inside the handler, while this very request runs: "
         "`experimental_upgradeWebSocket()` of @vercel/functions in a route handler. A server that the "
         "handler puts on `res.socket.server` only sees what comes to this instance later.";
}

}  // namespace

std::optional<Verdict> verdict(const profile::Profile& p, const FunctionAnswer& a) {
  const bool fluid = websocket::answer(p) == websocket::UpgradeAnswer::tunnel;
  const bool engine_io = polling::is_engine_io(a.target);
  if (a.upgrade && !fluid) return std::nullopt;  // SIM_WEBSOCKET_REFUSED has said it
  if (!strands(a, engine_io)) return std::nullopt;
  std::string_view path = path_of(a.target);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  Verdict v = of_setting(Code::sim_no_socket_server, "websocket.policy", p.websocket_policy,
                         a.route.empty() ? path : a.route, a.file);
  // Nobody but a client that needs its server sends such a request. A browser's poll follows a redirect; a
  // 400 may be the first of several transports; an upgrade of anybody meets the answer it would meet
  // everywhere.
  v.enforced =
      engine_io && a.status != 400 && (is_redirect(a.status) ? a.upgrade && is_slash_redirect(a) : true);
  v.limit = "no server of the app's own around its functions";
  v.measured = seen(a, engine_io);
  if (fluid)
    v.fix = fluid_fix(a, engine_io);
  else
    v.fix =
        "This profile has no WebSockets, and polls of one Socket.IO session reach different instances: use "
        "managed realtime (Ably, Pusher, Liveblocks, Supabase Realtime), Server-Sent Events for one "
        "direction, or a separate socket server (Fly.io, Railway, Render). Fluid compute carries Socket.IO "
        "with `transports: ['websocket']`.";
  return v;
}

}  // namespace vsim::limits::socket_server
