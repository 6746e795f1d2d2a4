// What of a recorded request is sent again, and how its head reads at another address.
#include "replay/resend.hpp"

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::replay;

namespace {

About about() {
  About a;
  a.url = "http://localhost:3000";
  a.build = "one";
  return a;
}
const Destination kTo{"http://localhost:4100", "two"};

RecordedRequest post(std::vector<RecordedHeader> headers = {}) {
  RecordedRequest r;
  r.n = 1;
  r.method = "POST";
  r.target = "/api/x?a=1";
  r.headers = std::move(headers);
  return r;
}

std::string line_of(const std::string& head, std::string_view name) {
  const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return "none";
  const std::size_t from = at + 2 + name.size() + 2;
  return head.substr(from, head.find("\r\n", from) - from);
}

}  // namespace

TEST_CASE("head: Host, Origin and Referer of the recorded origin name the new one; all else is as it was") {
  const auto r = post({{"Host", "localhost:3000"},
                       {"Connection", "keep-alive"},
                       {"origin", "http://localhost:3000"},
                       {"Referer", "http://localhost:3000/page?x=1"},
                       {"X-Custom", "http://localhost:3000"},
                       {"Content-Length", "3"},
                       {"Expect", "100-continue"},
                       {"Cookie", "a=1"},
                       {"X-Vsim-Id", "forged"}});
  RecordedRequest with_body = r;
  with_body.body = {"abc", 3, true};
  CHECK(head_of(with_body, about(), kTo, "a=2", "7") ==
        "POST /api/x?a=1 HTTP/1.1\r\nHost: localhost:4100\r\norigin: http://localhost:4100\r\n"
        "Referer: http://localhost:4100/page?x=1\r\nX-Custom: http://localhost:3000\r\nCookie: a=2\r\n"
        "Content-Length: 3\r\nX-Vsim-Replay: 7\r\nConnection: close\r\n");
  CHECK(body_of(with_body) == "abc");
}

TEST_CASE("head: the name that the client used is kept, and a foreign origin too") {
  const auto head = [](std::string host, std::string origin) {
    return head_of(post({{"Host", host}, {"Origin", origin}}), about(), kTo, "", "0");
  };
  CHECK(line_of(head("127.0.0.1:3000", "http://127.0.0.1:3000"), "Host") == "127.0.0.1:4100");
  CHECK(line_of(head("127.0.0.1:3000", "http://127.0.0.1:3000"), "Origin") == "http://127.0.0.1:4100");
  CHECK(line_of(head("[::1]:3000", "http://[::1]:3000"), "Host") == "[::1]:4100");
  CHECK(line_of(head("[::1]:3000", "http://[::1]:3000"), "Origin") == "http://[::1]:4100");
  CHECK(line_of(head("app.test:3000", "http://app.test:3000"), "Origin") == "http://app.test:4100");
  CHECK(line_of(head("localhost:3000", "https://evil.example"), "Origin") == "https://evil.example");
  CHECK(line_of(head("localhost:3000", "http://evil.example:3000"), "Origin") == "http://evil.example:3000");
  CHECK(line_of(head("localhost:3000", "http://localhost:5000"), "Origin") == "http://localhost:5000");
  CHECK(line_of(head("localhost:3000", "null"), "Origin") == "null");
}

TEST_CASE("body: a chunked one is chunked again, an empty one with a length has its length") {
  auto r = post({{"Transfer-Encoding", "chunked"}});
  r.body = {"hello, world!!!!!", 17, true};
  CHECK(line_of(head_of(r, about(), kTo, "", "0"), "Transfer-Encoding") == "chunked");
  CHECK(line_of(head_of(r, about(), kTo, "", "0"), "Content-Length") == "none");
  CHECK(body_of(r) == "11\r\nhello, world!!!!!\r\n0\r\n\r\n");
  r.body = {};
  CHECK(body_of(r) == "0\r\n\r\n");
  CHECK(line_of(head_of(post({{"content-length", "0"}}), about(), kTo, "", "0"), "Content-Length") == "0");
  CHECK(line_of(head_of(post(), about(), kTo, "", "0"), "Content-Length") == "none");
}

