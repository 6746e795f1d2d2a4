#include "agent/secrets.hpp"

#include <catch2/catch.hpp>

using namespace vsim::agent;

// The values are of `createHmac('sha256', 't0k')` in Node, as src/agent/dev/bundler-host.cjs derives them.
TEST_CASE("Secrets: an instance's is its own, and next dev derives the same") {
  CHECK(instance_secret("t0k", 7) == "7343bb69f01b4276443db93418cbd320");
  CHECK(instance_secret("t0k", 8) != instance_secret("t0k", 7));
  CHECK(instance_secret("t0l", 7) != instance_secret("t0k", 7));
}

TEST_CASE("Secrets: the mark of an invocation names it alone") {
  CHECK(call_mark("t0k", 18446744073709551615u) == "832f3914cdd1209a");
  CHECK(parse_call("832f3914cdd1209a.18446744073709551615", "t0k") == 18446744073709551615u);
  CHECK(parse_call(call_mark("t0k", 5) + ".5", "t0k") == 5);
  CHECK(parse_call(call_mark("t0k", 5) + ".6", "t0k") == 0);
  CHECK(parse_call(call_mark("", 5) + ".5", "") == 0);
  for (const char* value :
       {"", ".", "t0k.5", "832f3914cdd1209a", "832f3914cdd1209a.", "832f3914cdd1209a.18446744073709551615 ",
        "832f3914cdd1209a.-1", "832f3914cdd1209a.99999999999999999999"})
    CHECK(parse_call(value, "t0k") == 0);
}
