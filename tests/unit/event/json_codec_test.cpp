#include "event/json_codec.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "event/fields.hpp"
#include "profile/profile.hpp"
#include "unit/limits/golden.hpp"

using namespace vsim;
using namespace vsim::event;
using namespace std::chrono_literals;

namespace {

const Stamp kStamp{7, TimePoint(12s + 345678901ns), WallTime{1'795'381'445'123}};

std::string line(const Event& e, const Stamp& stamp = kStamp) {
  std::string out;
  encode(out, stamp, e);
  return out;
}
// What is decoded must be written the same again: encode ∘ decode is the identity on lines.
void check_round_trip(const std::string& text) {
  const auto decoded = decode(text);
  INFO(text);
  if (!decoded) FAIL(decoded.error().message);
  std::string again;
  encode(again, decoded->stamp(), decoded->event());
  CHECK(again == text);
}

profile::Provenance provenance() {
  return {"hobby", "profiles/hobby.yaml", 21, "https://vercel.com/docs/limits", "2026-08-03",
          "DOC",   "a \"note\""};
}

InvocationEnded ended(const std::vector<limits::Verdict>& verdicts) {
  InvocationEnded e;
  e.id = static_cast<InvocationId>((5ull << 20) | 3);
  e.request_id = "dev1::46n92-1753107905195-02e151215b22";
  e.method = "GET";
  e.target = "/api/slow?ms=20000&token=s3cret";
  e.status = 504;
  e.route = "/api/slow";
  e.file = "app/api/slow/route.ts";
  e.kind = "app_route";
  e.runtime = "nodejs";
  e.total = 12s + 345678901ns;
  e.charged = 10s;
  e.compile = 2345ms;
  e.instance = "i3";
  e.start = "cold";
  e.waited = 412500us;
  e.init = 88ms;
  e.own_requests = 1500ms;
  e.first_byte = 750ms;
  e.limit = 10s;
  e.bytes_in = 18'446'744'073'709'551'615u;
  e.bytes_out = 66;
  e.outcome = {EndedBy::platform, Phase::running, limits::Code::function_invocation_timeout};
  e.client_left = true;
  e.verdicts = verdicts;
  return e;
}

std::vector<limits::Verdict> verdicts(const profile::Provenance& from) {
  limits::Verdict v;
  v.code = limits::Code::function_invocation_timeout;
  v.limit_key = "duration.default";
  v.limit = "10s";
  v.measured = "10.0s";
  v.provenance = &from;
  v.route = "/api/slow";
  v.file = "app/api/slow/route.ts:3";
  v.fix = "Write `export const maxDuration = 60`.";
  limits::Verdict w;
  w.code = limits::Code::sim_polling_false_pass;
  w.enforced = false;
  return {v, w};
}

const std::vector<ValueChange> kChanges = {{"isolation", "invocation", "fluid"}, {"time_scale", "1", "2"}};

InvocationEnded asked_by_a_page() {
  InvocationEnded e;
  e.request_id = "dev1::y";
  e.method = "GET";
  e.target = "/ws";
  e.traffic = Traffic::socket;
  e.status = 404;
  e.outcome = {EndedBy::platform, Phase::request, limits::Code::sim_websocket_refused};
  e.origin = "http://localhost:3000";
  return e;
}

std::vector<Event> one_of_each(const std::vector<limits::Verdict>& list) {
  InvocationEnded plain;
  plain.request_id = "dev1::x";
  plain.method = "GET";
  plain.target = "/";
  plain.traffic = Traffic::direct;
  plain.status = 200;
  return {
      RunStarted{"0.1.0", "http://localhost:3000", "hobby", "2026-08-24", "next dev (16.4.6)", "none", 60},
      ProfileChanged{"pro-fluid", "2026-08-24", "pro", "fluid", 2, kChanges},
      Deployed{2, "dpl_vercelsim2", 2, 1, 3},
      DeploymentMet{2, static_cast<InvocationId>(1u << 20), "/api/x", true, Fate::reconnected, 2s, 400ms},
      DeploymentMet{2, static_cast<InvocationId>(1u << 20), "/api/x", false, Fate::lost, 2s},
      DeploymentScored{2, 2, 1, 1, 0, 1, 1, 0, 400ms},
      AppChanged{AppState::ready, "in 1.2 s"},
      InvocationStarted{static_cast<InvocationId>(1u << 20), "dev1::abc", "POST", "/api/x?code=1"},
      InvocationRunning{static_cast<InvocationId>(1u << 20), "/api/x", "app/api/x/route.ts", "i3", "cold",
                        10s},
      RouteCompiled{"/api/x", 1500us},
      SocketOpened{static_cast<InvocationId>(1u << 20), "dev1::abc", "/ws", "i4"},
      BytesPassed{static_cast<InvocationId>(1u << 20), 1500ms, 200ms, "..ob...i"},
      ended(list),
      plain,
      asked_by_a_page(),
      Notice{Level::warning, "SIM_MAX_DURATION_OVER_PLAN", "maxDuration 300 is over the plan", "Lower it.",
             "vercel.json", 4},
      InstanceChanged{"i3", "leased", "dead", "/api/slow", "deadline", "killed by SIGKILL", 104'857'600,
                      4242},
      InstanceChanged{"i4", "", "spawning", "", "", "", 0, 4243, "fork+evaluate"},
      InstanceChanged{"i4", "binding", "bound", "/api/x", "", "", 0, 4243, "", "Date.now() by lib/x.ts:1:2"},
      BackgroundWork{static_cast<InvocationId>((5ull << 20) | 3), "dev1::bg", "/api/late",
                     "app/api/late/route.ts", "i3", list},
      CommandRun{"npx playwright test", false},
      CommandRun{"npx playwright test", true, 1},
      Notice{Level::info, "", "line\nbreak, \"quotes\" and caf\xc3\xa9", "", "", 0},
      RunStopped{"SIGINT", 130}};
}

}  // namespace

