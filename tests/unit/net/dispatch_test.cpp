#include "dispatch_world.hpp"

namespace vsim::net::test {
namespace {

TEST_CASE("Dispatch: a request without a body goes to the instance, and both connections are used again") {
  DispatchWorld w;
  const auto c = w.reading_client(get("/a"));
  const auto o = w.origin(0, "\r\n\r\n");
  CHECK(o->in == first_head("GET /a") + "\r\n");
  o->write(dispatch(final_head("GET /a?x=1")));
  const auto i = w.instance.got(0, "\r\n\r\n");
  CHECK(i->in == final_head("GET /a?x=1") + "\r\n");
  i->write(ok("from the instance"));
  REQUIRE(w.until([&] { return has(c->in, "from the instance"); }));
  CHECK(has(c->in, "HTTP/1.1 200 OK\r\n"));
  CHECK_FALSE(has(c->in, "x-vsim"));
  REQUIRE(w.edge.ended.contains(1));
  CHECK(w.edge.ended.at(1).bytes_out == 17);

  c->write(get("/b"));
  w.origin(0, "GET /b")->write(dispatch(final_head("GET /b")));
  w.instance.got(0, "GET /b")->write(ok("second"));
  REQUIRE(w.until([&] { return has(c->in, "second"); }));
  CHECK(w.origins.size() == 1);
  CHECK(w.instance.peers.size() == 1);
}

TEST_CASE("Dispatch: a body that next dev does not ask for goes to the instance only") {
  DispatchWorld w;
  const auto c = w.reading_client(post("/a", "12345") + get("/b"));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.got(0, "12345");
  CHECK(i->in == final_head("POST /a") + "Content-Length: 5\r\n\r\n12345");
  CHECK(o->in == first_head("POST /a", "Content-Length: 5\r\nExpect: 100-continue\r\n") + "\r\n");
  i->write(ok("one"));
  // The first connection would take the next request for the body that it never got.
  w.origin(1, "GET /b")->write(dispatch(final_head("GET /b")));
  REQUIRE(w.until([&] { return o->eof; }));
  w.instance.got(0, "GET /b")->write(ok("two"));
  REQUIRE(w.until([&] { return has(c->in, "two"); }));
  CHECK(w.edge.ended.at(1).bytes_in == 5);
  CHECK(w.edge.ended.at(2).bytes_in == 0);
  CHECK_FALSE(has(c->in, "100 Continue"));
}

TEST_CASE("Dispatch: a chunked body and its trailers reach the instance as they came") {
  DispatchWorld w;
  const auto c = w.reading_client(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(dispatch(final_head("POST /a")));
  w.instance.got(0, "3\r\nabc\r\n");
  c->write("2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n");
  const auto i = w.instance.got(0, "x-sum");
  REQUIRE(w.until([&] { return i->in.ends_with("\r\n\r\n"); }));
  CHECK(i->in == final_head("POST /a") +
                     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n");
  CHECK(o->in == first_head("POST /a", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n") + "\r\n");
  i->write(ok("done"));
  REQUIRE(w.until([&] { return has(c->in, "done"); }));
}

TEST_CASE("Dispatch: a declared empty body needs no 100 and keeps its length") {
  DispatchWorld w;
  const auto c = w.reading_client(post("/a", ""));
  const auto o = w.origin(0, "\r\n\r\n");
  CHECK(o->in == first_head("POST /a", "Content-Length: 0\r\n") + "\r\n");
  o->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.got(0, "\r\n\r\n");
  CHECK(i->in == final_head("POST /a") + "Content-Length: 0\r\n\r\n");
  i->write(ok("done"));
  REQUIRE(w.until([&] { return has(c->in, "done"); }));
}

TEST_CASE("Dispatch: a client that waits for 100 gets it when the request is dispatched, once") {
  DispatchWorld w;
  w.wait_on_dispatch();
  const auto c = w.reading_client(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const auto o = w.origin(0, "\r\n\r\n");
  CHECK(o->in == first_head("POST /a", "Content-Length: 5\r\nExpect: 100-continue\r\n") + "\r\n");
  o->write(dispatch(final_head("POST /a")));
  w.until_dispatched();
  CHECK(c->in.empty());
  w.session().send_to(*w.instance.pool, w.edge.dispatches[0]);
  REQUIRE(w.until([&] { return c->in == kContinue; }));
  c->write("12345");
  const auto i = w.instance.got(0, "12345");
  CHECK(i->in == final_head("POST /a") + "Content-Length: 5\r\n\r\n12345");
  i->write(kContinue + ok("done"));
  REQUIRE(w.until([&] { return has(c->in, "done"); }));
  CHECK(c->in.starts_with(kContinue + "HTTP/1.1 200"));
}

TEST_CASE("Dispatch: a client that waits for 100 gets it when next dev reads the body, once") {
  DispatchWorld w;
  const auto c = w.reading_client(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(kContinue);
  REQUIRE(w.until([&] { return c->in == kContinue; }));
  c->write("12345");
  w.origin(0, "12345")->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.got(0, "12345");
  CHECK(i->in == final_head("POST /a") + "Content-Length: 5\r\n\r\n12345");
  i->write(ok("done"));
  REQUIRE(w.until([&] { return has(c->in, "done"); }));
  CHECK(c->in.starts_with(kContinue + "HTTP/1.1 200"));
}

TEST_CASE("Dispatch: a body that next dev read whole is sent again, and its connection is used again") {
  DispatchWorld w;
  const auto c = w.reading_client(post("/a", "12345"));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(kContinue);
  w.origin(0, "12345")->write(dispatch(final_head("POST /a")));
  const auto i = w.instance.got(0, "12345");
  CHECK(i->in == final_head("POST /a") + "Content-Length: 5\r\n\r\n12345");
  i->write(ok("done"));
  REQUIRE(w.until([&] { return has(c->in, "done"); }));
  CHECK(c->in.starts_with("HTTP/1.1 200"));  // it did not ask for a 100
  CHECK(w.edge.ended.at(1).bytes_in == 5);
  c->write(get("/b"));
  w.origin(0, "GET /b");
}

TEST_CASE("Dispatch: what next dev has read of a body comes first, then the rest from the client") {
  DispatchWorld w;
  for (const bool chunked : {false, true}) {
    const auto c = w.reading_client(
        chunked ? "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                : "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc");
    const std::size_t n = chunked ? 1 : 0;
    const auto o = w.origin(n, "\r\n\r\n");
    o->write(kContinue);
    w.origin(n, "abc")->write(dispatch(final_head("POST /a")));
    const auto i = w.instance.got(n, "abc");
    c->write(chunked ? "3\r\ndef\r\n0\r\n\r\n" : "def");
    REQUIRE(w.until([&] { return i->in.ends_with(chunked ? "0\r\n\r\n" : "def"); }));
    CHECK(i->in == final_head("POST /a") +
                       (chunked ? "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
                                : "Content-Length: 6\r\n\r\nabcdef"));
    REQUIRE(w.until([&] { return o->eof; }));
    CHECK_FALSE(has(o->in, "def"));
    i->write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone");
    REQUIRE(w.until([&] { return has(c->in, "done"); }));
  }
}

TEST_CASE("Dispatch: HEAD, whose dispatch has no body either") {
  DispatchWorld w;
  w.edge.then = [&](Session& s, std::string_view text) {
    CHECK(text.empty());
    s.send_to(*w.instance.pool, final_head("HEAD /a"));
  };
  const auto c = w.reading_client("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  w.origin(0, "HEAD /a")
      ->write("HTTP/1.1 200 OK\r\nx-vsim-dispatch: t SEVBRA==\r\nContent-Length: 9\r\n\r\n");
  w.instance.got(0, "HEAD /a")->write("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
  REQUIRE(w.until([&] { return has(c->in, "\r\n\r\n"); }));
  CHECK(has(c->in, "Content-Length: 12\r\n"));
  CHECK(c->in.ends_with("\r\n\r\n"));
  w.send_on_dispatch();
  c->write(get("/b"));
  w.origin(0, "GET /b")->write(dispatch(final_head("GET /b")));
  w.instance.got(0, "GET /b")->write(ok("next"));
  REQUIRE(w.until([&] { return c->in.ends_with("next"); }));
}

TEST_CASE("Dispatch: a dispatch in chunks and in pieces is put together") {
  DispatchWorld w;
  const auto c = w.reading_client(get("/a"));
  const auto o = w.origin(0, "GET /a");
  w.wait_on_dispatch();
  const std::string text = final_head("GET /a") + "x: " + std::string(300000, 'y') + "\r\n";
  std::string message = "HTTP/1.1 200 OK\r\nx-vsim-dispatch: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < text.size(); at += 1000) {
    const std::string part = text.substr(at, 1000);
    char size[12];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    message += size + part + "\r\n";
  }
  o->write(message + "0\r\n\r\n");
  w.until_dispatched();
  CHECK(w.edge.dispatches[0] == text);
  CHECK(w.session().totals().bytes_out == 0);
}

TEST_CASE("Dispatch: interim answers of both apps reach the client, but for 100") {
  DispatchWorld w;
  const auto c = w.reading_client(post("/a", "b"));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write("HTTP/1.1 103 Early Hints\r\nlink: </first>\r\n\r\n" + kContinue);
  w.origin(0, "\r\n\r\nb")->write(dispatch(final_head("POST /a")));
  w.instance.got(0, "\r\n\r\nb")
      ->write(kContinue + "HTTP/1.1 103 Early Hints\r\nlink: </second>\r\n\r\n" + ok("done"));
  REQUIRE(w.until([&] { return has(c->in, "done"); }));
  CHECK(c->in.starts_with(
      "HTTP/1.1 103 Early Hints\r\nlink: </first>\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </second>\r\n\r\n"
      "HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("Resend: the original head comes again with further lines, and the body when it is asked for") {
  DispatchWorld w;
  w.edge.extra = "X-Vsim-Id: t.1\r\n";
  w.edge.then = [&](Session& s, std::string_view text) {
    if (text.empty()) return s.resend(*w.pool, "X-Vsim-Skip: /[id]\r\n");
    s.send_to(*w.instance.pool, std::string(text));
  };
  for (const std::string expect : {"", "Expect: 100-continue\r\n"}) {
    const std::size_t n = w.origins.size();
    const auto c = w.reading_client("POST /a HTTP/1.1\r\nHost: localhost\r\n" + expect +
                                    "Content-Length: 5\r\n\r\n" + (expect.empty() ? "12345" : ""));
    const auto o = w.origin(n, "\r\n\r\n");
    const std::string head =
        first_head("POST /a", "Content-Length: 5\r\nExpect: 100-continue\r\n") + w.edge.extra;
    CHECK(o->in == head + "\r\n");
    o->write(dispatch(final_head("POST /[id]")));
    if (!expect.empty()) {
      REQUIRE(w.until([&] { return c->in == kContinue; }));
      c->write("12345");
    }
    const std::size_t first = n;  // each round opens two connections to the instance
    const auto i = w.instance.got(first, "12345");
    i->write("HTTP/1.1 404 Not Found\r\nx-vsim-again: t\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    const auto again = w.origin(n + 1, "\r\n\r\n");
    CHECK(again->in == head + "X-Vsim-Skip: /[id]\r\n\r\n");
    again->write(kContinue);
    REQUIRE(w.until([&] { return has(again->in, "\r\n\r\n12345"); }));
    again->write(dispatch(final_head("POST /[...all]"), "Connection: close\r\n"));
    const auto j = w.instance.got(first + 1, "12345");
    CHECK(j->in == final_head("POST /[...all]") + "Content-Length: 5\r\n\r\n12345");
    j->write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfound");
    REQUIRE(w.until([&] { return has(c->in, "found"); }));
    CHECK_FALSE(has(c->in, "404"));
    REQUIRE(w.until([&] { return w.edge.open.empty(); }));
  }
  CHECK(w.edge.ended.at(1).bytes_in == 5);
  CHECK(w.edge.ended.at(2).bytes_in == 5);
}

TEST_CASE("Resend: next dev may answer itself the second time") {
  DispatchWorld w;
  const auto c = w.reading_client(get("/a"));
  w.origin(0, "GET /a")->write(dispatch(final_head("GET /[id]")));
  const auto i = w.instance.got(0, "GET /[id]");
  w.edge.then = [&](Session& s, std::string_view) { s.resend(*w.pool, "X-Vsim-Skip: /[id]\r\n"); };
  i->write(kAgain);
  w.origin(0, "X-Vsim-Skip")->write(ok("not found page"));
  REQUIRE(w.until([&] { return has(c->in, "not found page"); }));
  CHECK(w.edge.ended.size() == 1);
}

TEST_CASE("Direct answer: a small body that nobody read does not cost the client its connection") {
  DispatchWorld w;
  const auto c = w.reading_client(post("/a", "12345"));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write("HTTP/1.1 307 Temporary Redirect\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
  REQUIRE(w.until([&] { return has(c->in, "\r\n\r\n"); }));
  CHECK_FALSE(has(c->in, "Connection: close"));
  c->write(get("/b"));
  w.origin(1, "GET /b")->write(ok("second"));
  REQUIRE(w.until([&] { return has(c->in, "second"); }));
  CHECK_FALSE(has(o->in, "12345"));
  CHECK(o->eof);
}

TEST_CASE("Direct answer: the rest of a large body is drained, then the connection ends") {
  DispatchWorld w;
  w.edge.body_limit = 1000;  // of a function: it does not count here
  w.edge.over = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n";
  const auto c = w.reading_client(post("/a", std::string(3000000, 'b')));
  w.origin(0, "\r\n\r\n")->write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  REQUIRE(w.until([&] { return c->eof || c->broken; }));
  CHECK(c->eof);
  CHECK(c->in.starts_with("HTTP/1.1 403"));
  CHECK(has(c->in, "Connection: close"));
  CHECK(c->in.ends_with("no"));
  CHECK(w.edge.open.empty());
}

TEST_CASE("Direct answer: a client that was never told to go on gets no 100") {
  DispatchWorld w;
  const auto c = w.reading_client(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  w.origin(0, "\r\n\r\n")->write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  REQUIRE(w.until([&] { return c->eof; }));
  CHECK(c->in.starts_with("HTTP/1.1 403"));
  CHECK(has(c->in, "Connection: close"));
}

TEST_CASE("Direct answer: next dev reads the body and streams its own answer, as without isolation") {
  DispatchWorld w;
  const auto c = w.reading_client(post("/a", "12345", "X: y\r\n"));
  const auto o = w.origin(0, "\r\n\r\n");
  o->write(kContinue);
  w.origin(0, "12345")->write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  REQUIRE(w.until([&] { return has(c->in, "abc"); }));
  o->write("0\r\n\r\n");
  REQUIRE(w.until([&] { return c->in.ends_with("0\r\n\r\n"); }));
  c->write(get("/b"));
  w.origin(0, "GET /b");  // the connection to the app was kept
  CHECK(w.edge.ended.at(1).bytes_in == 5);
}

TEST_CASE("Upgrade: the dispatch comes as a plain answer, the instance's 101 opens the tunnel") {
  DispatchWorld w;
  w.edge.tunnel = true;
  const std::string head = final_head("GET /ws") + "connection: Upgrade\r\nupgrade: websocket\r\n";
  const auto c = w.reading_client(kUpgrade + "early");
  const auto o = w.origin(0, "\r\n\r\n");
  CHECK(has(o->in, "Connection: Upgrade\r\n"));
  o->write(dispatch(head));
  const auto i = w.instance.got(0, "\r\n\r\n");
  REQUIRE(w.until([&] { return o->eof; }));  // a socket that was upgraded is no HTTP connection any more
  CHECK(i->in == head + "\r\n");
  i->write(kSwitching + "hello");
  REQUIRE(w.until([&] { return has(c->in, "hello") && has(i->in, "early"); }));
  CHECK(has(c->in, "101"));
  c->write("more");
  REQUIRE(w.until([&] { return has(i->in, "earlymore"); }));
  c->reset();
  REQUIRE(w.until([&] { return w.edge.open.empty(); }));
  CHECK(w.edge.ended.at(1).bytes_in == 9);
  CHECK(w.edge.ended.at(1).bytes_out == 5);
}

TEST_CASE("Upgrade: cut while it waits for an instance") {
  DispatchWorld w;
  w.edge.tunnel = true;
  w.wait_on_dispatch();
  const auto c = w.reading_client(kUpgrade);
  w.origin(0, "\r\n\r\n")->write(dispatch(final_head("GET /ws")));
  w.until_dispatched();
  Session& s = w.session();
  w.edge.end(1);
  s.cut_tunnel({});
  REQUIRE(w.until([&] { return c->eof; }));
  CHECK(c->in.empty());
  c->socket.close();
  REQUIRE(w.until([&] { return w.server->sessions() == 0; }));
}

}  // namespace
}  // namespace vsim::net::test