TEST_CASE("obstacles: sockets, cut bodies, Server Actions of another build, clients that left too early") {
  const auto why = [](const RecordedRequest& r, const Destination& to = kTo) {
    return obstacle(r, about(), to).value_or("none");
  };
  CHECK(why(post()) == "none");
  RecordedRequest r = post();
  r.upgrade = true;
  CHECK(why(r) == "a WebSocket: what was said on it is not in the recording");
  r = post();
  r.body = {"", 5'000'000, false};
  CHECK(why(r) == "its body of 5 MB was refused unread, so it is not in the recording");
  r.body = {"abc", 5'000'000, false};
  CHECK(why(r) == "of its body only 3 B are in the recording");
  r = post({{"Next-Action", "40ab"}});
  CHECK_THAT(why(r), Catch::StartsWith("a Server Action: "));
  CHECK(why(r, {"http://localhost:4100", "one"}) == "none");
  About nameless = about();
  nameless.build.clear();
  CHECK(obstacle(r, nameless, {"http://localhost:4100", ""}));
  r = post({{"Content-Type", "multipart/form-data; boundary=x"}});
  r.body.bytes = "--x\r\nContent-Disposition: form-data; name=\"$ACTION_ID_40ab\"\r\n\r\n\r\n--x--";
  r.body.size = r.body.bytes.size();
  CHECK_THAT(why(r), Catch::StartsWith("a Server Action: "));
  r = post();
  r.outcome.ended_by = event::EndedBy::client;
  r.outcome.phase = event::Phase::request;
  CHECK(why(r) == "its client left before it was whole");
}

TEST_CASE("cookies: what the app sets anew is sent anew, as a browser would; all others as recorded") {
  std::vector<RecordedRequest> requests(4, post());
  for (std::size_t i = 0; i < 4; ++i) requests[i].n = i + 1;
  requests[0].target = "/api/login?token=secret";
  requests[0].outcome.set_cookies = {{"session", "old"}, {"theme", "dark"}};
  Cookies cookies(requests);
  SECTION("before the answer, or without one, there is nothing to send") {
    CHECK(
        cookies.field(1, "session=old").missing ==
        "its cookie session came from POST /api/login?token=*** (request 1), which has no answer this time");
  }
  SECTION("another value") {
    cookies.answered(0, {{"session", "new"}, {"theme", "dark"}});
    const auto got = cookies.field(1, "a=b; session=old; theme=dark; session=other");
    CHECK(got.value == "a=b; session=new; theme=dark; session=other");
    REQUIRE(got.renewed.size() == 1);
    CHECK(got.renewed[0] == "cookie session as POST /api/login?token=*** (request 1) set it this time");
    CHECK(got.missing.empty());
  }
  SECTION("it is not set this time") {
    cookies.answered(0, {{"theme", "dark"}});
    CHECK_THAT(cookies.field(2, "session=old").missing, Catch::EndsWith("which does not set it this time"));
    CHECK(cookies.field(2, "theme=dark").value == "theme=dark");
  }
  SECTION("the latest answer that gave this value is the one") {
    requests[2].outcome.set_cookies = {{"session", "old"}};
    cookies.answered(0, {{"session", "first"}});
    cookies.answered(2, {{"session", "second"}});
    CHECK(cookies.field(1, "session=old").value == "session=first");
    CHECK(cookies.field(3, "session=old").value == "session=second");
  }
}

TEST_CASE("Set-Cookie: name and value") {
  CHECK(parse_set_cookie("a=b=c; Path=/; HttpOnly") == RecordedHeader{"a", "b=c"});
  CHECK(parse_set_cookie(" a = b ;x") == RecordedHeader{"a", "b"});
  CHECK(parse_set_cookie("a=; Max-Age=0") == RecordedHeader{"a", ""});
  CHECK_FALSE(parse_set_cookie("nothing"));
  CHECK_FALSE(parse_set_cookie("=x"));
}

TEST_CASE("label: secrets masked, nothing that drives a terminal") {
  RecordedRequest r = post();
  r.target = "/a\x1b[31m?token=x&b=\xff";
  CHECK(label(r) == "POST /a?[31m?token=***&b=?");
}
