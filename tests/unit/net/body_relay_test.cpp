#include "net/body_relay.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace vsim::net;
using http1::BodyKind;

namespace {

void collect(std::string& out, Pieces& pieces) {
  for (int i = 0; i < pieces.size(); ++i)
    out.append(static_cast<const char*>(pieces.data()[i].iov_base), pieces.data()[i].iov_len);
  pieces.clear();
}

struct Relayed {
  std::string sent;
  std::size_t consumed = 0;
  BodyRelay::State state = BodyRelay::State::more;
};

// Feeds `input` in pieces of `step` bytes, as a socket would.
Relayed relay(http1::BodyFraming body, bool to_chunked, std::string_view input, std::size_t step) {
  BodyRelay relay;
  relay.start(body, to_chunked);
  Relayed out;
  while (out.consumed < input.size() && out.state == BodyRelay::State::more) {
    const std::string piece(
        input.substr(out.consumed, step));  // its own allocation: a stale view is seen by ASan
    std::string_view left = piece;
    while (!left.empty() && out.state == BodyRelay::State::more) {
      Pieces pieces;
      std::size_t consumed = 0;
      out.state = relay.relay(left, pieces, consumed);
      collect(out.sent, pieces);
      left.remove_prefix(consumed);
      out.consumed += consumed;
    }
  }
  return out;
}

// What a chunked reader gets, and whether it saw the end.
std::pair<std::string, bool> dechunk(std::string_view text) {
  http1::ChunkedDecoder decoder;
  decoder.reset();
  std::string body;
  for (;;) {
    const auto step = decoder.next(text);
    REQUIRE(step.state != http1::ParseState::error);
    body += step.data;
    text.remove_prefix(step.consumed);
    if (step.state == http1::ParseState::complete) return {body, text.empty()};
    if (step.consumed == 0) return {body, false};
  }
}

}  // namespace

TEST_CASE("A body with a length is passed bare and what follows it is left alone") {
  for (std::size_t step = 1; step < 20; ++step) {
    const auto out = relay({BodyKind::length, 5}, false, "helloGET / HTTP/1.1", step);
    CHECK(out.sent == "hello");
    CHECK(out.consumed == 5);
    CHECK(out.state == BodyRelay::State::done);
  }
}

TEST_CASE("A chunked body becomes chunks of our own, ended and with its trailers, however it is cut") {
  const std::string input = "5;name=value\r\nhello\r\n1\r\n \r\n6\r\nworld!\r\n0\r\nX-Sum: 1\r\n\r\nNEXT";
  for (std::size_t step = 1; step < input.size(); ++step) {
    const auto out = relay({BodyKind::chunked, 0}, true, input, step);
    INFO("step " << step << ": " << out.sent);
    CHECK(out.state == BodyRelay::State::done);
    CHECK(out.consumed == input.size() - 4);
    CHECK(dechunk(out.sent) == std::pair<std::string, bool>{"hello world!", true});
    CHECK(out.sent.find("name=value") == std::string::npos);
    CHECK(out.sent.find("0\r\nX-Sum: 1\r\n\r\n") != std::string::npos);
  }
}

TEST_CASE("A whole chunked body that arrives at once leaves as one chunk in one write") {
  const auto out = relay({BodyKind::chunked, 0}, true, "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 1000);
  CHECK(out.sent == "4\r\nabcd\r\n0\r\n\r\n");
}

TEST_CASE("More chunks than fit one write are all passed") {
  std::string input, body;
  for (int i = 0; i < 1000; ++i) {
    input += "1\r\nx\r\n";
    body += 'x';
  }
  const auto out = relay({BodyKind::chunked, 0}, true, input + "0\r\n\r\n", 1 << 20);
  CHECK(out.state == BodyRelay::State::done);
  CHECK(dechunk(out.sent) == std::pair<std::string, bool>{body, true});
}

TEST_CASE("A chunked body for a reader without chunks is bare") {
  CHECK(relay({BodyKind::chunked, 0}, false, "3\r\nabc\r\n0\r\nT: 1\r\n\r\n", 4).sent == "abc");
}

TEST_CASE("Broken chunks never look like an end") {
  for (const char* input : {"5\r\nhelloX\r\n0\r\n\r\n", "zz\r\n", "5\nhello\r\n0\r\n\r\n", "-1\r\n"}) {
    const auto out = relay({BodyKind::chunked, 0}, true, input, 3);
    INFO(input << " gave " << out.sent);
    CHECK(out.state == BodyRelay::State::error);
    CHECK_FALSE(dechunk(out.sent).second);
  }
}

TEST_CASE("The sender's close ends only a close-delimited body") {
  BodyRelay until_close;
  until_close.start({BodyKind::until_close, 0}, true);
  Pieces pieces;
  std::size_t consumed = 0;
  std::string sent;
  CHECK(until_close.relay("abc", pieces, consumed) == BodyRelay::State::more);
  collect(sent, pieces);
  CHECK(until_close.sender_closed(pieces) == BodyRelay::State::done);
  collect(sent, pieces);
  CHECK(sent == "3\r\nabc\r\n0\r\n\r\n");

  for (const auto kind : {BodyKind::length, BodyKind::chunked}) {
    BodyRelay other;
    other.start({kind, 10}, true);
    CHECK(other.relay(kind == BodyKind::length ? "abc" : "3\r\nabc\r\n", pieces, consumed) ==
          BodyRelay::State::more);
    pieces.clear();
    CHECK(other.sender_closed(pieces) == BodyRelay::State::error);
    CHECK(pieces.empty());
  }
}

TEST_CASE("No body is done at once") {
  BodyRelay relay;
  relay.start({BodyKind::none, 0}, false);
  CHECK(relay.done());
  relay.start({BodyKind::length, 0}, false);
  CHECK(relay.done());
}
