#include "cli/terminal.hpp"

#include <catch2/catch.hpp>
#include <functional>

#include "limits/background.hpp"
#include "limits/duration.hpp"
#include "limits/instance_end.hpp"
#include "limits/shared_state.hpp"
#include "unit/limits/golden.hpp"
#include "unit/limits/profiles.hpp"

namespace vsim::cli {
namespace {

using namespace std::chrono_literals;
using limits::Code;

// What happens in an hour under isolation, told to a function one event at a time.
void an_hour(const profile::Profile& p, const std::function<void(const event::Event&)>& tell) {
  const auto made = [](std::string_view method, std::string_view target, int status, Duration took) {
    event::InvocationEnded e;
    e.method = method;
    e.target = target;
    e.status = status;
    e.route = target.substr(0, target.find('?'));
    e.file = "app/api/x/route.ts";
    e.total = took + 4ms;
    e.charged = took;
    return e;
  };
  const auto on = [](event::InvocationEnded e, std::string_view instance, std::string_view start) {
    e.instance = instance;
    e.start = start;
    return e;
  };
  event::RunStarted started;
  started.url = "http://localhost:3000";
  started.profile = "hobby";
  started.profile_as_of = "2026-09-20";
  tell(started);
  tell(event::InstanceChanged{"i1", "spawning", "spare", "", "", "", 0, 77});
  auto e = on(made("GET", "/api/counter", 200, 5ms), "i1", "spare");
  e.init = 812ms;
  e.own_requests = 95ms;
  e.compile = 2550ms;
  e.total += e.init + e.compile;
  tell(e);
  tell(event::InstanceChanged{"i1", "leased", "dying", "/api/counter", "spent", "", 61'000'000, 77});
  tell(event::InstanceChanged{"i1", "dying", "dead", "", "spent", "killed by signal 9 (SIGKILL)", 0, 77});
  auto before = on(made("GET", "/api/counter", 200, 1ms), "i13", "bound");
  before.kind = "middleware";
  tell(before);  // it let the next one pass
  before.status = 307;
  tell(before);
  tell(on(made("GET", "/api/counter", 200, 4ms), "i2", "bound"));
  tell(on(made("POST", "/api/counter", 200, 3ms), "i2", "warm"));
  e = on(made("GET", "/api/busy", 200, 20ms), "i12", "cold");
  e.waited = 1500ms;
  e.init = 60ms;
  e.total += e.waited + e.init;
  tell(e);
  e = made("GET", "/about", 200, 0ms);
  e.traffic = event::Traffic::prerender;
  tell(on(e, "i3", "warm"));
  e = made("GET", "/logo.svg", 200, 0ms);
  e.traffic = event::Traffic::direct;
  tell(e);
  e = on(made("GET", "/api/gone", 0, 30ms), "i2", "warm");
  e.client_left = true;
  tell(e);

  limits::duration::Strike strike;
  strike.limit = limits::duration::limit_for(p, {});
  strike.charged = 10s;
  strike.route = "/api/slow";
  strike.file = "app/api/slow/route.ts";
  const limits::Verdict slow = limits::duration::verdict(p, strike);
  for (int i = 0; i < 2; ++i) {  // the second time in brief
    e = on(made("GET", "/api/slow?ms=15000", 504, 10s), "i4", "warm");
    e.verdicts = {&slow, 1};
    e.outcome = {event::EndedBy::platform, event::Phase::running, Code::function_invocation_timeout};
    tell(e);
  }
  const limits::Verdict crash = limits::instance_end::lost(
      {Code::function_invocation_failed, "process.exit(1)"}, "i5", "/api/exit", "app/api/exit/route.ts");
  e = on(made("POST", "/api/exit", 500, 12ms), "i5", "bound");
  e.verdicts = {&crash, 1};
  e.outcome = {event::EndedBy::app, event::Phase::running, Code::function_invocation_failed};
  tell(e);

  tell(on(made("GET", "/api/timer", 200, 2ms), "i6", "bound"));
  const Hanging hanging[] = {{"interval", "app/api/timer/route.ts:12:3", 1s},
                             {"socket", "lib/db.ts:4:10", 0s}};
  const limits::Verdict frozen = limits::background::frozen(p, profile::Isolation::invocation, true, hanging,
                                                            "/api/timer", "app/api/timer/route.ts");
  event::BackgroundWork work;
  work.route = "/api/timer";
  work.instance = "i6";
  work.verdicts = {&frozen, 1};
  tell(work);

  const limits::Verdict unknown =
      limits::shared_state::verdict(p, profile::Isolation::invocation, limits::shared_state::kSessionUnknown,
                                    "/api/socket", "pages/api/socket.ts");
  e = on(made("GET", "/api/socket?EIO=4&transport=polling&sid=abc", 400, 2ms), "i7", "bound");
  e.verdicts = {&unknown, 1};
  tell(e);
  tell(event::SocketOpened{InvocationId::none, "dev1::x", "/ws", "i8"});
  event::InvocationEnded socket = on(made("GET", "/ws", 101, 300s), "i8", "warm");
  socket.traffic = event::Traffic::socket;
  tell(socket);
}

TEST_CASE("Terminal: an hour with instances, plain, in colour, quiet and verbose") {
  const profile::Profile p = test::make_profile();
  const std::pair<const char*, TerminalStyle> styles[] = {{"plain", {}},
                                                          {"colour", {true, false, false}},
                                                          {"quiet", {false, true, false}},
                                                          {"verbose", {false, false, true}}};
  for (const auto& one : styles) {
    std::string out;
    Explained explained;
    an_hour(p, [&](const event::Event& event) { format_event(out, event, one.second, &explained); });
    test::check_golden("terminal/instances_" + std::string(one.first) + ".txt", out);
  }
}

TEST_CASE("Terminal: without instances a line says what it said before, and no more") {
  event::InvocationEnded e;
  e.method = "GET";
  e.target = "/api/counter";
  e.status = 200;
  e.charged = 22ms;
  e.total = e.charged + 2550ms;
  e.compile = 2400ms;
  std::string out;
  format_event(out, e, {});
  CHECK(out == " GET  /api/counter 200 in 22ms (not counted: compile 2.40s, routing 150ms)\n");
}

TEST_CASE("Terminal: a verdict is explained once for each route, and again when its limit is another") {
  Explained explained;
  limits::Verdict v;
  v.code = Code::function_invocation_timeout;
  v.limit = "10s";
  v.measured = "10.0s";
  v.route = "/a";
  CHECK(explained.times_before(v) == 0);
  v.measured = "10.1s";
  CHECK(explained.times_before(v) == 1);
  v.route = "/b";
  CHECK(explained.times_before(v) == 0);
  v.limit = "60s";
  CHECK(explained.times_before(v) == 0);
  v.code = Code::sim_state_not_shared;
  CHECK(explained.times_before(v) == 0);
  v.fix = "another, since its cause is";
  CHECK(explained.times_before(v) == 0);
}

TEST_CASE("Terminal: what is explained above still says what was seen this time") {
  Explained explained;
  std::string out;
  for (const char* cause : {"process.exit(3)", "killed by SIGKILL, not by vercel-sim"}) {
    event::InvocationEnded e;
    e.method = "GET";
    e.target = "/api/die";
    e.status = 500;
    limits::Verdict v;
    v.code = Code::function_invocation_failed;
    v.route = "/api/die";
    v.measured = cause;
    e.verdicts = {&v, 1};
    out.clear();
    format_event(out, e, {}, &explained);
    CHECK(out.find(cause) != std::string::npos);
  }
  CHECK(out.find("(explained above, 2 times now)") != std::string::npos);
}

TEST_CASE(
    "Terminal: a handler that took no time at all is not shown with the time it waited for its instance") {
  event::InvocationEnded e;
  e.method = "GET";
  e.target = "/api/pid";
  e.instance = "i18";
  e.start = "cold";
  e.status = 200;
  e.total = e.waited = 6500ms;
  std::string out;
  format_event(out, e, {});
  CHECK(out == " GET  /api/pid 200 in 0ms i18 cold (not counted: waited 6.50s)\n");
  e.status = 500;  // one that throws at once
  out.clear();
  format_event(out, e, {});
  CHECK(out == " GET  /api/pid 500 in 0ms i18 cold (not counted: waited 6.50s)\n");
}

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
  const auto shown = [&](std::string_view target) {
    event::InvocationEnded e;
    e.method = "GET";
    e.target = target;
    e.status = 200;
    std::string out;
    format_event(out, e, {});
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
