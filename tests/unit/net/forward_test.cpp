#include "net/forward.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace vsim::net;

namespace {

std::string request(const std::string& text, RequestDecision decision = {}, long max_forwards = -1) {
  http1::RequestParser parser;
  REQUIRE(parser.parse(text) == http1::ParseState::complete);
  std::string out;
  append_request_head(out, parser.head(), decision, max_forwards);
  return out;
}

std::string response(const std::string& text, ResponseForward how = {}) {
  http1::ResponseParser parser;
  parser.reset(false);
  REQUIRE(parser.parse(text) == http1::ParseState::complete);
  how.date = "Sun, 22 Nov 2026 00:00:00 GMT";
  std::string out;
  append_response_head(out, parser.head(), how);
  return out;
}

}  // namespace

TEST_CASE(
    "Hop-by-hop fields, those that Connection names, and forged ones do not reach the app; all others do, in "
    "order") {
  RequestDecision decision;
  decision.extra = "X-Forwarded-For: 127.0.0.1\r\n";
  CHECK(request("POST /a?b=1 HTTP/1.1\r\nHost: localhost:3000\r\nA: 1\r\nConnection: keep-alive, "
                "X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                "Proxy-Connection: x\r\nProxy-Authorization: x\r\nTE: gzip\r\nX-Forwarded-For: "
                "6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Vsim-Id: forged\r\n"
                "X-Vercel-Id: forged\r\nX-Vercel-Ip-Country: DE\r\nCookie: a=b\r\nContent-Length: 3\r\nB: "
                "2\r\n\r\n",
                decision) ==
        "POST /a?b=1 HTTP/1.1\r\nHost: localhost:3000\r\nA: 1\r\nX-Vercel-Ip-Country: DE\r\nCookie: "
        "a=b\r\nB: 2\r\nContent-Length: 3\r\n"
        "Via: 1.1 vercel-sim\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n");
}

TEST_CASE(
    "The authority of an absolute target becomes Host, Via grows, TE: trailers is kept, Max-Forwards is "
    "replaced") {
  CHECK(request("OPTIONS http://a.example:1/x HTTP/1.1\r\nHost: b\r\nVia: 1.0 first\r\nTE: "
                "trailers\r\nConnection: TE\r\nMax-Forwards: 5\r\n\r\n",
                {}, 4) ==
        "OPTIONS /x HTTP/1.1\r\nHost: a.example:1\r\nVia: 1.0 first\r\nMax-Forwards: "
        "4\r\nTE: trailers\r\nConnection: TE\r\nVia: 1.1 vercel-sim\r\n\r\n");
}

TEST_CASE("An upgrade is forwarded as one, or as a plain GET without a trace of it") {
  const std::string text =
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
      "k\r\nSec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1:3000\r\n\r\n";
  RequestDecision tunnel;
  tunnel.tunnel = true;
  tunnel.origin = "http://localhost:3000";
  CHECK(request(text, tunnel) ==
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: "
        "13\r\nOrigin: http://localhost:3000\r\n"
        "Connection: Upgrade\r\nVia: 1.1 vercel-sim\r\n\r\n");
  CHECK(request(text) ==
        "GET /ws HTTP/1.1\r\nHost: a\r\nOrigin: http://127.0.0.1:3000\r\nVia: 1.1 vercel-sim\r\n\r\n");
}

TEST_CASE("A response keeps its own fields, gets our framing, and never an internal one") {
  ResponseForward how;
  how.framing = ClientFraming::chunked;
  CHECK(
      response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=1\r\nSet-Cookie: "
               "b=2\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
               "Keep-Alive: timeout=5\r\nX-Vsim-Meta: secret\r\nDate: Sat, 21 Nov 2026 00:00:00 GMT\r\n\r\n",
               how) ==
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nDate: Sat, 21 Nov 2026 00:00:00 "
      "GMT\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE(
    "A missing Date is added, a closing connection says so, an HTTP/1.0 client is told that it may go on") {
  ResponseForward how;
  how.framing = ClientFraming::length;
  how.keep_alive = false;
  CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", how) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Length: 3\r\nConnection: "
        "close\r\n\r\n");
  how.keep_alive = true;
  how.client_minor = 0;
  CHECK(response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", how) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Length: 3\r\nConnection: "
        "keep-alive\r\n\r\n");
}

TEST_CASE("Only a Location of the app's own origin is rewritten to the public one") {
  ResponseForward how;
  how.app_origin = "http://127.0.0.1:4000";
  how.public_scheme = "https";
  how.public_host = "localhost:3000";
  const auto location = [&](const std::string& value) {
    const std::string out = response(
        "HTTP/1.1 302 Found\r\nDate: x\r\nLocation: " + value + "\r\nContent-Length: 0\r\n\r\n", how);
    const std::size_t at = out.find("Location: ") + 10;
    return out.substr(at, out.find('\r', at) - at);
  };
  CHECK(location("http://127.0.0.1:4000/login?a") == "https://localhost:3000/login?a");
  CHECK(location("http://127.0.0.1:4000") == "https://localhost:3000");
  CHECK(location("http://127.0.0.1:40001/x") == "http://127.0.0.1:40001/x");
  CHECK(location("http://127.0.0.1:4000.evil.example/") == "http://127.0.0.1:4000.evil.example/");
  CHECK(location("/relative") == "/relative");
}
