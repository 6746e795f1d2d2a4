#include "net/http1.hpp"

#include <catch2/catch.hpp>

#include "unit/net/http1_support.hpp"

using namespace std::literals;
namespace http1 = vsim::net::http1;
using http1::Field;
using http1::ParseState;
using http1::RequestParser;
using http1::test::all_feedings;
using http1::test::check_request;
using http1::test::describe_headers;
using http1::test::get;
using http1::test::parse_request;
using http1::test::RequestCase;

TEST_CASE("request: well-formed heads, fed in every way") {
  static constexpr RequestCase kCases[] = {
      {"GET / HTTP/1.1\r\nHost: localhost:3000\r\n\r\n",
       "GET / path=/ host=localhost:3000 1.1 body=none keep-alive"},
      {"GET /a/b?x=1&y=[2]|{3} HTTP/1.1\r\nhOST:\t h \t\r\n\r\n",
       "GET /a/b?x=1&y=[2]|{3} path=/a/b host=h 1.1 body=none keep-alive"},
      {"GET /? HTTP/1.1\r\nHost:h\r\n\r\n", "GET /? path=/ host=h 1.1 body=none keep-alive"},
      {"GET //x//y HTTP/1.1\r\nHost: h\r\n\r\n", "GET //x//y path=//x//y host=h 1.1 body=none keep-alive"},
      {"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD / path=/ host=h 1.1 body=none keep-alive head"},
      {"M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1\r\nHost: h\r\n\r\n",
       "M-SEARCH!#$%&'*+.^_`|~ / path=/ host=h 1.1 body=none keep-alive"},
      {"get / HTTP/1.1\r\nHost: h\r\n\r\n", "get / path=/ host=h 1.1 body=none keep-alive"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / path=/ host=h 1.1 body=none keep-alive"},
      {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", "GET / path=/ host=h 1.2 body=none keep-alive"},
      // HTTP/1.0: no Host needed, closes unless asked not to.
      {"GET / HTTP/1.0\r\n\r\n", "GET / path=/ host= 1.0 body=none"},
      {"GET / HTTP/1.0\r\nHost:\r\n\r\n", "GET / path=/ host= 1.0 body=none"},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / path=/ host= 1.0 body=none keep-alive"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET / path=/ host= 1.0 body=none"},
      // Target forms.
      {"GET http://a.b:80/c?d HTTP/1.1\r\nHost: other\r\n\r\n",
       "GET /c?d path=/c host=a.b:80 1.1 body=none keep-alive"},
      {"GET HTTPS://a.b HTTP/1.1\r\nHost: other\r\n\r\n", "GET / path=/ host=a.b 1.1 body=none keep-alive"},
      {"GET http://a?q=/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?q=/x path=/ host=a 1.1 body=none keep-alive"},
      {"GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", "GET / path=/ host=a 1.1 body=none keep-alive"},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * path=* host=h 1.1 body=none keep-alive"},
      {"OPTIONS http://a:1 HTTP/1.1\r\nHost: h\r\n\r\n",
       "OPTIONS * path=* host=a:1 1.1 body=none keep-alive"},
      {"OPTIONS http://a:1/ HTTP/1.1\r\nHost: h\r\n\r\n",
       "OPTIONS / path=/ host=a:1 1.1 body=none keep-alive"},
      // Hosts.
      {"GET / HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n", "GET / path=/ host=[::1]:3000 1.1 body=none keep-alive"},
      {"GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:1.2.3.4]\r\n\r\n",
       "GET / path=/ host=[1:2:3:4:5:6:1.2.3.4] 1.1 body=none keep-alive"},
      {"GET / HTTP/1.1\r\nHost: [fe80::1:2]:\r\n\r\n",
       "GET / path=/ host=[fe80::1:2]: 1.1 body=none keep-alive"},
      {"GET / HTTP/1.1\r\nHost: my_app-1.local.\r\n\r\n",
       "GET / path=/ host=my_app-1.local. 1.1 body=none keep-alive"},
      {"GET / HTTP/1.1\r\nHost: %41:65535\r\n\r\n", "GET / path=/ host=%41:65535 1.1 body=none keep-alive"},
      // Bodies.
      {"POST / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / path=/ host=h 1.1 body=none keep-alive"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
       "POST / path=/ host=h 1.1 body=length 0 keep-alive"},
      {"POST / HTTP/1.1\r\nHost: h\r\nCONTENT-LENGTH:  42 \r\n\r\n",
       "POST / path=/ host=h 1.1 body=length 42 keep-alive"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n",
       "POST / path=/ host=h 1.1 body=length 9223372036854775807 keep-alive"},
      {"POST / HTTP/1.1\r\nHost: h\r\ntransfer-encoding:\tChunKED\r\n\r\n",
       "POST / path=/ host=h 1.1 body=chunked keep-alive"},
      {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n",
       "GET / path=/ host=h 1.1 body=length 5 keep-alive"},
      // Options of the connection.
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: , close ,\r\n\r\n", "GET / path=/ host=h 1.1 body=none"},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: CLOSE\r\n\r\n",
       "GET / path=/ host=h 1.1 body=none"},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive; timeout=5\r\n\r\n",
       "GET / path=/ host=h 1.1 body=none"},
      {"GET / HTTP/1.1\r\nHost: h\r\nTE: gzip;q=0.5, Trailers\r\n\r\n",
       "GET / path=/ host=h 1.1 body=none keep-alive te-trailers"},
      {"GET / HTTP/1.1\r\nHost: h\r\nTE: xtrailers\r\n\r\n", "GET / path=/ host=h 1.1 body=none keep-alive"},
      {"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
       "PUT / path=/ host=h 1.1 body=length 1 keep-alive expect"},
      {"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
       "PUT / path=/ host=h 1.1 body=length 0 keep-alive"},
      {"PUT / HTTP/1.0\r\nHost: h\r\nExpect: anything\r\nContent-Length: 1\r\n\r\n",
       "PUT / path=/ host=h 1.0 body=length 1"},
      // Upgrades.
      {"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n",
       "GET /ws path=/ws host=h 1.1 body=none keep-alive upgrade websocket"},
      {"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n",
       "GET /ws path=/ws host=h 1.1 body=none keep-alive upgrade websocket"},
      {"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n\r\n",
       "GET /ws path=/ws host=h 1.1 body=none keep-alive upgrade websocket"},
      {"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: xwebsocket\r\n\r\n",
       "GET /ws path=/ws host=h 1.1 body=none keep-alive upgrade"},
      {"POST /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
       "POST /ws path=/ws host=h 1.1 body=none keep-alive upgrade"},
      {"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: "
       "3\r\n\r\n",
       "GET /ws path=/ws host=h 1.1 body=length 3 keep-alive upgrade"},
      {"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
       "GET /ws path=/ws host=h 1.1 body=none keep-alive"},
      {"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade:\r\n\r\n",
       "GET /ws path=/ws host=h 1.1 body=none keep-alive"},
      {"GET /ws HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
       "GET /ws path=/ws host=h 1.0 body=none"},
      // Values.
      {"GET / HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nAccept: b\r\n\r\n",
       "GET / path=/ host=h 1.1 body=none accept=text/html keep-alive"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\r\n\r\n",
       "GET / path=/ host=h 1.1 body=none keep-alive"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: gr\xfc\xdf\r\n\r\n",
       "GET / path=/ host=h 1.1 body=none keep-alive not-utf8"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a \t b\r\nY:\r\nZ:    \r\n\r\n",
       "GET / path=/ host=h 1.1 body=none keep-alive"},
  };
  for (const RequestCase& c : kCases) check_request(c);
}

