// A recording beside its replay: what counts as broken, and the texts that say so.
#include "replay/compare.hpp"

#include <catch2/catch.hpp>

#include "event/json_value.hpp"

using namespace vsim;
using namespace vsim::replay;
using limits::Code;

namespace {

RecordedOutcome outcome(int status, std::vector<Code> codes = {}) {
  RecordedOutcome o;
  o.status = status;
  o.codes = std::move(codes);
  return o;
}
RecordedOutcome at(std::string route, RecordedOutcome o) {
  o.route = std::move(route);
  return o;
}
Met met(RecordedOutcome o) { return {std::move(o), {}, {}}; }

Recording recording() {
  Recording out;
  out.about.profile = "hobby-fluid";
  out.about.profile_as_of = "2026-09-20";
  out.ended = true;
  const auto add = [&](std::string method, std::string target, RecordedOutcome o) {
    RecordedRequest r;
    r.n = out.requests.size() + 1;
    r.method = std::move(method);
    r.target = std::move(target);
    r.outcome = std::move(o);
    out.requests.push_back(std::move(r));
  };
  add("GET", "/", outcome(200));
  add("POST", "/api/slow?ms=3000&token=x", at("/api/slow", outcome(200)));
  add("POST", "/api/slow?ms=1", at("/api/slow", outcome(200)));
  add("GET", "/api/crash", at("/api/crash", outcome(500, {Code::function_invocation_failed})));
  add("GET", "/api/me", at("/api/me", outcome(200)));
  add("GET", "/api/socket", outcome(101));
  return out;
}
std::vector<Met> on_hobby() {
  return {met(outcome(200)),
          met(at("/api/slow", outcome(504, {Code::function_invocation_timeout}))),
          {at("/api/slow", outcome(200)), {}, {"cookie session as POST /login (request 1) set it this time"}},
          met(at("/api/crash", outcome(200))),
          met(at("/api/me", outcome(401))),
          {std::nullopt, "a WebSocket: what was said on it is not in the recording", {}}};
}

}  // namespace

TEST_CASE("compare: every pair of endings has its word") {
  const RecordedOutcome ok = outcome(200), slow = outcome(504, {Code::function_invocation_timeout}),
                        own = outcome(500);
  CHECK(compare(ok, met(ok)) == Change::same);
  CHECK(compare(ok, met(outcome(304))) == Change::same);
  CHECK(compare(ok, met(outcome(404))) == Change::differs);
  CHECK(compare(outcome(404), met(outcome(404))) == Change::same);
  CHECK(compare(ok, met(slow)) == Change::broke);
  CHECK(compare(ok, met(own)) == Change::broke);
  CHECK(compare(slow, met(ok)) == Change::mended);
  CHECK(compare(slow, met(slow)) == Change::same);
  CHECK(compare(slow, met(own)) == Change::other);
  CHECK(compare(own, met(own)) == Change::same);
  CHECK(compare(ok, Met{}) == Change::not_sent);
  // A stream that was cut at its limit keeps its 200.
  CHECK(compare(ok, met(outcome(200, {Code::function_invocation_timeout}))) == Change::broke);
  // Not the app's doing, as in every verdict.
  CHECK(compare(ok, met(outcome(200, {Code::sim_not_ready}))) == Change::same);
  // A client that left before the head saw no status.
  RecordedOutcome left = outcome(0);
  left.left = std::chrono::seconds(1);
  CHECK(compare(left, met(outcome(200))) == Change::same);
  RecordedOutcome cut = outcome(200);
  cut.ended_by = event::EndedBy::app;
  CHECK(compare(ok, met(cut)) == Change::broke);
  CHECK(word_for(cut) == "200, cut short");
}

TEST_CASE("compare: what a person reads of one profile") {
  const Recording r = recording();
  CHECK(render_comparison(r, make_replayed(r, "hobby", on_hobby())) ==
        R"(6 requests recorded on hobby-fluid (as of 2026-09-20), replayed on hobby

broke: had worked in the recording
  ✗ POST /api/slow  ok -> FUNCTION_INVOCATION_TIMEOUT  (#2)

mended: had been broken in the recording
  ✓ GET /api/crash  FUNCTION_INVOCATION_FAILED -> ok  (#4)

another status, without a limit: what the app remembers may be other than when it was recorded
  - GET /api/me  200 -> 401  (#5)

not sent again
  - GET /api/socket  (#6)
      a WebSocket: what was said on it is not in the recording

sent with a change
  - cookie session as POST /login (request 1) set it this time  (#3)

1 broke, 1 mended, 2 the same, 1 with another status, 1 not sent
)");
}

TEST_CASE("compare: the table of several profiles") {
  const Recording r = recording();
  std::vector<Replayed> all;
  all.push_back(make_replayed(r, "hobby", on_hobby()));
  auto good = on_hobby();
  good[1] = met(at("/api/slow", outcome(200)));
  all.push_back(make_replayed(r, "pro", good));
  all.push_back(make_replayed(r, "broken", {}));
  CHECK(render_table(r, all) ==
        R"(6 requests recorded on hobby-fluid (as of 2026-09-20)

  request             recorded                    hobby                            pro       broken
  GET /               ok                          ok                               ok        did not run
  POST /api/slow (2)  ok                          FUNCTION_INVOCATION_TIMEOUT 1/2  ok        did not run
  GET /api/crash      FUNCTION_INVOCATION_FAILED  ok                               ok        did not run
  GET /api/me         ok                          ok 401                           ok 401    did not run
  GET /api/socket     ok                          not sent                         not sent  did not run

not sent again
  - GET /api/socket  (#6)
      a WebSocket: what was said on it is not in the recording

hobby   1 broke, 1 mended, 2 the same, 1 with another status, 1 not sent
pro     0 broke, 1 mended, 3 the same, 1 with another status, 1 not sent
broken  did not run
)");
}

TEST_CASE("compare: a table that would be too wide has its codes below") {
  const Recording r = recording();
  std::vector<Replayed> all;
  for (const char* name : {"hobby", "pro", "enterprise"}) all.push_back(make_replayed(r, name, on_hobby()));
  const std::string text = render_table(r, all);
  CHECK_THAT(text, Catch::Contains("  POST /api/slow (2)  ok        [1] 1/2   [1] 1/2   [1] 1/2\n"));
  CHECK_THAT(text, Catch::Contains("\n  [1] FUNCTION_INVOCATION_TIMEOUT\n"));
}

TEST_CASE("compare: JSON is valid, with every request and its secrets masked") {
  const Recording r = recording();
  std::vector<Replayed> all;
  all.push_back(make_replayed(r, "hobby", on_hobby()));
  all[0].report = "{\"schema\":\"x\"}\n";
  const auto value = event::parse_json(render_json(r, all));
  REQUIRE(value);
  CHECK(value->find("schema")->text == "vercel-sim-replay-1");
  const auto& profile = value->find("profiles")->items.at(0);
  CHECK(profile.find("counts")->find("broke")->text == "1");
  CHECK(profile.find("report")->find("schema")->text == "x");
  const auto& requests = profile.find("requests")->items;
  REQUIRE(requests.size() == 6);
  CHECK(requests[1].find("target")->text == "/api/slow?ms=3000&token=***");
  CHECK(requests[1].find("change")->text == "broke");
  CHECK(requests[1].find("replayed")->find("codes")->items.at(0).text == "FUNCTION_INVOCATION_TIMEOUT");
  CHECK(requests[5].find("why_not") != nullptr);
  CHECK(requests[5].find("replayed") == nullptr);
}