TEST_CASE("one line of each kind of event, as published") {
  const auto from = provenance();
  const auto list = verdicts(from);
  std::string all;
  Stamp stamp = kStamp;
  for (const Event& e : one_of_each(list)) {
    encode(all, stamp, e);
    ++stamp.seq;
    stamp.at += 1ms;
    stamp.wall.unix_ms += 1;
  }
  test::check_golden("events/one_of_each.jsonl", all);
}

TEST_CASE("every kind of event survives writing and reading") {
  const auto from = provenance();
  const auto list = verdicts(from);
  std::vector<bool> seen(std::variant_size_v<Event>);
  for (const Event& e : one_of_each(list)) {
    seen[e.index()] = true;
    check_round_trip(line(e));
  }
  for (const bool s : seen) CHECK(s);
}

TEST_CASE("a decoded event says what the written one said") {
  const auto from = provenance();
  const auto list = verdicts(from);
  auto decoded = decode(line(ended(list)));
  REQUIRE(decoded);
  const OwnedEvent moved = std::move(*decoded);  // views survive a move
  CHECK(moved.stamp().seq == 7);
  CHECK(moved.stamp().at == kStamp.at);
  CHECK(moved.stamp().wall.unix_ms == kStamp.wall.unix_ms);
  const auto& e = std::get<InvocationEnded>(moved.event());
  CHECK(e.id == static_cast<InvocationId>((5ull << 20) | 3));
  CHECK(e.target == "/api/slow?ms=20000&token=***");
  CHECK(e.total == 12s + 345678901ns);
  CHECK(e.bytes_in == 18'446'744'073'709'551'615u);
  CHECK(e.outcome.code == limits::Code::function_invocation_timeout);
  CHECK(e.outcome.phase == Phase::running);
  CHECK(e.client_left);
  CHECK(e.instance == "i3");
  CHECK(e.start == "cold");
  CHECK(e.waited == 412500us);
  CHECK(e.init == 88ms);
  REQUIRE(e.verdicts.size() == 2);
  CHECK(e.verdicts[0].fix == list[0].fix);
  REQUIRE(e.verdicts[0].provenance != nullptr);
  CHECK(e.verdicts[0].provenance->line == 21);
  CHECK(e.verdicts[0].provenance->note == "a \"note\"");
  CHECK(e.verdicts[1].provenance == nullptr);
  CHECK_FALSE(e.verdicts[1].enforced);
}