TEST_CASE("request: heads that are refused, with the reason, fed in every way") {
  static const RequestCase kCases[] = {
      // Request line.
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "400: more than one space after the method"},
      {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", "400: more than two spaces in the request line"},
      {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "400: more than two spaces in the request line"},
      {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "400: more than two spaces in the request line"},
      {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400: white space before the request line"},
      {"\r\n GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400: white space before the request line"},
      {"   \r\n\r\n", "400: white space before the request line"},
      {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", "400: invalid character in the method"},
      {"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", "400: invalid character in the method"},
      {"(GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400: invalid character in the method"},
      {"\x16\x03\x01\x02\x00\x01", "400: invalid character in the method"},
      {"GET\r\nHost: h\r\n\r\n", "400: request line without a target"},
      {"GET \r\nHost: h\r\n\r\n", "400: request line without a target"},
      {"GET HTTP/1.1\r\nHost: h\r\n\r\n", "400: request line without an HTTP version"},
      {"GET /\r\n", "400: request line without an HTTP version"},
      {"GET / \r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", "400: control character in the request target"},
      {"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", "400: control character in the request target"},
      {"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"sv, "400: control character in the request target"},
      {"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", "400: control character in the request target"},
      {"GET /\xc3\xbc HTTP/1.1\r\nHost: h\r\n\r\n", "400: byte outside ASCII in the request target"},
      {"GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", "400: fragment in the request target"},
      {"GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n", "400: fragment in the request target"},
      {"GET / HTTP/1.1\rHost: h\r\r", "400: bare CR"},
      {"GET /\r HTTP/1.1\r\nHost: h\r\n\r\n", "400: bare CR"},
      {"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400: bare CR"},
      {"GET / HTTP/1.1\nHost: h\n\n", "400: bare LF as a line end"},
      {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400: bare LF as a line end"},
      {"GET /\n HTTP/1.1\r\nHost: h\r\n\r\n", "400: bare LF as a line end"},
      // Target forms.
      {"GET a HTTP/1.1\r\nHost: h\r\n\r\n", "400: request target that is neither a path nor an http URL"},
      {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
       "400: request target that is neither a path nor an http URL"},
      {"GET a.b:80 HTTP/1.1\r\nHost: a\r\n\r\n",
       "400: request target that is neither a path nor an http URL"},
      {"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", "400: request target that is neither a path nor an http URL"},
      {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", "400: request target * with a method other than OPTIONS"},
      {"OPTIONS *a HTTP/1.1\r\nHost: h\r\n\r\n",
       "400: request target that is neither a path nor an http URL"},
      {"GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", "400: invalid authority in the request target"},
      {"GET http:// HTTP/1.1\r\nHost: h\r\n\r\n", "400: invalid authority in the request target"},
      {"GET http://:80/ HTTP/1.1\r\nHost: h\r\n\r\n", "400: invalid authority in the request target"},
      {"GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400: user information in the request target"},
      {"GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n", "400: invalid authority in the request target"},
      {"GET http://a/ HTTP/1.1\r\n\r\n", "400: no Host"},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "405: CONNECT"},
      {"CONNECT a:443 HTTP/1.1\r\n\r\n", "400: no Host"},
      {"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "400: CONNECT target that is not host:port"},
      {"CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", "400: CONNECT target that is not host:port"},
      {"CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n", "400: CONNECT target that is not host:port"},
      {"CONNECT http://a:1/ HTTP/1.1\r\nHost: a\r\n\r\n", "400: CONNECT target that is not host:port"},
      // Versions.
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505: HTTP version above 1.x"},
      {"GET / HTTP/9.9\r\nHost: h\r\n\r\n", "505: HTTP version above 1.x"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505: HTTP version above 1.x"},
      {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", "400: HTTP version below 1.0"},
      {"GET / http/1.1\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / Http/1.1\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/1\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/1.\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/01.1\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/1,1\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/ 1.1\r\nHost: h\r\n\r\n", "400: more than two spaces in the request line"},
      {"GET / HTTPS/1.1\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/1.a\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      {"GET / HTTP/1.1\t\r\nHost: h\r\n\r\n", "400: malformed HTTP version"},
      // Field lines.
      {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400: white space before the first header"},
      {"GET / HTTP/1.1\r\n\tX: y\r\nHost: h\r\n\r\n", "400: white space before the first header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", "400: obs-fold in a header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\t\r\n\r\n", "400: obs-fold in a header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", "400: obs-fold in a header"},
      {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", "400: white space before the colon of a header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length\t: 5\r\n\r\n",
       "400: white space before the colon of a header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX Y: a\r\n\r\n", "400: white space in a header name"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n", "400: header without a colon"},
      {"GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", "400: empty header name"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX[a]: x\r\n\r\n", "400: invalid character in a header name"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX\"a: x\r\n\r\n", "400: invalid character in a header name"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX\xc3\xbc: x\r\n\r\n", "400: invalid character in a header name"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX\0: x\r\n\r\n"sv, "400: invalid character in a header name"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX\x0b: x\r\n\r\n", "400: invalid character in a header name"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"sv, "400: NUL in a header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\x01 b\r\n\r\n", "400: control character in a header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: 0123456789\x7f\r\n\r\n", "400: control character in a header"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", "400: bare CR"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\r\n\r\n", "400: bare CR"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n", "400: bare LF as a line end"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\n", "400: bare LF as a line end"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\rX: a\r\n\r\n", "400: bare CR"},
      // Host.
      {"GET / HTTP/1.1\r\nX: y\r\n\r\n", "400: no Host"},
      {"GET / HTTP/1.1\r\n\r\n", "400: no Host"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "400: empty Host"},
      {"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "400: empty Host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400: more than one Host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: a\r\n\r\n", "400: more than one Host"},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400: more than one Host"},
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400: more than one Host"},
      {"GET http://a/ HTTP/1.1\r\nHost: a/\r\n\r\n", "400: invalid Host"},
  };
  for (const RequestCase& c : kCases) check_request(c);
}

TEST_CASE("request: Host values that no host can have are refused") {
  for (const std::string_view host : {"a b",
                                      "a,b",
                                      "a, b",
                                      "u@a",
                                      "u:p@a",
                                      "a/b",
                                      "a?b",
                                      "a#b",
                                      "a\\b",
                                      "a:b",
                                      "a:-1",
                                      "a:65536",
                                      "a:99999999999999999999",
                                      "a:80:80",
                                      ":80",
                                      "a:+80",
                                      "a: 80",
                                      "[::1",
                                      "::1",
                                      "[::1]x",
                                      "[::1]:x",
                                      "[]",
                                      "[:::]",
                                      "[1:2:3:4:5:6:7]",
                                      "[1:2:3:4:5:6:7:8:9]",
                                      "[g::]",
                                      "[::1%25eth0]",
                                      "[1::2::3]",
                                      "[::1.2.3]",
                                      "[::256.1.1.1]",
                                      "[12345::]",
                                      "%zz",
                                      "%4",
                                      "<a>",
                                      "a\"b",
                                      "a|b",
                                      "a{b}",
                                      "a^b",
                                      "http://a",
                                      "\xc3\xbc.de",
                                      "[v1.a]",
                                      "a]"}) {
    check_request({get("").replace(16, 7, "Host: " + std::string(host)), "400: invalid Host"});
    CHECK(parse_request("GET / HTTP/1.0\r\nHost: " + std::string(host) + "\r\n\r\n") == "400: invalid Host");
  }
}

TEST_CASE("request: sizes count names and values, and what follows the head is left alone") {
  const std::string head =
      "\r\nPOST /x HTTP/1.1\r\nHost: h\r\nLong-Name:   value \r\nContent-Length: 2\r\n\r\n";
  RequestParser p;
  p.reset();
  const std::string bytes = head + "abGET / HTTP/1.1\r\nHost: second\r\n\r\n";
  REQUIRE(p.parse(bytes) == ParseState::complete);
  CHECK(p.head().size == head.size());
  CHECK(p.head().headers_total == 5 + 14 + 15);
  CHECK(p.head().largest_header == 15);
  CHECK(describe_headers(p.head().headers) == "Host=h\nLong-Name=value\nContent-Length=2\n");
  p.reset();
  REQUIRE(p.parse(std::string_view(bytes).substr(head.size() + 2)) == ParseState::complete);
  CHECK(p.head().host == "second");
  CHECK(p.head().headers.size() == 1);
  CHECK(p.head().headers_total == 10);
}

TEST_CASE("request: asked again after complete, it answers with views into the new buffer") {
  RequestParser p;
  p.reset();
  auto first = std::make_unique<http1::test::Heap>(get("Accept: a/b\r\n"));
  REQUIRE(p.parse(first->view()) == ParseState::complete);
  const std::string before = http1::test::outcome(p, ParseState::complete);
  first.reset();
  const http1::test::Heap second(get("Accept: a/b\r\n"));
  REQUIRE(p.parse(second.view()) == ParseState::complete);
  CHECK(http1::test::outcome(p, ParseState::complete) == before);
}

TEST_CASE("request: a broken head still tells method and target for the log") {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"GET /a?b HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", "GET /a?b"},
      {"\r\nDELETE /a#b HTTP/1.1\r\n", "DELETE /a#b"},
      {"GET /a b HTTP/1.1\r\n", "GET /a"},
      {"GET /a\r\n", "GET /a"},
      {"GET\r\n", "GET "},
  };
  for (const auto& [bytes, expected] : kCases) {
    RequestParser p;
    p.reset();
    std::unique_ptr<http1::test::Heap> part;
    ParseState state = ParseState::need_more;
    for (std::size_t n = 1; state == ParseState::need_more; ++n) {
      part = std::make_unique<http1::test::Heap>(bytes.substr(0, n));
      state = p.parse(part->view());
      REQUIRE(n <= bytes.size());
    }
    CHECK(state == ParseState::error);
    CHECK(std::string(p.head().method) + " " + std::string(p.head().target) == expected);
    CHECK(p.parse(part->view()) == ParseState::error);  // and it stays broken
  }
}

TEST_CASE("request: limits are exact and strike before a line or head is complete") {
  const http1::HeadLimits limits{.start_line = 40, .head = 100};
  const auto all = [&](std::string_view bytes) {
    RequestParser p(limits);
    const auto results = all_feedings(p, bytes, [](RequestParser& r) { r.reset(); });
    for (const auto& [how, outcome] : results) {
      INFO(how);
      CHECK(outcome == results.front().second);
    }
    return parse_request(bytes, limits);
  };
  const auto line = [](std::size_t size) { return "GET /" + std::string(size - 14, 'a') + " HTTP/1.1\r\n"; };
  CHECK(all(line(40) + "Host: h\r\n\r\n").substr(0, 4) == "GET ");
  CHECK(all(line(41) + "Host: h\r\n\r\n") == "414: request line too long");
  CHECK(all("GET /" + std::string(35, 'a')) == "need more");
  CHECK(all("GET /" + std::string(36, 'a')) == "414: request line too long");
  CHECK(all(std::string(41, 'M')) == "501: method too long");
  CHECK(all(std::string(39, 'M') + "\rX") == "400: bare CR");
  const auto head = [](std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  CHECK(all(head(100)).substr(0, 4) == "GET ");
  CHECK(all(head(101)) == "431: request head too large");
  CHECK(all(head(150)) == "431: request head too large");
  CHECK(all(head(100) + "POST") == all(head(100)));
  std::string crlfs;
  for (int i = 0; i < 50; ++i) crlfs += "\r\n";
  CHECK(all(crlfs + "GET / HTTP/1.1\r\nHost: h\r\n\r\n") == "431: request head too large");
}

TEST_CASE("request: 200 headers are accepted, 201 are not") {
  std::string lines;
  for (int i = 0; i < 199; ++i) lines += fmt::format("h{}: v\r\n", i);
  RequestParser p;
  p.reset();
  const std::string fits = get(lines);
  REQUIRE(p.parse(fits) == ParseState::complete);
  CHECK(p.head().headers.size() == 200);
  CHECK(p.head().headers[199].name == "h198");
  CHECK(parse_request(get(lines + "x: y\r\n")) == "431: too many headers");
}

TEST_CASE("request: a drip-fed head of 128 KiB costs linear work") {
  // 200 lines of 600 bytes, one byte more each time. Quadratic scanning would be 7 GB of memory reads,
  // minutes under sanitizers.
  std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 199; ++i) bytes += fmt::format("h{}: {}\r\n", i, std::string(600, 'v'));
  bytes += "\r\n";
  RequestParser p;
  p.reset();
  for (std::size_t n = 1; n < bytes.size(); ++n) {
    if (p.parse(std::string_view(bytes).substr(0, n)) != ParseState::need_more) FAIL("too early at " << n);
  }
  CHECK(p.parse(bytes) == ParseState::complete);
  CHECK(p.head().headers.size() == 200);
}
