#include <catch2/catch.hpp>

#include "net/http1.hpp"
#include "unit/net/http1_support.hpp"

using namespace std::literals;
namespace http1 = vsim::net::http1;
using http1::ChunkedDecoder;
using http1::ParseState;
using http1::test::Heap;

namespace {

struct Result {
  std::string data, trailers;
  ParseState state = ParseState::need_more;
  std::size_t consumed = 0;
  bool operator==(const Result&) const = default;
};

// Feeds `pieces` as the network would deliver them, each in memory of its own.
Result decode(const std::vector<std::string_view>& pieces) {
  ChunkedDecoder d;
  d.reset();
  Result r;
  for (const std::string_view piece : pieces) {
    const Heap heap(piece);
    std::string_view in = heap.view();
    while (r.state == ParseState::need_more) {
      const ChunkedDecoder::Step step = d.next(in);
      REQUIRE(step.consumed <= in.size());
      if (!step.data.empty()) {
        REQUIRE(step.data.data() >= in.data());
        REQUIRE(step.data.data() + step.data.size() <= in.data() + step.consumed);
      }
      r.data += step.data;
      r.state = step.state;
      r.consumed += step.consumed;
      in.remove_prefix(step.consumed);
      if (step.consumed == 0) break;
    }
    if (r.state == ParseState::need_more) REQUIRE(in.empty());
  }
  r.trailers = d.trailers();
  return r;
}

// At once, cut in two at every place, byte by byte: all the same.
Result decode_every_way(std::string_view bytes) {
  INFO(bytes);
  const Result whole = decode({bytes});
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    single.push_back(bytes.substr(i, 1));
    INFO("cut at " << i);
    const bool same = decode({bytes.substr(0, i), bytes.substr(i)}) == whole;
    if (!same) CHECK(same);
  }
  const bool same = decode(single) == whole;
  CHECK(same);
  return whole;
}

}  // namespace

