// The format of a recording: what is written is read again, and what others wrote is refused with its place.
#include "replay/recording.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

using namespace vsim;
using namespace vsim::replay;
using namespace std::chrono_literals;

namespace {

About about() {
  About a;
  a.version = "0.1.0";
  a.profile = "hobby-fluid";
  a.profile_as_of = "2026-09-20";
  a.isolation = "fluid";
  a.app = "next 16.4.6";
  a.url = "http://localhost:3000";
  a.build = "0123456789abcdef";
  a.time_scale = 2.5;
  a.started = {1795405196939};
  return a;
}

RecordedRequest request(std::uint64_t n, Duration at, std::string target = "/") {
  RecordedRequest r;
  r.n = n;
  r.at = at;
  r.method = "POST";
  r.target = std::move(target);
  r.headers = {{"Host", "localhost:3000"}, {"Cookie", "a=1; b=\"two\""}};
  r.id = "iad1::x";
  r.outcome.status = 200;
  r.outcome.total = 12ms + 34ns;
  return r;
}

std::string text_of(const std::vector<RecordedRequest>& requests) {
  std::string out;
  encode(out, about());
  for (const RecordedRequest& r : requests) encode(out, r);
  encode_end(out, requests.size(), 0);
  return out;
}

// A recording with this line in the place of a request.
std::string error_of(std::string_view line) {
  std::string text;
  encode(text, about());
  text += line;
  const auto got = read_recording(text + "\n", "r.jsonl");
  return got ? "read" : got.error().message;
}

std::string with(std::string_view members) {
  return fmt::format(
      R"({{"type":"request","n":1,"at_ms":1,"method":"GET","target":"/","headers":[],"outcome":{{"status":200,"total_ms":1}}{}}})",
      members);
}

}  // namespace

TEST_CASE("recording: what is written is read again, byte for byte") {
  RecordedRequest all = request(1, 0ns, "/api/x?q=%20");
  all.upgrade = true;
  all.body = {std::string("\0\xff\x80 binary", 10), 10, true};
  all.headers.push_back({"x-latin", "caf\xe9"});
  all.outcome = {event::EndedBy::platform,
                 event::Phase::running,
                 event::Traffic::invocation,
                 504,
                 {limits::Code::function_invocation_timeout, limits::Code::sim_state_not_shared},
                 "/api/x",
                 "app/api/x/route.ts",
                 "app_route",
                 10s,
                 9999999999ns,
                 5ms,
                 {{"session", "a=b"}}};
  RecordedRequest text = request(2, 3ms + 1ns);
  text.body = {"{\"a\":\"ü\\n\"}\n", 13, true};
  RecordedRequest cut = request(3, 4ms);
  cut.body = {"abc", 5'000'000, false};
  const auto got = read_recording(text_of({all, text, cut}), "r.jsonl");
  REQUIRE(got);
  std::string written, again;
  encode(written, about());
  encode(again, got->about);
  CHECK(again == written);
  REQUIRE(got->requests.size() == 3);
  CHECK(got->requests[0] == all);
  CHECK(got->requests[1] == text);
  CHECK(got->requests[2] == cut);
  CHECK(got->ended);
  CHECK(got->lost == 0);
}

TEST_CASE("recording: lines come in the order of ends, requests are given in the order of arrival") {
  const auto got = read_recording(text_of({request(2, 5ms), request(3, 9ms), request(1, 1ms)}), "r");
  REQUIRE(got);
  CHECK(got->requests[0].n == 1);
  CHECK(got->requests[1].n == 2);
  CHECK(got->requests[2].n == 3);
}

TEST_CASE("recording: what became known later belongs to its request, once") {
  std::string text;
  encode(text, about());
  encode(text, request(7, 1ms));
  encode_later(text, 7, limits::Code::sim_background_work_frozen);
  encode_later(text, 7, limits::Code::sim_background_work_frozen);
  encode_later(text, 8, limits::Code::sim_background_work_frozen);  // of one that was lost
  const auto got = read_recording(text, "r");
  REQUIRE(got);
  CHECK(got->requests[0].outcome.codes == std::vector{limits::Code::sim_background_work_frozen});
  CHECK_FALSE(got->ended);
}

TEST_CASE("recording: a last line that was cut is left out, at whatever byte") {
  std::string text;
  encode(text, about());
  encode(text, request(1, 1ms));
  const std::size_t whole = text.size();
  encode(text, request(2, 2ms));
  for (std::size_t n = whole; n < text.size(); ++n) {
    const auto got = read_recording(std::string_view(text).substr(0, n), "r");
    REQUIRE(got);
    CHECK(got->requests.size() == 1);
  }
}

