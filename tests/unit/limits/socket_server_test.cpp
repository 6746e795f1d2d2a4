#include "limits/socket_server.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using socket_server::FunctionAnswer;

namespace {

FunctionAnswer upgrade(int status, std::string_view target = "/ws", std::string_view kind = {}) {
  FunctionAnswer a;
  a.upgrade = true;
  a.status = status;
  a.method = "GET";
  a.target = target;
  a.kind = kind;
  return a;
}

FunctionAnswer poll(int status, std::string_view content_type = {}, std::string_view more = {}) {
  static std::string target;
  target = "/socket.io/?EIO=4&transport=polling&t=x" + std::string(more);
  FunctionAnswer a;
  a.status = status;
  a.method = "GET";
  a.target = target;
  a.content_type = content_type;
  return a;
}

const profile::Profile& hobby() {
  static const auto p = test::make_profile();
  return p;
}
const profile::Profile& fluid() {
  static const auto p = test::make_profile(test::Plan::hobby, test::Compute::fluid);
  return p;
}

FunctionAnswer to(std::string_view location, FunctionAnswer a) {
  a.location = location;
  return a;
}

}  // namespace

TEST_CASE(
    "socket server: an upgrade on Fluid that ends in 404, 308, 200 or 400 is explained, a refusal is not") {
  for (const int status : {404, 405, 308, 307, 200, 204, 400, 426}) {
    CAPTURE(status);
    const auto v = socket_server::verdict(fluid(), upgrade(status));
    REQUIRE(v);
    CHECK(v->code == Code::sim_no_socket_server);
    CHECK_FALSE(v->enforced);  // whoever asked may not need it
    CHECK(v->route == "/ws");
    CHECK_FALSE(v->fix.empty());
  }
  for (const int status : {101, 401, 403, 429, 500, 502, 503, 504})
    CHECK_FALSE(socket_server::verdict(fluid(), upgrade(status)));
  CHECK_FALSE(socket_server::verdict(hobby(), upgrade(404)));  // SIM_WEBSOCKET_REFUSED says it
}

TEST_CASE("socket server: Socket.IO without its server is a violation in every profile") {
  for (const auto* p : {&hobby(), &fluid()}) {
    const auto v = socket_server::verdict(*p, poll(404));
    REQUIRE(v);
    CHECK(v->enforced);
    CHECK(v->route == "/socket.io");
    CHECK(v->measured == "Socket.IO's long poll was answered 404: no function has this path");
  }
  CHECK(socket_server::verdict(fluid(), upgrade(404, "/socket.io/?EIO=4&transport=websocket"))->enforced);
  CHECK(socket_server::verdict(fluid(), to("/api/io", upgrade(308, "/api/io/?EIO=4&transport=websocket")))
            ->enforced);
  CHECK_FALSE(socket_server::verdict(fluid(), to("/login", upgrade(307, "/api/io?EIO=4&transport=websocket")))
                  ->enforced);  // the app's own
  CHECK(socket_server::verdict(fluid(), upgrade(200, "/api/io?EIO=4&transport=websocket", "pages_api"))
            ->enforced);
  // A browser's poll follows it.
  CHECK_FALSE(socket_server::verdict(fluid(), to("/socket.io?EIO=4", poll(308)))->enforced);
  CHECK_FALSE(socket_server::verdict(fluid(), to("http://localhost:3000/socket.io", poll(308)))->enforced);
  CHECK_FALSE(socket_server::verdict(fluid(), to("/login", poll(307))));
  CHECK_FALSE(socket_server::verdict(fluid(), poll(400))->enforced);  // the next transport may be right
}

TEST_CASE("socket server: a 200 is told when it is no packet of Engine.IO") {
  CHECK(socket_server::verdict(hobby(), poll(200, "text/html; charset=utf-8")));
  CHECK(socket_server::verdict(hobby(), poll(200, "application/json")));
  FunctionAnswer empty = poll(200);
  empty.empty = true;  // `res.end()` of a handler that made its server for the next request
  CHECK(socket_server::verdict(hobby(), empty));
  CHECK_FALSE(socket_server::verdict(hobby(), poll(200, "text/plain; charset=UTF-8")));
  CHECK_FALSE(socket_server::verdict(hobby(), poll(200, "application/octet-stream")));
  CHECK_FALSE(socket_server::verdict(hobby(), poll(200)));  // nobody knows
  FunctionAnswer post = poll(200, "text/html", "&sid=a");
  post.method = "POST";
  CHECK_FALSE(socket_server::verdict(hobby(), post));  // "ok"
}

TEST_CASE("socket server: what is no socket's request, or an unknown session, is not told here") {
  FunctionAnswer plain = poll(404);
  plain.target = "/missing?x=EIO";
  CHECK_FALSE(socket_server::verdict(hobby(), plain));
  plain.target = "/missing?EIO=4";
  CHECK_FALSE(socket_server::verdict(hobby(), plain));
  CHECK_FALSE(socket_server::verdict(hobby(), poll(400, "application/json", "&sid=a")));
}

TEST_CASE("socket server: the advice fits what answered") {
  const auto fix = [](const FunctionAnswer& a) { return socket_server::verdict(fluid(), a)->fix; };
  CHECK(fix(to("/api/io?EIO=4", upgrade(308, "/api/io/?EIO=4&transport=websocket")))
            .find("Set `addTrailingSlash: false`") != std::string::npos);
  CHECK(fix(to("/api/io/", upgrade(308, "/api/io?EIO=4&transport=websocket")))
            .find("Leave `addTrailingSlash: false` out") != std::string::npos);
  CHECK(fix(upgrade(308)).find("addTrailingSlash") == std::string::npos);  // no Socket.IO
  CHECK(fix(upgrade(404)).find("Make a route handler at this path") != std::string::npos);
  CHECK(fix(upgrade(200, "/ws", "app_page")).find("Make a route handler at this path") != std::string::npos);
  CHECK(fix(upgrade(200, "/api/ws", "pages_api")).find("inside the handler") != std::string::npos);
  CHECK(fix(poll(404)).find("transports: ['websocket']") != std::string::npos);
  const auto serverless = socket_server::verdict(hobby(), poll(404))->fix;
  CHECK(serverless.find("experimental_upgradeWebSocket") == std::string::npos);  // it does not work there
}
