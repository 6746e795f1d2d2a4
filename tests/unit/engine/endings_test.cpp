// Admission's refusals, bodies, clients that leave, apps that fail: each request ends exactly once, with who,
// when and why.
#include <catch2/catch.hpp>

#include "unit/engine/sim_world.hpp"

using namespace vsim;
using namespace vsim::test;
using profile::Mode;
using routes::Kind;

namespace {

RequestInfo get(std::string_view target) {
  RequestInfo r;
  r.method = "GET";
  r.target = target;
  return r;
}

}  // namespace

TEST_CASE("head limits refuse at once, at the first byte over and not before") {
  SimWorld w;
  const auto check = [&](const RequestInfo& r, Code code, int status) {
    const Admission a = w.admit(r);
    CHECK(a.action == Action::refuse);
    CHECK(a.error == code);
    CHECK(a.error_status == 0);
    CHECK(w.last().status == status);
    CHECK(w.last().outcome.code == code);
    CHECK(w.last().outcome.phase == Phase::request);
    CHECK(w.last().verdicts.size() == 1);
    CHECK(w.last().id == InvocationId::none);
  };
  const auto pass = [&](const RequestInfo& r) {
    const Admission a = w.admit(r);
    CHECK(a.action == Action::forward);
    w.head(a.id);
    w.ended(a.id);
  };
  std::string url = "/" + std::string(13'999, 'a');
  pass(get(url));
  url += 'a';
  check(get(url), Code::url_too_long, 414);
  RequestInfo r = get("/");
  r.largest_header = 16'384;
  r.headers_total = 32'768;
  pass(r);
  r.largest_header = 16'385;
  check(r, Code::request_header_too_large, 431);
  r.largest_header = 1;
  r.headers_total = 32'769;
  check(r, Code::request_header_too_large, 431);
  r = get("/");
  r.header_not_utf8 = true;
  check(r, Code::malformed_request_header, 400);
  r = get("/");
  r.method = "TRACE";
  check(r, Code::invalid_request_method, 405);
  r = get("/");
  r.method = "POST";
  r.content_length = 4'493'823;
  pass(r);
  r.content_length = 4'493'824;
  check(r, Code::function_payload_too_large, 413);
  CHECK(w.recorder.started.size() == 3);
}

TEST_CASE("a refusal names the route and the file it was for") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  w.routes(
      {SimWorld::function("/api/upload", Kind::app_route, "app/api/upload/route.ts", "/api/upload/route")});
  RequestInfo r = get("/api/upload?x");
  r.content_length = 5'000'000;
  w.admit(r);
  CHECK(w.last().route == "/api/upload");
  CHECK(w.last().verdicts.at(0).file == "app/api/upload/route.ts");
  CHECK(w.last().kind == "app_route");
}

TEST_CASE("body limits in mode observe warn and let pass; off is silent") {
  auto p = make_profile();
  p.request_body_mode.value = Mode::observe;
  SimWorld w(p);
  RequestInfo r = get("/api/upload");
  r.content_length = 5'000'000;
  Admission a = w.admit(r);
  CHECK(a.action == Action::forward);
  w.head(a.id);
  w.ended(a.id);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK_FALSE(w.last().verdicts[0].enforced);
  CHECK(w.last().outcome.code == Code::none);

  r.content_length.reset();
  r.chunked = true;
  a = w.admit(r);
  CHECK(a.body_limit == 4'493'823);
  CHECK(w.body_over(a.id) == Code::none);
  CHECK(w.body_over(a.id) == Code::none);
  w.head(a.id);
  w.ended(a.id);
  CHECK(w.last().verdicts.size() == 1);

  p.request_body_mode.value = Mode::off;
  SimWorld off(p);
  a = off.admit(r);
  CHECK(a.body_limit == kUnlimited);
  off.ended(a.id);
}

TEST_CASE("a body of unknown length is refused when it passes the limit, and the invocation is over") {
  SimWorld w;
  RequestInfo r = get("/api/upload");
  r.chunked = true;
  const Admission a = w.admit(r);
  CHECK(a.body_limit == 4'493'823);
  w.exchanged[a.id] = {4'493'900, 0};
  CHECK(w.body_over(a.id) == Code::function_payload_too_large);
  CHECK(w.last().status == 413);
  CHECK(w.last().bytes_in == 4'493'900);
  CHECK(w.last().outcome.ended_by == EndedBy::platform);
  CHECK_FALSE(w.next().has_value());
}

