#include "dispatch_world.hpp"

namespace vsim::net::test {
namespace {

constexpr std::size_t kBig = 8u << 20;
const std::string kTooLarge = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n";

// Not all the same byte, so that a slice that is lost, doubled or moved shows.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t x = 1;
  for (char& c : text) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>('a' + (x >> 24) % 26);
  }
  return text;
}

// Where an exchange stands when something happens to it.
enum class At { withheld, collecting, waiting, reading_body, instance };
constexpr At kAll[] = {At::withheld, At::collecting, At::waiting, At::reading_body, At::instance};

struct Scene {
  DispatchWorld w;
  TcpPeer c, o;
  std::shared_ptr<Peer<Local>> i;

  // `request` is whole but for its last `missing` bytes, or whole.
  Scene(At at, const std::string& request) {
    w.wait_on_dispatch();
    c = w.reading_client(request);
    o = w.origin(0, "\r\n\r\n");
    const std::string text = dispatch(final_head("POST /a"));
    switch (at) {
      case At::withheld:
        return;
      case At::collecting:
        o->write(text.substr(0, text.size() - 3));
        // The head was read when the body's beginning was: nothing tells, so wait for the loop to be idle.
        while (w.io.poll() > 0) {
        }
        return;
      case At::waiting:
        o->write(text);
        w.until_dispatched();
        return;
      case At::reading_body:
        o->write(kContinue);
        w.origin(0, "12345");
        return;
      case At::instance:
        o->write(text);
        w.until_dispatched();
        w.session().send_to(*w.instance.pool, w.edge.dispatches[0]);
        i = w.instance.got(0, "12345");
        return;
    }
  }
};

