#include "session_world.hpp"

namespace vsim::net::test {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("Session: a body that is refused as too long does not swallow the request behind it") {
  World w;
  w.edge.body_limit = 4;
  w.edge.over = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n";
  const auto c = w.reading_client(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ntoo much.\r\n0\r\n\r\n" +
      get("/b"));
  const auto o = w.origin(1, "GET /b");
  o->write(ok("second"));
  REQUIRE(w.until([&] { return has(c->in, "second"); }));
  CHECK(c->in.starts_with("HTTP/1.1 413"));
  CHECK(w.edge.targets == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("Session: every refused request of many in one read is answered") {
  World w;
  w.edge.body_limit = 0;
  w.edge.over = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n";
  std::string text;
  constexpr int kRequests = 200;
  for (int i = 0; i < kRequests; ++i)
    text += "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
  const auto c = w.reading_client(text);
  REQUIRE(w.until([&] { return c->in.size() >= w.edge.over.size() * kRequests; }));
  CHECK(w.edge.open.empty());
}

TEST_CASE("Session: totals of an exchange without a response do not count the one before") {
  World w;
  const auto c = w.reading_client(get("/a"));
  const auto o = w.origin(0, "GET /a");
  o->write(ok("12345"));
  REQUIRE(w.until([&] { return has(c->in, "12345"); }));
  CHECK(w.edge.ended.at(1).bytes_out == 5);
  c->write(get("/b"));
  w.origin(0, "GET /b")->socket.close();
  REQUIRE(w.until([&] { return has(c->in, "502"); }));
  CHECK(w.edge.failed.at(2).bytes_out == 0);
}

TEST_CASE("Session: pipelined requests before a half-close are all served, then the connection ends") {
  World w;
  const auto c = w.reading_client(get("/a") + get("/b"));
  c->half_close();
  const auto o = w.origin(0, "GET /a");
  o->write(ok("one"));
  w.origin(0, "GET /b")->write(ok("two"));
  REQUIRE(w.until([&] { return c->eof; }));
  CHECK(has(c->in, "one"));
  CHECK(has(c->in, "two"));
  CHECK(w.server->sessions() == 0);
}

TEST_CASE("Session: a client that closes its direction behind its request is gone if the edge says so") {
  for (const bool leaving : {false, true}) {
    World w;
    w.edge.half_close_is_leaving = leaving;
    w.edge.keep_running = false;
    const auto c = w.reading_client(get("/a"));
    const auto o = w.origin(0, "GET /a");
    c->half_close();
    REQUIRE(w.until([&] { return w.edge.half_closed == 1; }));
    if (!leaving) o->write(ok("one"));
    REQUIRE(w.until([&] { return c->eof && w.edge.open.empty(); }));
    CHECK(w.edge.left == (leaving ? 1 : 0));
    CHECK(has(c->in, "one") == !leaving);
    if (leaving) REQUIRE(w.until([&] { return o->eof || o->broken; }));
    CHECK(w.server->sessions() == 0);
  }
}

TEST_CASE("Session: bytes sent right behind the 101 pass in both directions") {
  World w;
  w.edge.tunnel = true;
  const auto c = w.reading_client(kUpgrade + "from client");
  const auto o = w.origin(0, "GET /ws");
  o->write(kSwitching + "from app");
  REQUIRE(w.until([&] { return has(c->in, "from app") && has(o->in, "from client"); }));
  c->reset();
  REQUIRE(w.until([&] { return w.edge.open.empty(); }));
  CHECK(w.edge.ended.at(1).bytes_in == 11);
  CHECK(w.edge.ended.at(1).bytes_out == 8);
  REQUIRE(w.until([&] { return o->eof || o->broken; }));
  CHECK(w.server->sessions() == 0);
}

TEST_CASE("Session: a tunnel that both sides have closed still delivers what a slow client has not read") {
  World w;
  w.edge.tunnel = true;
  const auto c = w.client(kUpgrade);
  const auto o = w.origin(0, "GET /ws");
  constexpr std::size_t kBytes = 12u << 20;
  c->half_close();
  o->write(kSwitching + std::string(kBytes, 'x'), true);
  REQUIRE(w.until([&] { return o->eof; }));  // the client's half-close has passed through
  w.until_blocked(1);
  c->read();
  REQUIRE(w.until([&] { return c->eof || c->broken; }));
  CHECK(c->eof);
  CHECK(c->in.size() >= kBytes + 64);
  REQUIRE(w.until([&] { return w.server->sessions() == 0; }));
  CHECK(w.edge.ended.at(1).bytes_out == kBytes);
}

TEST_CASE("Session: a cut tunnel's farewell comes behind what the client had not read, without a reset") {
  World w;
  w.edge.tunnel = true;
  const auto c = w.client(kUpgrade + std::string(100000, 'u'));
  const auto o = w.origin(0, "GET /ws");
  o->write(kSwitching + std::string(12u << 20, 'x'));
  w.until_blocked(1);
  Session* session = w.edge.open.at(1);
  w.edge.end(1);
  session->cut_tunnel("BYE");
  c->read();
  REQUIRE(w.until([&] { return c->eof || c->broken; }));
  CHECK(c->eof);
  CHECK(c->in.ends_with("xBYE"));
  c->socket.close();
  REQUIRE(w.until([&] { return w.server->sessions() == 0; }));
}

TEST_CASE("Session: the app resets a tunnel: both sides end, once") {
  World w;
  w.edge.tunnel = true;
  const auto c = w.reading_client(kUpgrade);
  const auto o = w.origin(0, "GET /ws");
  o->write(kSwitching);
  REQUIRE(w.until([&] { return has(c->in, "101"); }));
  o->reset();
  REQUIRE(w.until([&] { return c->eof || c->broken; }));
  CHECK(w.edge.open.empty());
  CHECK(w.server->sessions() == 0);
}

TEST_CASE("Session: a client that resets while it waits for a 101 is noticed, and a late 101 ends it") {
  World w;
  w.edge.tunnel = true;
  const auto c = w.client(kUpgrade);
  const auto o = w.origin(0, "GET /ws");
  c->reset();
  REQUIRE(w.until([&] { return w.edge.left == 1; }));
  CHECK(w.edge.open.size() == 1);  // the function runs on
  o->write(kSwitching);
  REQUIRE(w.until([&] { return o->eof || o->broken; }));
  CHECK(w.edge.open.empty());
  CHECK(w.server->sessions() == 0);
}

TEST_CASE("Session: an early response with a large unread body reaches the client whole") {
  World w;
  const auto c = w.reading_client("POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n" +
                                  std::string(3000000, 'b'));
  const auto o = w.origin(0, "POST /up");
  o->write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 7\r\n\r\ntoo big");
  REQUIRE(w.until([&] { return c->eof || c->broken; }));
  CHECK(c->eof);
  CHECK(c->in.ends_with("too big"));
  CHECK(w.edge.open.empty());
}

TEST_CASE("Session: when the server ends, every exchange ends exactly once") {
  World w;
  w.edge.tunnel = true;
  const auto waiting = w.reading_client(get("/waiting"));
  w.origin(0, "GET /waiting");
  const auto dropped = w.reading_client(get("/drop"));
  const auto tunnel = w.reading_client(kUpgrade);
  w.origin(1, "GET /ws")->write(kSwitching);
  REQUIRE(w.until([&] { return has(tunnel->in, "101"); }));
  const auto streaming = w.reading_client(get("/stream"));
  w.origin(2, "GET /stream")->write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
  REQUIRE(w.until([&] { return has(streaming->in, "hi"); }));
  const auto connecting = w.client(get("/connecting"));
  REQUIRE(w.until([&] { return w.edge.open.size() == 5; }));
  w.server->shut_all();
  CHECK(w.edge.open.empty());
  CHECK(w.edge.ended.size() == 5);
  CHECK(w.server->sessions() == 0);
}

TEST_CASE("Session: a dropped request ends when its client gives up") {
  World w;
  const auto c = w.client(get("/drop") + get("/never"));
  REQUIRE(w.until([&] { return w.edge.open.size() == 1; }));
  c->socket.close();
  REQUIRE(w.until([&] { return w.edge.open.empty(); }));
  CHECK(w.edge.targets == std::vector<std::string>{"/drop"});
  CHECK(w.server->sessions() == 0);
}

}  // namespace
}  // namespace vsim::net::test
