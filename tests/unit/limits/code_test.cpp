#include "limits/code.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace vsim::limits;

TEST_CASE("every code has a name of its own, words for a person, and a place where the rule is written") {
  std::set<std::string_view> names;
  for (int i = 1; i < static_cast<int>(Code::kCount); ++i) {
    const CodeInfo& row = info(static_cast<Code>(i));
    INFO(row.name);
    CHECK(static_cast<int>(row.code) == i);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.title.empty());
    CHECK_FALSE(row.title.ends_with('.'));
    CHECK(row.why.ends_with('.'));
    CHECK(row.fix.ends_with('.'));
    CHECK(row.source.starts_with("https://"));
    CHECK((row.status == 0 || (row.status >= 400 && row.status < 600)));
  }
}

TEST_CASE("statuses are those of Vercel's list of errors") {
  const std::pair<const char*, int> expected[] = {{"MALFORMED_REQUEST_HEADER", 400},
                                                  {"URL_TOO_LONG", 414},
                                                  {"REQUEST_HEADER_TOO_LARGE", 431},
                                                  {"INVALID_REQUEST_METHOD", 405},
                                                  {"FUNCTION_PAYLOAD_TOO_LARGE", 413},
                                                  {"FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE", 500},
                                                  {"FUNCTION_INVOCATION_TIMEOUT", 504},
                                                  {"EDGE_FUNCTION_INVOCATION_TIMEOUT", 504},
                                                  {"FUNCTION_INVOCATION_FAILED", 500},
                                                  {"NO_RESPONSE_FROM_FUNCTION", 502},
                                                  {"ROUTER_EXTERNAL_TARGET_CONNECTION_ERROR", 502},
                                                  {"FUNCTION_THROTTLED", 503},
                                                  {"INFINITE_LOOP_DETECTED", 508},
                                                  {"SIM_WEBSOCKET_REFUSED", 400},
                                                  {"SIM_NOT_READY", 503}};
  for (const auto& [name, status] : expected) {
    INFO(name);
    REQUIRE(find_code(name) != Code::none);
    CHECK(info(find_code(name)).status == status);
  }
}

TEST_CASE("a code is found by its name in any case, and nothing else is found") {
  CHECK(find_code("function_invocation_timeout") == Code::function_invocation_timeout);
  CHECK(find_code("Sim_WebSocket_Refused") == Code::sim_websocket_refused);
  CHECK(find_code("FUNCTION_INVOCATION") == Code::none);
  CHECK(find_code("") == Code::none);
}

TEST_CASE("the fixes for realtime name products a reader can go to") {
  for (const Code code :
       {Code::sim_websocket_refused, Code::sim_polling_false_pass, Code::function_invocation_timeout}) {
    const std::string_view fix = info(code).fix;
    for (const char* product : {"Ably", "Pusher", "Liveblocks", "Supabase Realtime", "Fluid"})
      CHECK(fix.find(product) != std::string_view::npos);
  }
}