TEST_CASE("Client leaves: an unfinished body ends the exchange, wherever it stands") {
  for (const At at : kAll) {
    CAPTURE(static_cast<int>(at));
    Scene s(at, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n12345");
    s.c->reset();
    REQUIRE(s.w.until([&] { return s.w.edge.open.empty(); }));
    CHECK(s.w.edge.left == 1);
    CHECK(s.w.edge.ended.size() == 1);
    CHECK(s.w.server->sessions() == 0);
    if (s.i) REQUIRE(s.w.until([&] { return s.i->eof || s.i->broken; }));
  }
}

TEST_CASE("Client leaves: a half-close in the middle of a withheld body of known length is noticed at once") {
  for (const At at : {At::withheld, At::collecting, At::waiting}) {
    CAPTURE(static_cast<int>(at));
    Scene s(at, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n12345");
    s.c->half_close();
    REQUIRE(s.w.until([&] { return s.w.edge.open.empty(); }));
    CHECK(s.w.edge.left == 1);
  }
}

TEST_CASE("Client leaves: a request without a body goes on to the instance, and its answer is thrown away") {
  for (const At at : {At::withheld, At::collecting, At::waiting}) {
    CAPTURE(static_cast<int>(at));
    Scene s(at, get("/a"));
    s.c->reset();
    REQUIRE(s.w.until([&] { return s.w.edge.left == 1; }));
    CHECK(s.w.edge.open.size() == 1);
    const std::string text = dispatch(final_head("POST /a"));
    if (at == At::withheld) s.o->write(text);
    if (at == At::collecting) s.o->write(text.substr(text.size() - 3));
    s.w.until_dispatched();
    s.w.session().send_to(*s.w.instance.pool, s.w.edge.dispatches[0]);
    const auto i = s.w.instance.got(0, "\r\n\r\n");
    i->write(ok("nobody"));
    REQUIRE(s.w.until([&] { return s.w.edge.open.empty(); }));
    CHECK(s.w.edge.ended.at(1).bytes_out == 6);
    CHECK(s.w.server->sessions() == 0);
    CHECK_FALSE(i->eof);  // its connection was given back
  }
}

TEST_CASE("Client leaves: where the function is to stop, every connection is closed at once") {
  for (const At at : kAll) {
    CAPTURE(static_cast<int>(at));
    Scene s(at, post("/a", "12345"));
    s.w.edge.keep_running = false;
    s.c->reset();
    REQUIRE(s.w.until([&] { return s.w.edge.open.empty(); }));
    CHECK(s.w.edge.left == 1);
    CHECK(s.w.edge.ended.size() == 1);
    if (s.i) REQUIRE(s.w.until([&] { return s.i->eof || s.i->broken; }));
  }
}

TEST_CASE("Half-close behind a whole request: it is dispatched and answered, then the connection ends") {
  DispatchWorld w;
  const auto c = w.reading_client({});
  c->write(post("/a", "12345"), true);
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(dispatch(final_head("POST /a")));
  w.instance.got(0, "12345")->write(ok("done"));
  REQUIRE(w.until([&] { return c->eof; }));
  CHECK(c->in.ends_with("done"));
  CHECK(w.edge.ended.at(1).bytes_in == 5);
}

TEST_CASE("The edge answers in the middle: the client gets it, the rest of the body is drained") {
  for (const At at : kAll) {
    CAPTURE(static_cast<int>(at));
    Scene s(at, post("/a", "12345" + pattern(2000000)));
    Session& session = s.w.session();
    const bool keep = session.may_keep_alive();
    s.w.edge.end(1);
    session.answer("HTTP/1.1 504 Gateway Timeout\r\n" + std::string(keep ? "" : "Connection: close\r\n") +
                   "Content-Length: 4\r\n\r\nlate");
    REQUIRE(s.w.until([&] { return s.c->in.ends_with("late"); }));
    if (!keep) REQUIRE(s.w.until([&] { return s.c->eof || s.c->broken; }));
    CHECK_FALSE(s.c->broken);
    CHECK(s.w.edge.ended.empty());
  }
}

TEST_CASE("The server ends: every exchange ends once, wherever it stands") {
  for (const At at : kAll) {
    CAPTURE(static_cast<int>(at));
    Scene s(at, post("/a", "12345"));
    s.w.server->shut_all();
    CHECK(s.w.edge.ended.size() == 1);
    CHECK(s.w.edge.open.empty());
    CHECK(s.w.server->sessions() == 0);
  }
}

TEST_CASE("Failure: next dev resets before and within a dispatch") {
  for (const At at : {At::withheld, At::collecting, At::reading_body}) {
    CAPTURE(static_cast<int>(at));
    Scene s(at, post("/a", "12345"));
    s.o->half_close();
    REQUIRE(s.w.until([&] { return has(s.c->in, "502"); }));
    CHECK(s.w.edge.failures == std::vector{UpstreamFailure::reset});
    CHECK(s.w.edge.failed.at(1).bytes_out == 0);
    CHECK(s.w.edge.dispatches.empty());
  }
}

TEST_CASE("Failure: a dispatch of more than 1 MiB is garbage, declared or in chunks") {
  for (const bool chunked : {false, true}) {
    DispatchWorld w;
    const auto c = w.reading_client(get("/a"));
    const auto o = w.origin(0, "\r\n\r\n");
    constexpr std::size_t kTooMuch = (1u << 20) + 1;
    o->write(chunked
                 ? "HTTP/1.1 200 OK\r\nx-vsim-dispatch: t\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" +
                       std::string(kTooMuch, 'x')
                 : dispatch(std::string(kTooMuch, 'x')));
    REQUIRE(w.until([&] { return has(c->in, "502"); }));
    CHECK(w.edge.failures == std::vector{UpstreamFailure::garbage});
    CHECK(w.edge.failed.at(1).bytes_out == 0);
    REQUIRE(w.until([&] { return o->eof || o->broken; }));
  }
}

TEST_CASE("Dispatch: exactly 1 MiB is taken") {
  DispatchWorld w;
  w.wait_on_dispatch();
  const auto c = w.reading_client(get("/a"));
  const std::string text = pattern(1u << 20);
  w.origin(0, "\r\n\r\n")->write(dispatch(text));
  w.until_dispatched();
  CHECK(w.edge.dispatches[0] == text);
}

TEST_CASE("Failure: a close-delimited dispatch, broken chunks and a 101 are garbage") {
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nx-vsim-dispatch: t\r\n\r\nGET /",
        "HTTP/1.1 101 Switching\r\nx-vsim-dispatch: t\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-vsim-dispatch: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    DispatchWorld w;
    w.edge.tunnel = true;
    const auto c = w.reading_client(kUpgrade);
    w.origin(0, "\r\n\r\n")->write(answer);
    REQUIRE(w.until([&] { return has(c->in, "502"); }));
    CHECK(w.edge.failures == std::vector{UpstreamFailure::garbage});
  }
}

TEST_CASE("Failure: an instance that does not listen") {
  DispatchWorld w;
  w.instance.die();
  const auto c = w.reading_client(post("/a", "12345"));
  w.origin(0, "\r\n\r\n")->write(dispatch(final_head("POST /a")));
  REQUIRE(w.until([&] { return has(c->in, "502"); }));
  CHECK(w.edge.failures == std::vector{UpstreamFailure::refused});
}

TEST_CASE("Failure: after a refusal the edge may send the request to another instance") {
  DispatchWorld w;
  Instance other(w);
  w.edge.wait = true;
  w.instance.die();
  const auto c = w.reading_client(post("/a", "12345"));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(kContinue);
  w.origin(0, "12345")->write(dispatch(final_head("POST /a")));
  REQUIRE(w.until([&] { return w.edge.failures.size() == 1; }));
  CHECK(w.edge.open.size() == 1);
  CHECK(c->in.empty());
  w.session().send_to(*other.pool, final_head("POST /b"));
  const auto i = other.got(0, "12345");
  CHECK(i->in == final_head("POST /b") + "Content-Length: 5\r\n\r\n12345");
  i->write(ok("done"));
  REQUIRE(w.until([&] { return c->in.ends_with("done"); }));
  CHECK(w.edge.ended.at(1).bytes_in == 5);
}

TEST_CASE("Failure: an instance that dies before its head: the edge waits, then answers") {
  DispatchWorld w;
  w.edge.wait = true;
  const auto c = w.reading_client(post("/a", "12345"));
  w.origin(0, "\r\n\r\n")->write(dispatch(final_head("POST /a")));
  w.instance.got(0, "12345")->reset();
  REQUIRE(w.until([&] { return w.edge.failures.size() == 1; }));
  CHECK(w.edge.failures[0] == UpstreamFailure::reset);
  CHECK(c->in.empty());
  Session& s = w.session();
  CHECK_FALSE(s.head_forwarded());
  CHECK(s.may_keep_alive());
  CHECK(s.totals().bytes_in == 5);
  w.edge.end(1);
  s.answer(ok("crashed"));
  c->write(get("/b"));
  w.origin(1, "GET /b");
  CHECK(c->in.ends_with("crashed"));
}

TEST_CASE("Failure: an instance that dies in its response: the edge waits, then cuts") {
  DispatchWorld w;
  w.edge.wait = true;
  const auto c = w.reading_client(get("/a"));
  w.origin(0, "\r\n\r\n")->write(dispatch(final_head("GET /a")));
  const auto i = w.instance.got(0, "\r\n\r\n");
  i->write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  REQUIRE(w.until([&] { return has(c->in, "abc"); }));
  i->reset();
  REQUIRE(w.until([&] { return w.edge.failures.size() == 1; }));
  CHECK(w.edge.failures[0] == UpstreamFailure::truncated);
  Session& s = w.session();
  CHECK(s.head_forwarded());
  CHECK(s.totals().bytes_out == 3);
  w.edge.end(1);
  s.cut(false);
  REQUIRE(w.until([&] { return c->eof || c->broken; }));
  CHECK(c->in.ends_with("3\r\nabc\r\n"));
}

TEST_CASE("Failure: a client that leaves while the edge waits for the cause") {
  DispatchWorld w;
  w.edge.wait = true;
  for (const bool keep : {true, false}) {
    w.edge.keep_running = keep;
    w.edge.left = 0;
    w.edge.failures.clear();
    const ExchangeId id = keep ? 1 : 2;
    const std::size_t n = keep ? 0 : 1;
    const auto c = w.reading_client(post("/a", "12345"));
    w.origin(n, "\r\n\r\n")->write(dispatch(final_head("POST /a")));
    w.instance.got(n, "12345")->reset();
    REQUIRE(w.until([&] { return w.edge.failures.size() == 1; }));
    c->reset();
    REQUIRE(w.until([&] { return w.edge.left == 1; }));
    if (keep) {
      Session& s = w.session(id);
      w.edge.end(id);
      s.answer(ok("nobody"));
    }
    CHECK(w.edge.open.empty());
    CHECK(w.server->sessions() == 0);
  }
}

TEST_CASE("Body limit: it strikes while next dev reads, and while the instance does") {
  for (const bool middleware : {true, false}) {
    DispatchWorld w;
    w.edge.body_limit = 8;
    w.edge.over = kTooLarge;
    const auto c = w.reading_client(
        "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n");
    const auto o = w.origin(0, "\r\n\r\n");
    o->write(middleware ? kContinue : dispatch(final_head("POST /a")));
    if (middleware)
      w.origin(0, "12345");
    else
      w.instance.got(0, "12345");
    c->write("4\r\n6789\r\n0\r\n\r\n" + get("/b"));
    REQUIRE(w.until([&] { return has(c->in, "413"); }));
    w.origin(1, "GET /b")->write(ok("second"));
    REQUIRE(w.until([&] { return has(c->in, "second"); }));
  }
}

TEST_CASE("A malformed chunked body shows when it is first read") {
  DispatchWorld w;
  const auto c = w.reading_client(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(dispatch(final_head("POST /a")));
  REQUIRE(w.until([&] { return has(c->in, "400"); }));
  CHECK(w.edge.open.empty());
  CHECK(w.edge.left == 1);
}

TEST_CASE("Back-pressure: 8 MB from the client wait until a slow instance reads them") {
  DispatchWorld w;
  w.instance.reads = false;
  const std::string body = pattern(kBig);
  const auto c = w.reading_client(post("/a", body));
  w.origin(0, "\r\n\r\n")->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.connected(0);
  while (w.io.run_one_for(200ms) > 0) {
  }
  CHECK(w.session().totals().bytes_in < kBig / 2);
  i->read();
  REQUIRE(w.until([&] { return i->in.size() >= kBig; }));
  CHECK(i->in.ends_with(body));
  i->write(ok("done"));
  REQUIRE(w.until([&] { return c->in.ends_with("done"); }));
  CHECK(w.edge.ended.at(1).bytes_in == kBig);
  c->write(get("/b"));
  w.origin(1, "GET /b")->write(dispatch(final_head("GET /b")));
  w.instance.got(0, "GET /b");  // the connection was given back
}

TEST_CASE("Back-pressure: 8 MB that next dev has read are sent again at the instance's pace") {
  DispatchWorld w;
  w.instance.reads = false;
  const std::string body = pattern(kBig);
  const auto c = w.reading_client(post("/a", body));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(kContinue);
  REQUIRE(w.until([&] { return o->in.size() >= kBig && o->in.ends_with(body); }));
  o->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.connected(0);
  while (w.io.run_one_for(200ms) > 0) {
  }
  i->read();
  REQUIRE(w.until([&] { return i->in.size() >= kBig; }));
  CHECK(i->in == final_head("POST /a") + "Content-Length: " + std::to_string(kBig) + "\r\n\r\n" + body);
  i->write(ok("done"));
  REQUIRE(w.until([&] { return c->in.ends_with("done"); }));
  CHECK(w.edge.ended.at(1).bytes_in == kBig);
}

TEST_CASE("An instance that answers before it has read the kept body: both go on, and nothing is lost") {
  DispatchWorld w;
  w.instance.reads = false;
  const std::string body = pattern(kBig);
  const auto c = w.reading_client(post("/a", body));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(kContinue);
  REQUIRE(w.until([&] { return o->in.ends_with(body); }));
  o->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.connected(0);
  i->write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
  REQUIRE(w.until([&] { return has(c->in, "first"); }));
  i->read();
  REQUIRE(w.until([&] { return i->in.ends_with(body); }));
  i->write("4\r\nlast\r\n0\r\n\r\n");
  REQUIRE(w.until([&] { return c->in.ends_with("0\r\n\r\n"); }));
  CHECK(w.edge.ended.at(1).bytes_in == kBig);
}

TEST_CASE("An instance that answers and never reads the body is not used again") {
  DispatchWorld w;
  w.instance.reads = false;
  const auto c = w.reading_client(post("/a", pattern(kBig)));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.connected(0);
  i->write(ok("enough"));
  REQUIRE(w.until([&] { return c->eof || c->broken; }));
  CHECK(c->eof);
  CHECK(c->in.ends_with("enough"));
  CHECK(w.edge.open.empty());
  i->read();
  REQUIRE(w.until([&] { return i->eof || i->broken; }));
}

TEST_CASE("Pipelined requests behind dispatches are served in order") {
  DispatchWorld w;
  std::string text;
  for (int n = 0; n < 20; ++n)
    text += n % 2 == 0 ? get("/" + std::to_string(n)) : post("/" + std::to_string(n), pattern(3000));
  const auto c = w.reading_client(text);
  std::size_t connection = 0;
  std::string expected;
  for (int n = 0; n < 20; ++n) {
    const std::string target = "/" + std::to_string(n);
    w.origin(connection, " " + target + " HTTP/1.1")->write(dispatch(final_head("GET " + target)));
    if (n % 2 != 0) ++connection;
    const auto i = w.instance.got(0, "GET " + target + " HTTP/1.1");
    if (n % 2 != 0) REQUIRE(w.until([&] { return i->in.ends_with(pattern(3000)); }));
    i->write(ok("answer" + target + ";"));
  }
  REQUIRE(w.until([&] { return has(c->in, "answer/19;"); }));
  for (int n = 0, at = 0; n < 20; ++n) {
    const auto found = c->in.find("answer/" + std::to_string(n) + ";");
    CHECK(found != std::string::npos);
    CHECK(static_cast<int>(found) > at);
    at = static_cast<int>(found);
  }
  CHECK(w.edge.ended.size() == 20);
}

TEST_CASE("A pool that its owner lets go of serves the response that is under way") {
  DispatchWorld w;
  const auto c = w.reading_client(get("/a"));
  w.origin(0, "\r\n\r\n")->write(dispatch(final_head("GET /a")));
  const auto i = w.instance.got(0, "\r\n\r\n");
  i->write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nda");
  REQUIRE(w.until([&] { return c->in.ends_with("da"); }));
  w.instance.pool.reset();
  i->write("ta");
  REQUIRE(w.until([&] { return c->in.ends_with("data"); }));
  REQUIRE(w.until([&] { return i->eof; }));  // the pool and its idle connection went with the response
  CHECK(w.edge.ended.size() == 1);
}

}  // namespace
}  // namespace vsim::net::test
