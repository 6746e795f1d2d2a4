#include "net/http1.hpp"

#include <catch2/catch.hpp>

#include "unit/net/http1_support.hpp"

using namespace std::literals;
namespace http1 = vsim::net::http1;
using http1::Field;
using http1::ParseState;
using http1::ResponseParser;
using http1::test::all_feedings;
using http1::test::describe;

namespace {

struct Case {
  std::string_view bytes, expected;
  bool head_request = false;
};

void check(const Case& c) {
  INFO(c.bytes);
  ResponseParser p;
  const auto results = all_feedings(p, c.bytes, [&](ResponseParser& r) { r.reset(c.head_request); });
  for (const auto& [how, outcome] : results) {
    INFO(how);
    if (outcome != results.front().second) CHECK(outcome == results.front().second);
  }
  p.reset(c.head_request);
  const ParseState state = p.parse(c.bytes);
  CHECK(describe(p, state) == c.expected);
}

std::string ok(std::string_view header_lines) {
  return "HTTP/1.1 200 OK\r\n" + std::string(header_lines) + "\r\n";
}

}  // namespace

TEST_CASE("response: well-formed heads, fed in every way") {
  static constexpr Case kCases[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", "200 'OK' 1.1 body=until close"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", "200 'OK' 1.1 body=length 12 keep-alive"},
      {"HTTP/1.1 200 OK\r\ncontent-length:0\r\nDATE: x\r\n\r\n",
       "200 'OK' 1.1 body=length 0 keep-alive date"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\n", "200 'OK' 1.1 body=chunked keep-alive"},
      {"HTTP/1.1 404 Not Found here \r\nContent-Length: 1\r\n\r\n",
       "404 'Not Found here ' 1.1 body=length 1 keep-alive"},
      {"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", "200 '' 1.1 body=length 1 keep-alive"},
      {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", "200 '' 1.1 body=length 1 keep-alive"},
      {"HTTP/1.1 200 gr\xfc\xdf\tx\r\nContent-Length: 1\r\n\r\n",
       "200 'gr\xfc\xdf\tx' 1.1 body=length 1 keep-alive"},
      {"HTTP/1.1 999 x\r\nContent-Length: 1\r\n\r\n", "999 'x' 1.1 body=length 1 keep-alive"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\n", "200 'OK' 1.1 body=length 1"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: \"x\"\r\n\r\n", "200 'OK' 1.1 body=length 1"},
      // HTTP/1.0
      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", "200 'OK' 1.0 body=length 1"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n",
       "200 'OK' 1.0 body=length 1 keep-alive"},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", "200 'OK' 1.0 body=until close"},
      // No body, whatever the fields say.
      {"HTTP/1.1 100 Continue\r\n\r\n", "100 'Continue' 1.1 body=none keep-alive"},
      {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n",
       "103 'Early Hints' 1.1 body=none keep-alive"},
      {"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
       "103 'Early Hints' 1.1 body=none keep-alive"},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81",
       "101 'Switching Protocols' 1.1 body=none"},
      {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
       "204 'No Content' 1.1 body=none keep-alive"},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
       "304 'Not Modified' 1.1 body=none keep-alive"},
      {"HTTP/1.1 304 Not Modified\r\n\r\n", "304 'Not Modified' 1.1 body=none keep-alive"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "200 'OK' 1.1 body=none keep-alive", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200 'OK' 1.1 body=none keep-alive", true},
      {"HTTP/1.1 200 OK\r\n\r\n", "200 'OK' 1.1 body=none keep-alive", true},
  };
  for (const Case& c : kCases) check(c);
}

TEST_CASE("response: what only a broken or hostile upstream sends is refused, fed in every way") {
  static const Case kCases[] = {
      {"HTTP/2.0 200 OK\r\n\r\n", "error: HTTP version other than 1.x"},
      {"HTTP/0.9 200 OK\r\n\r\n", "error: HTTP version other than 1.x"},
      {"HTTP/1.x 200 OK\r\n\r\n", "error: HTTP version other than 1.x"},
      {"HTTP/1.1200 OK\r\n\r\n", "error: malformed status line"},
      {"HTTP/1.1\r\n\r\n", "error: malformed status line"},
      {"HTTP/1.1  200 OK\r\n\r\n", "error: malformed status code"},
      {"HTTP/1.1 20 OK\r\n\r\n", "error: malformed status code"},
      {"HTTP/1.1 2000 OK\r\n\r\n", "error: malformed status code"},
      {"HTTP/1.1 200OK\r\n\r\n", "error: malformed status code"},
      {"HTTP/1.1 +20 OK\r\n\r\n", "error: malformed status code"},
      {"HTTP/1.1 200\tOK\r\n\r\n", "error: malformed status code"},
      {"HTTP/1.1 099 x\r\n\r\n", "error: status code below 100"},
      {"HTTP/1.1 000 x\r\n\r\n", "error: status code below 100"},
      {"HTTP 200 OK\r\n\r\n", "error: malformed status line"},
      {"http/1.1 200 OK\r\n\r\n", "error: not an HTTP response"},
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", "error: not an HTTP response"},
      {" HTTP/1.1 200 OK\r\n\r\n", "error: not an HTTP response"},
      {"<html>", "error: not an HTTP response"},
      {"HTTP/1.1 200 O\0K\r\n\r\n"sv, "error: control character in the reason phrase"},
      {"HTTP/1.1 200 O\x1bK\r\n\r\n", "error: control character in the reason phrase"},
      {"HTTP/1.1 200 OK\rX: y\r\n\r\n", "error: bare CR"},
      {"HTTP/1.1 200 OK\n\n", "error: bare LF as a line end"},
      {"HTTP/1.1 200 OK\r\nX: y\n\r\n", "error: bare LF as a line end"},
      {"HTTP/1.1 200 OK\r\nX: y\r\r\n\r\n", "error: bare CR"},
      {"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"sv, "error: NUL in a header"},
      {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "error: obs-fold in a header"},
      {"HTTP/1.1 200 OK\r\n X: a\r\n\r\n", "error: white space before the first header"},
      {"HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "error: white space before the colon of a header"},
      {"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "error: header without a colon"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       "error: both Transfer-Encoding and Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
       "error: more than one Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
       "error: more than one Content-Length"},
      {"HTTP/1.1 304 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
       "error: more than one Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "error: malformed Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "error: malformed Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "error: malformed Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", "error: malformed Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "error: malformed Content-Length", true},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       "error: Transfer-Encoding in an HTTP/1.0 response"},
  };
  for (const Case& c : kCases) check(c);
  for (const std::string_view value :
       {"", "gzip", "identity", "chunked, gzip", "gzip, chunked", "chunked, chunked", "xchunked",
        "chunked;a=b", "chunked,", "\"chunked\""}) {
    check({ok("Transfer-Encoding: " + std::string(value) + "\r\n"),
           "error: Transfer-Encoding that is not exactly chunked"});
  }
  check({ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         "error: Transfer-Encoding that is not exactly chunked"});
}