TEST_CASE("a body that passes the limit after the app began to answer cannot get a 413 any more") {
  SimWorld w;
  RequestInfo r = get("/api/upload");
  r.chunked = true;
  const Admission a = w.admit(r);
  w.head(a.id, 200);
  CHECK(w.body_over(a.id) == Code::none);
  w.ended(a.id);
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK_FALSE(w.last().verdicts[0].enforced);
}

TEST_CASE(
    "a buffered response over the limit is replaced; a streamed one, a HEAD and an observed one are not") {
  auto p = make_profile();
  const auto app = std::vector{
      SimWorld::function("/api/big", Kind::pages_api, "pages/api/big.ts", "/api/big"),
      SimWorld::function("/api/stream", Kind::app_route, "app/api/stream/route.ts", "/api/stream/route")};
  SimWorld w(p);
  w.routes(app);
  Admission a = w.admit("/api/big");
  CHECK(w.head(a.id, 200, false, 4'500'001) == Code::function_response_payload_too_large);
  CHECK(w.last().status == 500);
  CHECK(w.last().outcome.code == Code::function_response_payload_too_large);
  CHECK(w.last().verdicts.at(0).file == "pages/api/big.ts");
  a = w.admit("/api/big");
  CHECK(w.head(a.id, 200, false, 4'500'000) == Code::none);
  w.ended(a.id);
  a = w.admit("/api/stream");
  CHECK(w.head(a.id, 200, false, 50'000'000) == Code::none);
  w.ended(a.id, {0, 50'000'000});
  CHECK(w.last().verdicts.empty());
  a = w.admit("/api/big", "HEAD");
  CHECK(w.head(a.id, 200, false, 50'000'000) == Code::none);
  w.ended(a.id);
  a = w.admit("/api/big");  // length unknown: told afterwards, once
  w.head(a.id);
  w.ended(a.id, {0, 5'000'000});
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].enforced);
  CHECK(w.last().status == 200);

  p.response_body_mode.value = Mode::observe;
  SimWorld observe(p, SimWorld::with_agent());
  observe.routes(app);
  a = observe.admit("/api/big");
  observe.dispatched(a.id, "/api/big", Kind::pages_api);
  observe.handler_started(a.id);
  CHECK(observe.head(a.id, 200, false, 5'000'000) == Code::none);
  observe.ended(a.id, {0, 5'000'000});
  REQUIRE(observe.last().verdicts.size() == 1);
  CHECK_FALSE(observe.last().verdicts[0].enforced);
}

TEST_CASE("a client that leaves does not stop the function: it runs to its end, or to its limit, unseen") {
  SimWorld w;
  Admission a = w.admit("/api/sse");
  w.head(a.id);
  w.advance(1s);
  CHECK(w.client_left(a.id));
  CHECK(w.client_left(a.id));
  w.advance(3s);
  w.ended(a.id, {0, 7});
  CHECK(w.last().client_left);
  CHECK(w.last().outcome.ended_by == EndedBy::function);
  CHECK(w.last().status == 200);
  CHECK(w.last().charged == 4s);

  a = w.admit("/api/slow");
  CHECK(w.client_left(a.id));
  CHECK(w.head(a.id, 200) == Code::none);  // nobody gets it
  CHECK(w.advance(10s - 1ns).empty());
  const auto commands = w.advance(1ns);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::cut);
  CHECK(w.last().client_left);
  CHECK(w.last().status == 0);
  CHECK(w.last().outcome.ended_by == EndedBy::platform);
  CHECK(w.last().verdicts.empty());

  a = w.admit("/api/slow");  // no head at all
  w.client_left(a.id);
  CHECK(w.advance(10s).at(0).kind == ExchangeCommand::Kind::cut);
  CHECK(w.last().status == 0);
}

TEST_CASE("a client that leaves before the handler starts does not stop it from starting") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  const Admission a = w.admit("/api/slow");
  w.compile_started(a.id);
  CHECK(w.client_left(a.id));
  w.advance(20s);
  w.compile_ended(a.id);
  w.dispatched(a.id, "/api/slow/route", Kind::app_route);
  w.handler_started(a.id);
  CHECK(w.next() == 10s);
  CHECK(w.advance(10s).size() == 1);
  CHECK(w.last().route == "/api/slow");
}