TEST_CASE("all words of all vocabularies survive") {
  InvocationEnded e;
  for (int by = 0; by <= static_cast<int>(EndedBy::emulator); ++by)
    for (int phase = 0; phase <= static_cast<int>(Phase::tunnel); ++phase)
      for (int traffic = 0; traffic <= static_cast<int>(Traffic::socket); ++traffic) {
        e.outcome = {static_cast<EndedBy>(by), static_cast<Phase>(phase), limits::Code::none};
        e.traffic = static_cast<Traffic>(traffic);
        check_round_trip(line(e));
      }
  for (int code = 0; code < static_cast<int>(limits::Code::kCount); ++code) {
    e.outcome.code = static_cast<limits::Code>(code);
    check_round_trip(line(e));
  }
  for (int s = 0; s <= static_cast<int>(AppState::stopped); ++s)
    check_round_trip(line(AppChanged{static_cast<AppState>(s), ""}));
  for (int l = 0; l <= static_cast<int>(Level::error); ++l)
    check_round_trip(line(Notice{static_cast<Level>(l), "", "m", "", "", 0}));
}

TEST_CASE("durations are exact to the nanosecond, dates right over leap years and centuries") {
  for (const Duration d :
       {Duration(0), Duration(1), Duration(999'999), Duration(1'000'000), Duration(1'500'000), Duration(-1),
        Duration(-2'000'001), Duration::max(), Duration(123'456'789'012'345)})
    check_round_trip(line(RouteCompiled{"/", d}));
  const std::pair<std::int64_t, const char*> dates[] = {{0, "1970-01-01T00:00:00.000Z"},
                                                        {951'782'399'999, "2000-02-28T23:59:59.999Z"},
                                                        {951'782'400'000, "2000-02-29T00:00:00.000Z"},
                                                        {1'709'164'800'000, "2024-02-29T00:00:00.000Z"},
                                                        {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},
                                                        {-1, "1969-12-31T23:59:59.999Z"}};
  for (const auto& [ms, text] : dates) {
    const std::string out = line(RouteCompiled{"/", 1ms}, {1, TimePoint{}, WallTime{ms}});
    CHECK(out.find(std::string("\"time\":\"") + text + "\"") != std::string::npos);
    check_round_trip(out);
  }
}

TEST_CASE("at_ms counts from the start that is given") {
  std::string out;
  encode(out, {1, TimePoint(5s), {}}, RouteCompiled{"/", 1ms}, TimePoint(3s));
  CHECK(out.find("\"at_ms\":2000,") != std::string::npos);
}

TEST_CASE("whatever bytes a target holds, the line is valid JSON and one line") {
  Rng rng(42);
  for (int i = 0; i < 500; ++i) {
    std::string target = "/";
    for (std::uint64_t n = rng.next() % 40; n > 0; --n)
      target += static_cast<char>(rng.next() % 3 == 0 ? "?&=%\"\\\n"[rng.next() % 7]
                                                      : static_cast<char>(rng.next()));
    const std::string out = line(InvocationStarted{InvocationId::none, "r", "GET", target});
    CHECK(out.find('\n') == out.size() - 1);
    check_round_trip(out);
  }
}

TEST_CASE("secrets in a target never reach the line") {
  const std::pair<const char*, const char*> rows[] = {
      {"/cb?code=4/abc&state=x", "/cb?code=***&state=***"},
      {"/x?access_token=a&b=1", "/x?access_token=***&b=1"},
      {"/x?api_key=a&apiKey=b&API-KEY=c&key=d", "/x?api_key=***&apiKey=***&API-KEY=***&key=***"},
      {"/x?X-Amz-Signature=a&X-Amz-Credential=b&X-Amz-Date=c",
       "/x?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=c"},
      {"/x?password=a&passwd=b&pwd=c&client_secret=d",
       "/x?password=***&passwd=***&pwd=***&client_secret=***"},
      {"/x?auth=a&Authorization=b&oauth_verifier=c&sig=d&jwt=e",
       "/x?auth=***&Authorization=***&oauth_verifier=***&sig=***&jwt=***"},
      {"/x?%74oken=a&to%6Ben=b", "/x?%74oken=***&to%6Ben=***"},
      {"/x?a=1&token=", "/x?a=1&token="},
      {"/x?token", "/x?token"},
      {"/x?token=a=b&&c=1", "/x?token=***&&c=1"},
      {"/x?user[password]=a&hash%5Bauth%5D=b", "/x?user[password]=***&hash%5Bauth%5D=***"},
      {"/x?keyboard=a&author=b&zipcode=c&monkey=d&encoded=e&design=f",
       "/x?keyboard=a&author=b&zipcode=c&monkey=d&encoded=e&design=f"},
      {"/token=abc", "/token=abc"},
  };
  for (const auto& [target, masked] : rows) {
    std::string expected = "\"target\":";
    append_json_string(expected, masked);
    for (const Event& e : {Event(InvocationStarted{InvocationId::none, "r", "GET", target}),
                           Event(SocketOpened{InvocationId::none, "r", target})})
      CHECK_THAT(line(e), Catch::Contains(expected));
  }
}

TEST_CASE("encoding into a string with room allocates nothing") {
  std::string out;
  out.reserve(4096);
  const char* before = out.data();
  for (int i = 0; i < 3; ++i)
    encode(out, kStamp, InvocationStarted{InvocationId::none, "dev1::abc", "GET", "/x?token=abc"});
  encode(out, kStamp, InstanceChanged{"i3", "leased", "idle", "/api/x", "", "", 104'857'600, 4242});
  CHECK(out.data() == before);
}

TEST_CASE("fields that are unknown are ignored, fields that are missing keep their defaults") {
  auto e = decode(R"({"new":[1,{"x":null}],"t":"run_started","version":"9"})");
  REQUIRE(e);
  CHECK(std::get<RunStarted>(e->event()).version == "9");
  CHECK(std::get<RunStarted>(e->event()).time_scale == 1);
  e = decode(R"( {"t":"notice" , "message":"\u00e9\ud83d\ude00\ud83d x"} )");
  REQUIRE(e);
  CHECK(std::get<Notice>(e->event()).message == "\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd x");
}

TEST_CASE("a line that is no event says what is wrong with it") {
  const std::pair<const char*, const char*> rows[] = {
      {"", "not JSON: unexpected end at byte 1"},
      {"{\"t\":\"notice\"", "not JSON: '}' is missing at byte 14"},
      {"[]", "an event is a JSON object"},
      {"{}", "\"t\", the type of the event, is missing"},
      {R"({"t":"dance"})", "unknown event type \"dance\""},
      {R"({"t":5})", "\"t\": expected a string"},
      {R"({"t":"notice","line":"x"})", "\"line\": expected a number"},
      {R"({"t":"notice","line":1.5})", "\"line\": expected a number in range"},
      {R"({"t":"notice","line":99999999999})", "\"line\": expected a number in range"},
      {R"({"t":"notice","seq":-1})", "\"seq\": expected a number in range"},
      {R"({"t":"notice","time":"yesterday"})", "\"time\": expected a time such as 2026-11-22T21:04:05.123Z"},
      {R"({"t":"notice","time":"2026-02-29T00:00:00.000Z"})",
       "\"time\": expected a time such as 2026-11-22T21:04:05.123Z"},
      {R"({"t":"invocation_ended","phase":"sleeping"})",
       "\"phase\": expected one of the words of docs/events.md"},
      {R"({"t":"invocation_ended","code":"NO_SUCH_CODE"})", "\"code\": expected a known code"},
      {R"({"t":"invocation_ended","total_ms":1e3})", "\"total_ms\": expected milliseconds"},
      {R"({"t":"invocation_ended","verdicts":{}})", "\"verdicts\": expected a list"},
      {R"({"t":"notice"} x)", "not JSON: something follows the value at byte 16"},
      {"{\"t\":\"no\ntice\"}", "not JSON: control character in a string at byte 9"},
      {R"({"t":01})", "not JSON: '}' is missing at byte 7"},
  };
  for (const auto& [text, message] : rows) {
    const auto e = decode(text);
    INFO(text);
    REQUIRE_FALSE(e);
    CHECK(e.error().message == message);
  }
}

TEST_CASE("deep nesting and cut lines are errors, never a crash") {
  CHECK_FALSE(decode(std::string(100'000, '[')));
  const auto from = provenance();
  const auto list = verdicts(from);
  const std::string whole = line(ended(list));
  for (std::size_t n = 0; n + 2 < whole.size(); ++n)
    CHECK_FALSE(decode(std::string_view(whole).substr(0, n)));
  Rng rng(3);
  for (int i = 0; i < 2000; ++i) {
    std::string broken = whole;
    broken[rng.next() % broken.size()] = static_cast<char>(rng.next());
    if (const auto e = decode(broken)) {
      std::string again;
      encode(again, e->stamp(), e->event());
      check_round_trip(again);
    }
  }
}

TEST_CASE("an event of somebody's file is written again as one line, whatever its request id says") {
  for (const char* type : {"invocation_started", "invocation_ended", "socket_opened", "background_work"}) {
    const auto got = decode(std::string(R"({"t":")") + type +
                            R"(","seq":1,"request_id":"a\n\"}</script>","method":"GET","target":"/"})");
    REQUIRE(got.ok());
    std::string out;
    encode(out, got->stamp(), got->event());
    INFO(out);
    CHECK(out.find('\n') == out.size() - 1);
    CHECK(out.find(R"("request_id":"a\n\"}</script>")") != std::string::npos);
  }
}

TEST_CASE("every word of the vocabularies is different and not empty") {
  CHECK(to_string(EndedBy::app) == "app");
  CHECK(to_string(Phase::tunnel) == "tunnel");
  CHECK(to_string(Traffic::prerender) == "prerender");
  CHECK(to_string(AppState::crashed) == "crashed");
  CHECK(to_string(Level::warning) == "warning");
}

namespace {

// Collects the names of all fields, lists and objects in them too.
struct Names {
  std::vector<std::string_view>& out;
  void always(std::string_view key, const auto& value) { add(key, value); }
  void unless_empty(std::string_view key, const auto& value) { add(key, value); }
  void when(bool, std::string_view key, const auto& value) { add(key, value); }
  void masked(std::string_view key, std::string_view value) { add(key, value); }

 private:
  template <class T>
  void add(std::string_view key, const T&) {
    out.push_back(key);
    if constexpr (std::is_same_v<T, std::span<const limits::Verdict>>) {
      inner(limits::Verdict{});
      inner(profile::Provenance{});
    } else if constexpr (std::is_same_v<T, std::span<const ValueChange>>) {
      inner(ValueChange{});
    }
  }
  void inner(const auto& one) { fields(one, *this); }
};

template <class... E>
void each_kind(const std::variant<E...>&, auto&& visit) {
  (visit(E{}), ...);
}

}  // namespace

TEST_CASE("docs/events.md has every type of event, and names every field that can be written") {
  std::ifstream in(std::string(VSIM_SOURCE_DIR) + "/docs/events.md");
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  const std::string docs = text.str();
  each_kind(Event{}, [&]<class E>(const E& one) {
    CAPTURE(kTypeOf<E>);
    CHECK(docs.find("## `" + std::string(kTypeOf<E>) + "`") != std::string::npos);
    std::vector<std::string_view> names;
    Names visitor{names};
    fields(one, visitor);
    for (const std::string_view name : names) {
      CAPTURE(name);
      CHECK(docs.find("`" + std::string(name) + "`") != std::string::npos);
    }
  });
}
