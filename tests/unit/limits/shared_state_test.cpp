#include "limits/shared_state.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using namespace vsim::test;

TEST_CASE(
    "shared state: a 400 to an Engine.IO session, over whichever transport, is one that is unknown there") {
  using shared_state::session_unknown;
  CHECK(session_unknown("/socket.io/?EIO=4&transport=polling&sid=abc", 400));
  CHECK(session_unknown("/api/socket?sid=abc&transport=websocket&EIO=4", 400));
  CHECK_FALSE(session_unknown("/socket.io/?EIO=4&transport=polling&sid=abc", 200));
  CHECK_FALSE(session_unknown("/socket.io/?EIO=4&transport=polling", 400));  // the handshake itself
  CHECK_FALSE(session_unknown("/socket.io/?EIO=4&transport=polling&sid=", 400));
  CHECK_FALSE(session_unknown("/api/x?sid=abc", 400));  // somebody else's sid
  CHECK_FALSE(session_unknown("/api/x", 400));
}

TEST_CASE("shared state: only where no instance is used twice is it called the worst case") {
  const auto p = make_profile();
  for (const auto isolation :
       {profile::Isolation::invocation, profile::Isolation::instance, profile::Isolation::fluid}) {
    const Verdict v = shared_state::verdict(p, isolation, "seen", "/a", "a.ts");
    CHECK(v.code == Code::sim_state_not_shared);
    CHECK(v.measured == "seen");
    CHECK(v.provenance == &p.isolation.from);
    CHECK(v.route == "/a");
    CHECK(v.file == "a.ts");
    const bool worst = isolation == profile::Isolation::invocation;
    CHECK(v.fix.starts_with("This is the worst case") == worst);
    CHECK(v.fix.ends_with(info(v.code).fix) == worst);
  }
}