TEST_CASE(
    "what is no function stops when its client leaves, and so does a function that supports cancellation") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  auto f = SimWorld::function("/api/c", Kind::app_route, "app/api/c/route.ts", "/api/c/route");
  f.supports_cancellation = true;
  w.routes({f});
  Admission a = w.admit("/big.zip");
  w.head(a.id, 200, true);
  CHECK_FALSE(w.client_left(a.id));
  w.ended(a.id);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  a = w.admit("/about");
  w.dispatched(a.id, "/about/page", Kind::app_page, true);
  CHECK_FALSE(w.client_left(a.id));
  w.ended(a.id);
  a = w.admit("/api/c");
  w.dispatched(a.id, "/api/c/route", Kind::app_route);
  w.handler_started(a.id);
  CHECK_FALSE(w.client_left(a.id));
  w.ended(a.id);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  CHECK(w.last().client_left);
  CHECK(w.last().status == 0);
  a = w.admit("/_next/static/x.js");
  CHECK_FALSE(w.client_left(a.id));
  w.ended(a.id);
}

TEST_CASE(
    "what turns out to be no function after its client left is closed, unless the agent still names one") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  Admission a = w.admit("/events-of-a-foreign-server");
  CHECK(w.client_left(a.id));
  w.head(a.id, 200, true);
  CHECK(w.next() == 1s);
  const auto commands = w.advance(1s);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::cut);
  CHECK(commands[0].code == Code::none);
  CHECK(w.last().traffic == Traffic::direct);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  CHECK(w.last().status == 0);
  CHECK(w.last().verdicts.empty());

  a = w.admit("/api/slow");
  w.client_left(a.id);
  w.head(a.id, 200, true);
  w.dispatched(a.id, "/api/slow/route", Kind::app_route);
  w.handler_started(a.id);
  CHECK(w.next() == 10s);
  CHECK(w.advance(10s).at(0).code == Code::function_invocation_timeout);

  a = w.admit("/about");
  w.client_left(a.id);
  w.dispatched(a.id, "/about/page", Kind::app_page, true);
  CHECK(w.next() == 1s);
  w.ended(a.id);
  CHECK_FALSE(w.next().has_value());
}

TEST_CASE("a client that leaves before anybody knows who will answer is not waited for without end") {
  SimWorld w(make_profile(), SimWorld::with_agent());
  Admission a = w.admit("/api/slow");
  w.advance(5s);
  w.client_left(a.id);
  CHECK(w.next() == 60s);
  w.advance(30s);
  w.compile_started(a.id);  // it is being worked at
  CHECK_FALSE(w.next().has_value());
  w.advance(10min);
  w.compile_ended(a.id);
  CHECK(w.next() == 60s);
  const auto commands = w.advance(60s);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].kind == ExchangeCommand::Kind::cut);
  CHECK(commands[0].code == Code::none);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  CHECK(w.last().verdicts.empty());

  a = w.admit("/api/slow");
  w.client_left(a.id);
  w.dispatched(a.id, "/api/slow/route", Kind::app_route);
  w.advance(59s);
  w.handler_started(a.id);
  CHECK(w.next() == 10s);  // its own limit now
  w.advance(10s);
}

TEST_CASE(
    "an upload that its client gave up ends by the client, and what next dev answers itself by nobody else") {
  for (const bool agent : {false, true}) {
    engine::EngineOptions o;
    o.agent = agent;
    SimWorld w(make_profile(), o);
    Admission a = w.admit("/api/upload", "POST");
    CHECK(w.client_left(a.id));
    w.ended(a.id, {1000, 0});  // a request that will never be whole is not run to its end
    CHECK(w.last().outcome.ended_by == EndedBy::client);
    CHECK(w.last().client_left);
    a = w.admit("/_next/static/x.js");
    w.head(a.id, 200, true);
    w.ended(a.id);
    CHECK(w.last().outcome.ended_by == EndedBy::function);
    CHECK(w.last().status == 200);
    a = w.admit("/_next/static/y.js");
    w.client_left(a.id);
    w.ended(a.id);
    CHECK(w.last().outcome.ended_by == EndedBy::client);
  }
}