TEST_CASE("chunked: well-formed bodies") {
  struct Case {
    std::string_view bytes, data, trailers = {};
  };
  static constexpr Case kCases[] = {
      {"0\r\n\r\n", ""},
      {"000\r\n\r\n", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"005\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"},
      {"A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
      {"5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"},
      // Extensions, dropped.
      {"5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello"},
      {"5;a=b;c=\"d e\";f\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5 ; a = b\t;\tc\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=\"\\\"\\\\;=,\t\xfc\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello"},
      // Trailers, as sent.
      {"0\r\nX-A: 1\r\nx-b:\t two words \r\n\r\n", "", "X-A: 1\r\nx-b: two words\r\n"},
      {"1\r\nx\r\n0\r\nServer-Timing: a;dur=1\r\nDigest:\r\n\r\n", "x",
       "Server-Timing: a;dur=1\r\nDigest: \r\n"},
      {"0\r\nX-A: 1\r\nX-A: 2\r\n\r\n", "", "X-A: 1\r\nX-A: 2\r\n"},
      // Trailers that could change how the message is framed, routed, authenticated or understood are left
      // out.
      {"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nX-Ok: 1\r\nConnection: "
       "close\r\nTE: a\r\nTrailer: a\r\n"
       "Authorization: a\r\nProxy-Authorization: b\r\nCookie: c\r\nSet-Cookie: d\r\nX-Forwarded-For: "
       "e\r\nX-Forwarded-Proto: f\r\nForwarded: "
       "g\r\nx-vsim-nonce: h\r\nx-vercel-id: i\r\nX-Real-IP: j\r\nCache-Control: k\r\nContent-Type: "
       "l\r\nContent-Encoding: m\r\nLocation: n\r\n"
       "Upgrade: o\r\nKeep-Alive: p\r\nExpect: q\r\nVia: r\r\nDate: s\r\nIf-Match: "
       "t\r\nX-Middleware-Rewrite: u\r\nSec-WebSocket-Key: v\r\n"
       "Content_Length: 3\r\nx-forwarded-ssl: on\r\n\r\n",
       "", "X-Ok: 1\r\n"},
  };
  for (const Case& c : kCases) {
    INFO(c.bytes);
    const Result r = decode_every_way(c.bytes);
    CHECK(r.state == ParseState::complete);
    CHECK(r.data == c.data);
    CHECK(r.trailers == c.trailers);
    CHECK(r.consumed == c.bytes.size());
  }
}

TEST_CASE("chunked: bytes after the last chunk belong to the next message") {
  const std::string body = "3\r\nabc\r\n0\r\nA: b\r\n\r\n";
  for (const std::string_view next : {"GET / HTTP/1.1\r\n", "\r\n", "0\r\n\r\n"}) {
    const Result r = decode_every_way(body + std::string(next));
    CHECK(r.state == ParseState::complete);
    CHECK(r.consumed == body.size());
  }
}

TEST_CASE("chunked: every other syntax is an error") {
  const std::string_view kCases[] = {
      // Sizes.
      "\r\n", "x\r\n", " 5\r\nhello\r\n", "\t5\r\n", "+5\r\nhello\r\n", "-5\r\nhello\r\n", "0x5\r\nhello\r\n",
      "5_0\r\n", "5h\r\n", "5 \r\nhello\r\n", "5\t\r\nhello\r\n", "5 5\r\nhello\r\n", "5,\r\n", "5\0\r\n"sv,
      "\xef\xbc\x95\r\n", "0000000000000000\r\n\r\n", "1000000000000000\r\n", "ffffffffffffffff\r\n",
      "fffffffffffffffff\r\n", "5.0\r\n",
      // Line ends.
      "5\nhello\r\n", "5\rhello\r\n", "5\r\rhello", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n",
      "5\r\nhello0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n", "5\r\nhello world\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n",
      "0\r\n\n", "0\r\n\rX", "0\n\n",
      // Extensions.
      "5;\r\nhello\r\n", "5; \r\n", "5;a \r\n", "5;a\t\r\n", "5;a=\r\n", "5;a= \r\n", "5;a=b \r\n",
      "5;;a\r\n", "5;a;\r\n", "5;=b\r\n", "5;a=b c\r\n", "5;a=b=c\r\n", "5;a b\r\n", "5;a=\"b\r\n",
      "5;a=\"b\"c\r\n", "5;a=\"\\\r\n", "5;a=\"\\\n\"\r\n", "5;a\n", "5;a=b\n", "5;a=\"b\n\"\r\n", "5;a\rX",
      "5;a=b\rX", "5;a=\"b\rc\"", "5;a\0b\r\n"sv, "5;a=\"\0\"\r\n"sv, "5;a=\x7f\r\n", "5;(a)\r\n",
      "5;a=[\r\n", "5;\xfc\r\n", "5 a\r\n",
      // Trailers.
      "0\r\nX\r\n\r\n", "0\r\n: x\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\n X: y\r\n\r\n",
      "0\r\nX: a\r\n b\r\n\r\n", "0\r\nX: a\nY: b\r\n\r\n", "0\r\nX: a\rb\r\n\r\n", "0\r\nX: a\r\r\n\r\n",
      "0\r\nX: \0\r\n\r\n"sv, "0\r\nX: \x01\r\n\r\n", "0\r\nGET / HTTP/1.1\r\n\r\n", "0\r\nX[]: a\r\n\r\n"};
  for (const std::string_view bytes : kCases) {
    INFO(bytes);
    CHECK(decode_every_way(bytes).state == ParseState::error);
  }
}

TEST_CASE("chunked: the largest size fits, and an error stays one") {
  ChunkedDecoder d;
  d.reset();
  const auto step = d.next("fffffffffffffff\r\nab");
  CHECK(step.state == ParseState::need_more);
  CHECK(step.data == "ab");
  CHECK(step.consumed == 19);
  d.reset();
  CHECK(d.next("zz").state == ParseState::error);
  CHECK(d.next("0\r\n\r\n").state == ParseState::error);
  CHECK(d.next("0\r\n\r\n").consumed == 0);
  d.reset();
  CHECK(d.next("0\r\n\r\n").state == ParseState::complete);
  CHECK(d.next("5\r\n").consumed == 0);
  CHECK(d.next("5\r\n").state == ParseState::complete);
}

TEST_CASE("chunked: unfinished bodies need more") {
  for (const std::string_view bytes :
       {"", "5", "5\r", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r", "5\r\nhello\r\n", "0", "0\r\n",
        "0\r\n\r", "0\r\nX: y", "0\r\nX: y\r", "0\r\nX: y\r\n", "0\r\nX: y\r\n\r", "5;a", "5;a=\"b"}) {
    INFO(bytes);
    CHECK(decode_every_way(bytes).state == ParseState::need_more);
  }
}

TEST_CASE("chunked: extensions and trailers are bounded") {
  const std::string big(4000, 'x');
  CHECK(decode({"1;a=" + big + "\r\nz\r\n0\r\n\r\n"}).state == ParseState::complete);
  CHECK(decode({"1;a=" + big + big + "\r\nz\r\n0\r\n\r\n"}).state == ParseState::error);
  // In total: many chunks that are nearly all extension.
  std::string many;
  for (int i = 0; i < 100; ++i) many += "1;a=" + std::string(100, 'x') + "\r\nz\r\n";
  CHECK(decode({many + "0\r\n\r\n"}).state == ParseState::error);
  // But a signature on each chunk of a long upload is fine.
  std::string fine;
  for (int i = 0; i < 1000; ++i)
    fine += "100;signature=" + std::string(64, 'f') + "\r\n" + std::string(256, 'd') + "\r\n";
  CHECK(decode({fine + "0\r\n\r\n"}).state == ParseState::complete);

  CHECK(decode({"0\r\nX: " + big + "\r\nY: " + big + "\r\n\r\n"}).state == ParseState::complete);
  CHECK(decode({"0\r\nX: " + big + "\r\nY: " + big + "\r\nZ: " + big + "\r\n\r\n"}).state ==
        ParseState::error);
  CHECK(decode({"0\r\nHost: " + big + big + big}).state == ParseState::error);
}
