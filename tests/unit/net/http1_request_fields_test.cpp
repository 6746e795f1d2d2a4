#include "net/http1.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "unit/net/http1_support.hpp"

using namespace std::literals;
namespace http1 = vsim::net::http1;
using http1::Field;
using http1::HeadError;
using http1::ParseState;
using http1::RequestParser;
using http1::test::check_request;
using http1::test::describe;
using http1::test::get;
using http1::test::parse_request;
using http1::test::post;

TEST_CASE("request: lengths that two readers could understand differently are refused") {
  for (const std::string_view value : {"",
                                       "+5",
                                       "-1",
                                       "-0",
                                       "5 5",
                                       "5,5",
                                       "5, 6",
                                       "5,",
                                       ",5",
                                       "0x5",
                                       "0o5",
                                       "5_0",
                                       "5.0",
                                       "5e1",
                                       "five",
                                       "1 ",
                                       "9223372036854775808",
                                       "18446744073709551616",
                                       "99999999999999999999999",
                                       "\"5\"",
                                       "5;",
                                       "\xd9\xa5"}) {
    const std::string_view expected = value == "1 " ? "POST / path=/ host=h 1.1 body=length 1 keep-alive"
                                                    : "400 framing: malformed Content-Length";
    check_request({post("Content-Length: " + std::string(value) + "\r\n"), expected});
  }
  check_request(
      {post("Content-Length: 5\r\nContent-Length: 6\r\n"), "400 framing: more than one Content-Length"});
  check_request({post("Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n"),
                 "400 framing: more than one Content-Length"});
  check_request({post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
                 "400 framing: both Transfer-Encoding and Content-Length"});
  check_request({post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
                 "400 framing: both Transfer-Encoding and Content-Length"});
  check_request({post("Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n"),
                 "400 framing: both Transfer-Encoding and Content-Length"});
  check_request({"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                 "400 framing: Transfer-Encoding in HTTP/1.0"});
  check_request({"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
                 "400 framing: Transfer-Encoding in HTTP/1.0"});
}

TEST_CASE("request: only the transfer coding chunked, once, is understood") {
  for (const std::string_view value : {"",
                                       ",",
                                       "identity",
                                       "gzip",
                                       "xchunked",
                                       "chunkedx",
                                       "chunked, chunked",
                                       "chunked,",
                                       ",chunked",
                                       "chunked, gzip",
                                       "chunked, identity",
                                       "identity, chunked",
                                       "\"chunked\"",
                                       "'chunked'",
                                       "chunked;q=1",
                                       "chunked;",
                                       "chunked ; a=b",
                                       "chunked chunked",
                                       "chunk ed",
                                       "chunke",
                                       "[chunked]",
                                       "chunked\xff",
                                       "gzip chunked",
                                       "gzip, , chunked",
                                       "gzip;, chunked",
                                       "gzip;a, chunked",
                                       "chunked/1",
                                       "chunked;a=b, chunked"}) {
    check_request({post("Transfer-Encoding: " + std::string(value) + "\r\n"),
                   "400 framing: Transfer-Encoding that is not exactly chunked"});
  }
  for (const std::string_view value :
       {"gzip, chunked", "x-foo;a=b, chunked", "deflate,gzip,CHUNKED", "cow, chunked"}) {
    check_request({post("Transfer-Encoding: " + std::string(value) + "\r\n"),
                   "501: transfer coding other than chunked"});
  }
  check_request({post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
                 "400 framing: Transfer-Encoding that is not exactly chunked"});
  check_request({post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
                 "400 framing: Transfer-Encoding that is not exactly chunked"});
  check_request({post("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n"),
                 "400 framing: Transfer-Encoding that is not exactly chunked"});
  check_request({post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
                 "501: transfer coding other than chunked"});
  check_request({post("Transfer-Encoding: \x0b"
                      "chunked\r\n"),
                 "400: control character in a header"});
  check_request({post("Transfer-Encoding: chunked\x0c\r\n"), "400: control character in a header"});
  check_request({post("Transfer-Encoding: chunked\0\r\n"sv), "400: NUL in a header"});
  check_request({post("Transfer-Encoding : chunked\r\n"), "400: white space before the colon of a header"});
  check_request({post(" Transfer-Encoding: chunked\r\n"), "400: obs-fold in a header"});
}

TEST_CASE("request: expectations and option floods") {
  check_request({post("Expect: 200-ok\r\n"), "417: an expectation other than 100-continue"});
  check_request({post("Expect: 100-continue, x\r\nContent-Length: 1\r\n"),
                 "417: an expectation other than 100-continue"});
  check_request({post("Expect: 100-continue\r\nExpect: y=z\r\nContent-Length: 1\r\n"),
                 "417: an expectation other than 100-continue"});
  check_request(
      {post("Expect:\r\nContent-Length: 1\r\n"), "POST / path=/ host=h 1.1 body=length 1 keep-alive"});
  std::string many = "Connection: a";
  for (int i = 1; i < 64; ++i) many += ",a";
  CHECK(parse_request(get(many + "\r\n")) == "GET / path=/ host=h 1.1 body=none keep-alive");
  CHECK(parse_request(get(many + ",a\r\n")) == "400: too many connection options");
}

TEST_CASE(
    "request: Connection takes away the fields it names, but not those that frame, route or describe the "
    "message") {
  const std::string bytes =
      get("Connection: X-Hop, close, x-b, Cookie, Host, content-length, transfer-encoding, "
          "x-forwarded-for\r\nConnection: cache-control, upgrade, "
          "te, content-type, x-vercel-id, trailer\r\nx-hop: 1\r\nX-B: 2\r\nX-Hopp: 3\r\nx-b: 4\r\nCookie: "
          "a=b\r\nContent-Length: 3\r\nX-Forwarded-For: "
          "1.2.3.4\r\nCache-Control: no-store\r\nUpgrade: x\r\nTE: trailers\r\nContent-Type: "
          "text/plain\r\nX-Vercel-Id: a\r\nTrailer: x\r\n");
  RequestParser p;
  p.reset();
  REQUIRE(p.parse(bytes) == ParseState::complete);
  std::multiset<std::string> dropped;
  for (const auto& h : p.head().headers) {
    if (h.field == Field::dropped) dropped.insert(std::string(h.name));
  }
  CHECK(dropped == std::multiset<std::string>{"Cookie", "Trailer", "X-B", "x-b", "x-hop"});
  CHECK(describe(p, ParseState::complete) == "GET / path=/ host=h 1.1 body=length 3 upgrade te-trailers");
}

TEST_CASE("request: fields the proxy acts on are recognized in any case") {
  const std::pair<std::string_view, Field> kNames[] = {
      {"ACCEPT", Field::accept},
      {"connection", Field::connection},
      {"Content-Length", Field::content_length},
      {"cookie", Field::cookie},
      {"Date", Field::date},
      {"Expect", Field::expect},
      {"Forwarded", Field::forwarded},
      {"Keep-Alive", Field::keep_alive},
      {"Location", Field::location},
      {"Max-Forwards", Field::max_forwards},
      {"Origin", Field::origin},
      {"Proxy-Authenticate", Field::proxy_authenticate},
      {"Proxy-Authorization", Field::proxy_authorization},
      {"Proxy-Connection", Field::proxy_connection},
      {"Sec-WebSocket-Extensions", Field::sec_websocket_extensions},
      {"sec-websocket-key", Field::sec_websocket_key},
      {"SEC-WEBSOCKET-PROTOCOL", Field::sec_websocket_protocol},
      {"Sec-WebSocket-Version", Field::sec_websocket_version},
      {"Server", Field::server},
      {"Set-Cookie", Field::set_cookie},
      {"Strict-Transport-Security", Field::strict_transport_security},
      {"TE", Field::te},
      {"Trailer", Field::trailer},
      {"Upgrade", Field::upgrade},
      {"VIA", Field::via},
      {"X-Forwarded-For", Field::x_forwarded_for},
      {"X-Forwarded-Host", Field::x_forwarded_host},
      {"X-Forwarded-Port", Field::x_forwarded_port},
      {"X-Forwarded-Proto", Field::x_forwarded_proto},
      {"X-Real-IP", Field::x_real_ip},
      {"X-Vercel-Id", Field::x_vercel},
      {"x-vercel-", Field::x_vercel},
      {"x-vercel-sim", Field::x_vsim},
      {"X-Vercel-Sim-Limit", Field::x_vsim},
      {"x-vsim-nonce", Field::x_vsim},
      {"x-vsim", Field::other},
      {"x-vercel", Field::other},
      {"Content_Length", Field::dropped},
      {"transfer_ENCODING", Field::dropped},
      {"Content-Lengthy", Field::other},
      {"Hosts", Field::other},
      {"Accepts", Field::other},
      {"tE", Field::te},
      {"t", Field::other},
      {"x", Field::other},
      {"User-Agent", Field::other},
      {"content-type", Field::other},
      {"sec-websocket-accept", Field::other},
      {"x-forwarded-ssl", Field::other},
  };
  for (const auto& [name, field] : kNames) {
    const std::string bytes = get(std::string(name) + ": 100-continue\r\n");
    RequestParser p;
    p.reset();
    p.parse(bytes);
    INFO(name);
    if (name == "Content-Length") {
      CHECK(p.error() == HeadError::bad_framing);
      continue;
    }
    REQUIRE(p.head().headers.size() == 2);
    CHECK(p.head().headers[1].field == field);
    CHECK(p.head().headers[1].name == name);
    CHECK(p.head().headers[0].field == Field::host);
  }
}

TEST_CASE(
    "request: after a refused expectation or method the head is whole, so that the body can be skipped") {
  for (const std::string& bytes :
       {post("Expect: x\r\nContent-Length: 7\r\n"),
        std::string("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 7\r\n\r\n")}) {
    RequestParser p;
    p.reset();
    CHECK(p.parse(bytes) == ParseState::error);
    CHECK(p.head().size == bytes.size());
    CHECK(p.head().body.length == 7);
    CHECK(p.head().keep_alive);
  }
}