TEST_CASE("an app that fails before its head gives the platform's 502") {
  const struct {
    UpstreamFailure failure;
    Code plain, agent;
  } rows[] = {{UpstreamFailure::refused, Code::router_external_target_connection_error,
               Code::no_response_from_function},
              {UpstreamFailure::reset, Code::no_response_from_function, Code::no_response_from_function},
              {UpstreamFailure::garbage, Code::no_response_from_function, Code::no_response_from_function},
              {UpstreamFailure::truncated, Code::none, Code::none}};
  for (const auto& row : rows) {
    for (const bool agent : {false, true}) {
      engine::EngineOptions o;
      o.agent = agent;
      SimWorld w(make_profile(), o);
      const Admission a = w.admit("/x");
      const Code code = w.failed(a.id, row.failure, {1, 2});
      CHECK(code == (agent ? row.agent : row.plain));
      CHECK(w.last().outcome.ended_by == EndedBy::app);
      CHECK(w.last().outcome.code == code);
      CHECK(w.last().status == (code == Code::none ? 0 : 502));
      CHECK(w.last().bytes_out == 2);
      CHECK_FALSE(w.next().has_value());
    }
  }
}

TEST_CASE("an app that fails in the middle of its body is a cut response, not another answer") {
  SimWorld w;
  const Admission a = w.admit("/x");
  w.head(a.id, 200);
  CHECK(w.failed(a.id, UpstreamFailure::truncated, {0, 10}) == Code::none);
  CHECK(w.last().status == 200);
  CHECK(w.last().outcome.ended_by == EndedBy::app);
  CHECK(w.last().outcome.phase == Phase::responding);
  const Admission b = w.admit("/x");
  w.client_left(b.id);
  CHECK(w.failed(b.id, UpstreamFailure::reset) == Code::none);  // nobody is there to be answered
  CHECK(w.last().client_left);
}

TEST_CASE("what the codec refused is counted and shown") {
  SimWorld w;
  const RequestTag tag = w.engine().reject_malformed(Code::bad_request, {"GET", "/x y"}, w.now, w.wall());
  CHECK(w.last().status == 400);
  CHECK(w.last().outcome.ended_by == EndedBy::client);
  CHECK(w.last().outcome.code == Code::bad_request);
  CHECK(w.last().request_id == "dev1::" + std::string(tag.view()));
  w.engine().reject_malformed(Code::bad_request, {"BREW", "/"}, w.now, w.wall(), 501);
  CHECK(w.last().status == 501);
  CHECK(w.engine().active() == 0);
}

TEST_CASE("a head limit that the codec ran into is explained like one of the engine's own") {
  SimWorld w;
  const std::string url(20'000, 'x');
  w.engine().reject_malformed(Code::url_too_long, {"GET", url}, w.now, w.wall());
  REQUIRE(w.last().verdicts.size() == 1);
  CHECK(w.last().verdicts[0].measured == "20 KB");
  CHECK(w.last().verdicts[0].provenance == &w.profile.url_max.from);
  CHECK(w.last().outcome.ended_by == EndedBy::platform);
  w.engine().reject_malformed(Code::url_too_long, {"GET", "/cut"}, w.now, w.wall());
  CHECK(w.last().verdicts.at(0).measured == "more");
  w.engine().reject_malformed(Code::request_header_too_large, {"GET", "/"}, w.now, w.wall());
  CHECK(w.last().status == 431);
  CHECK(w.last().verdicts.at(0).limit_key == "request.headers_max");
  CHECK(w.last().verdicts.at(0).measured == "more");
  w.engine().reject_malformed(Code::invalid_request_method, {"TRACE", "/"}, w.now, w.wall());
  CHECK(w.last().verdicts.at(0).measured == "TRACE");
}

TEST_CASE("an interim response is not the answer") {
  SimWorld w;
  const Admission a = w.admit("/x");
  w.head(a.id, 100);
  w.head(a.id, 103);
  CHECK(w.advance(10s).at(0).kind == ExchangeCommand::Kind::answer_error);
}

TEST_CASE("request tags are repeatable with a seed and differ from each other") {
  engine::EngineOptions o;
  o.seed = 7;
  SimWorld a(make_profile(), o), b(make_profile(), o);
  std::string last;
  for (int i = 0; i < 5; ++i) {
    const std::string tag(a.admit("/").tag.view());
    CHECK(tag == b.admit("/").tag.view());
    CHECK(tag != last);
    last = tag;
  }
}

TEST_CASE("a request stopped with the emulator says so") {
  SimWorld w;
  const Admission a = w.admit("/x");
  w.ended(a.id);
  CHECK(w.last().outcome.ended_by == EndedBy::emulator);
  CHECK(w.last().status == 0);
}

TEST_CASE("the shell's own events share the engine's sequence") {
  SimWorld w;
  w.admit("/x");
  w.engine().announce(event::AppChanged{event::AppState::ready, ""}, w.now, w.wall());
  w.admit("/y");  // the recorder insists on a sequence without gaps
  CHECK(w.recorder.started.size() == 2);
}