TEST_CASE("response: fields that may not be forwarded are marked") {
  const auto dropped = [](std::string_view bytes, bool head_request = false) {
    ResponseParser p;
    p.reset(head_request);
    REQUIRE(p.parse(bytes) == ParseState::complete);
    std::string r;
    for (const auto& h : p.head().headers) {
      if (h.field == Field::dropped) r += std::string(h.name) + " ";
    }
    return r;
  };
  CHECK(dropped(ok("Connection: X-Hop\r\nx-hop: 1\r\nX: 2\r\nContent-Length: 1\r\n")) == "x-hop ");
  CHECK(dropped(ok("Connection: content-length, cache-control\r\nCache-Control: a\r\nContent-Length: 1\r\n"))
            .empty());
  CHECK(dropped(ok("Connection: date\r\nDate: x\r\nContent-Length: 1\r\n"))
            .empty());  // else has_date would lie
  // 1xx and 204 must not have lengths (RFC 9110 8.6, RFC 9112 6.1); in 304 and answers to HEAD they describe
  // what GET would give.
  CHECK(dropped("HTTP/1.1 204 x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        "Content-Length Transfer-Encoding ");
  CHECK(dropped("HTTP/1.1 103 x\r\nContent-Length: 0\r\nLink: a\r\n\r\n") == "Content-Length ");
  CHECK(dropped("HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n").empty());
  CHECK(dropped(ok("Content-Length: 9\r\n"), true).empty());
  CHECK(dropped(ok("Content-Length: 9\r\nTransfer-Encoding: chunked\r\n"), true) == "Content-Length ");
}

TEST_CASE("response: the next message on the connection is left alone") {
  const std::string first = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string second = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
  const std::string bytes = first + second + "x";
  ResponseParser p;
  p.reset(false);
  REQUIRE(p.parse(bytes) == ParseState::complete);
  CHECK(p.head().size == first.size());
  p.reset(false);
  REQUIRE(p.parse(std::string_view(bytes).substr(first.size())) == ParseState::complete);
  CHECK(p.head().size == second.size());
  CHECK(p.head().status == 200);
}

TEST_CASE("response: limits") {
  const http1::HeadLimits limits{.start_line = 40, .head = 100};
  const auto all = [&](std::string_view bytes) {
    ResponseParser p(limits);
    const auto results = all_feedings(p, bytes, [](ResponseParser& r) { r.reset(false); });
    for (const auto& [how, outcome] : results) {
      INFO(how);
      CHECK(outcome == results.front().second);
    }
    p.reset(false);
    const ParseState state = p.parse(bytes);
    return describe(p, state);
  };
  const auto line = [](std::size_t size) { return "HTTP/1.1 200 " + std::string(size - 13, 'a') + "\r\n"; };
  CHECK(all(line(40) + "\r\n") == "200 '" + std::string(27, 'a') + "' 1.1 body=until close");
  CHECK(all(line(41) + "\r\n") == "error: status line too long");
  const auto head = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\nX: " + std::string(size - 24, 'x') + "\r\n\r\n";
  };
  CHECK(all(head(100)) == "200 'OK' 1.1 body=until close");
  CHECK(all(head(101)) == "error: response head too large");
  std::string lines;
  for (int i = 0; i < 200; ++i) lines += fmt::format("h{}: v\r\n", i);
  ResponseParser p;
  p.reset(false);
  CHECK(p.parse(ok(lines)) == ParseState::complete);
  p.reset(false);
  CHECK(p.parse(ok(lines + "x: y\r\n")) == ParseState::error);
  CHECK(p.reason() == "too many headers");
}
