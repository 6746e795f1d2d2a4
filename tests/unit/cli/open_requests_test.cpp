#include "cli/open_requests.hpp"

#include <catch2/catch.hpp>

namespace vsim::cli {
namespace {

using namespace std::chrono_literals;

event::InvocationStarted started(std::uint64_t id, std::string_view target) {
  event::InvocationStarted e;
  e.id = static_cast<InvocationId>(id);
  e.method = "GET";
  e.target = target;
  return e;
}

TEST_CASE("Open requests: one that takes long is told after 2 s, 10 s, and each 30 s") {
  OpenRequests open;
  event::Stamp stamp;
  open.on_event(stamp, started(1, "/api/slow?ms=60000"));
  CHECK(open.tell(stamp.at + 1900ms).empty());
  CHECK(open.tell(stamp.at + 2s) == " GET  /api/slow?ms=60000 … still open after 2s\n");
  CHECK(open.tell(stamp.at + 9s).empty());
  CHECK(open.tell(stamp.at + 10s) == " GET  /api/slow?ms=60000 … still open after 10s\n");
  CHECK(open.tell(stamp.at + 29s).empty());
  CHECK(open.tell(stamp.at + 31s) == " GET  /api/slow?ms=60000 … still open after 31s\n");
  CHECK(open.tell(stamp.at + 59s).empty());
  CHECK_FALSE(open.tell(stamp.at + 60s).empty());
}

TEST_CASE(
    "Open requests: what has ended, what is an open socket and what is the dev server's own is not told") {
  OpenRequests open;
  const event::Stamp stamp;
  open.on_event(stamp, started(1, "/ended"));
  open.on_event(stamp, started(2, "/ws"));
  open.on_event(stamp, started(3, "/_next/webpack-hmr?id=1"));
  event::InvocationEnded ended;
  ended.id = static_cast<InvocationId>(1);
  open.on_event(stamp, ended);
  event::SocketOpened socket;
  socket.id = static_cast<InvocationId>(2);
  open.on_event(stamp, socket);
  CHECK(open.tell(stamp.at + 1h).empty());
}

TEST_CASE("Open requests: what a client sends cannot drive the terminal") {
  OpenRequests open;
  const event::Stamp stamp;
  open.on_event(stamp, started(1, "/a\x1b[2J"));
  CHECK(open.tell(stamp.at + 3s) == " GET  /a?[2J … still open after 3s\n");
}

}  // namespace
}  // namespace vsim::cli
