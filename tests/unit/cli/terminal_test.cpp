#include "cli/terminal.hpp"

#include <catch2/catch.hpp>

namespace vsim::cli {
namespace {

TEST_CASE("Terminal: request lines of Next 14, 15 and 16 are known, colours or not") {
  CHECK(is_next_request_line(" GET / 200 in 34ms\n"));
  CHECK(is_next_request_line(" GET /x?a=b 404 in 1234ms\r\n"));
  CHECK(is_next_request_line(" POST /api/x \x1b[31m500\x1b[39m in 1.2s\n"));
  CHECK(is_next_request_line(
      " GET /x \x1b[32m200\x1b[39m in 12ms\x1b[2m (next.js: 3ms, application-code: 9ms)\x1b[22m\n"));
  CHECK(is_next_request_line(
      " GET /x 200 in 12ms (next.js: 3ms, proxy.ts: 1ms, generate-params: 2ms, application-code: 6ms)\n"));
}

TEST_CASE("Terminal: lines of the app that only look similar are kept") {
  CHECK_FALSE(is_next_request_line("GET /x 200 in 12ms\n"));  // Next indents
  CHECK_FALSE(is_next_request_line(" GET https://a.example/x 200 in 12ms (cache hit)\n"));
  CHECK_FALSE(is_next_request_line(" │ GET https://a.example/x 200 in 12ms (cache miss)\n"));
  CHECK_FALSE(is_next_request_line(" GET /x took 12ms\n"));
  CHECK_FALSE(is_next_request_line(" GET /x 200\n"));
  CHECK_FALSE(is_next_request_line("\n"));
}

TEST_CASE("Terminal: nothing a client sends can drive the terminal") {
  const profile::Profile profile{};
  const auto shown = [&](std::string_view target) {
    event::InvocationEnded e;
    e.method = "GET";
    e.target = target;
    e.status = 200;
    std::string out;
    format_event(out, e, profile, {});
    return out;
  };
  CHECK(shown("/a\x1b[2J\x07\x7f").starts_with(" GET  /a?[2J?? 200 in "));
  CHECK(shown("/\xc2\x9b"
              "2J")
            .starts_with(" GET  /?2J 200 in "));  // CSI as UTF-8
  CHECK(shown("/\x9b"
              "2J\xff")
            .starts_with(" GET  /?2J? 200 in "));  // and as a lone byte
  CHECK(shown("/\xc3\xa9\xe2\x9c\x97").starts_with(" GET  /\xc3\xa9\xe2\x9c\x97 200 in "));
}

}  // namespace
}  // namespace vsim::cli