TEST_CASE("recording: what is none says so") {
  for (const char* text : {"", "\n", "{\"type\":\"recording\"", "hello"}) {
    const auto got = read_recording(text, "r.jsonl");
    REQUIRE_FALSE(got);
    CHECK(got.error().message == "r.jsonl: expected a recording; this is none, or an empty one");
  }
  CHECK(read_recording("{\"t\":\"run_started\"}\n", "e").error().message ==
        "e:1:1: expected the first line of a recording, {\"type\":\"recording\",…}");
  CHECK(
      read_recording("{\"type\":\"recording\",\"format\":2,\"url\":\"http://a:1\"}\n", "e").error().message ==
      "e:1:30: recording.format: expected 1, the format of this version");
  CHECK(looks_like_recording(text_of({})));
  CHECK(looks_like_recording("{\"type\":\"end\",\"requests\":0,\"lost\":0}\n"));
  CHECK_FALSE(looks_like_recording("{\"name\":\"my-app\"}"));
  CHECK_FALSE(looks_like_recording("{\"type\":\"end\"}"));
}

TEST_CASE("recording: a wrong line is told with its place and what was expected") {
  const auto [line, expected] = GENERATE(table<std::string, std::string>({
      {"{\"type\":", "r.jsonl:2:9: not JSON: unexpected end"},
      {"[]", "r.jsonl:2:1: expected an object"},
      {R"({"type":"what"})", "r.jsonl:2:9: type: expected one of request, later, end"},
      {R"({"type":"request"})", "r.jsonl:2:1: request.n: expected a whole number"},
      {with(R"(,"at_ms":-1)"), "at_ms: expected milliseconds, not negative, at most a year"},
      {with(R"(,"at_ms":1e300)"), "at_ms: expected milliseconds, not negative, at most a year"},
      {with(R"(,"method":"GET / HTTP/1.1\r\nX: y")"), "request.method: expected an HTTP method"},
      {with(R"(,"target":"/a b")"), "request.target: expected a path and query"},
      {with(R"(,"target":"http://evil/")"), "request.target: expected a path and query"},
      {with(R"(,"target":"/\r\nX: y")"), "request.target: expected a path and query"},
      {with(R"(,"headers":{})"), "request.headers: expected a list of [name, value]"},
      {with(R"(,"headers":[["a"]])"), "request.headers: expected [name, value]"},
      {with(R"(,"headers":[["a b","c"]])"), "request.headers: expected the name of a header"},
      {with(R"(,"headers":[["a","c\r\nd: e"]])"), "request.headers: expected the value of a header, without"},
      {with(R"(,"body":{"base64":"a"})"), "request.body: expected base64 with its padding"},
      {with(R"(,"body":1)"), "request.body: expected a string or {\"base64\":…}"},
      {with(R"(,"body":"abc","body_size":2)"), "request.body_size: expected the size of the body"},
      {with(R"(,"outcome":{"status":99,"total_ms":1})"),
       "request.outcome.status: expected 0 or an HTTP status"},
      {with(R"(,"outcome":{"status":200,"total_ms":1,"codes":["NOPE"]})"),
       "request.outcome.codes: expected a code of this version"},
      {with(R"(,"outcome":{"status":200,"total_ms":1,"phase":"x"})"),
       "request.outcome.phase: expected one of request, routing, running, responding, tunnel"},
      {with(R"(,"n":1})"), "not JSON: something follows the value"},
  }));
  CAPTURE(line);
  const std::string got = error_of(line);
  CHECK(got.starts_with("r.jsonl:2:"));
  CHECK_THAT(got, Catch::Contains(expected));
}

TEST_CASE("recording: two requests of one number are refused") {
  const auto got = read_recording(text_of({request(1, 1ms), request(1, 2ms)}), "r");
  REQUIRE_FALSE(got);
  CHECK_THAT(got.error().message, Catch::StartsWith("r:3:"));
}

TEST_CASE("recording: cut or changed at any byte it is read or refused, never more") {
  RecordedRequest r = request(1, 1ms);
  r.body = {std::string("\xff\x00", 2), 2, true};
  const std::string text = text_of({r});
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string broken = text;
    for (const char c : {'"', '{', '\x01', '\xff', '9'}) {
      broken[i] = c;
      const auto got = read_recording(broken, "r");
      if (got) CHECK(got->requests.size() <= 1);
    }
    (void)read_recording(text.substr(i), "r");
  }
}

TEST_CASE("base64: there and back, and only one spelling") {
  std::string bytes;
  for (int n = 0; n < 70; ++n) {
    CHECK(unbase64(base64(bytes)) == bytes);
    bytes += static_cast<char>(n * 37);
  }
  CHECK(base64("M") == "TQ==");
  CHECK(base64("Ma") == "TWE=");
  CHECK(base64("Man") == "TWFu");
  for (const char* wrong : {"T", "TQ=", "TR==", "TWF=", "T===", "====", "TQ==TQ==", "TW u", "TWE-"})
    CHECK(unbase64(wrong) == std::nullopt);
}
