#include "limits/instance_end.hpp"

#include <catch2/catch.hpp>

#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::limits;
using namespace vsim::test;

TEST_CASE("instance end: the cause of death is named as it was told, with the instance that died") {
  const auto seen = [](std::string_view instance, std::string_view cause) {
    return instance_end::lost({Code::function_invocation_failed, std::string(cause)}, instance, "/a", "a.ts")
        .measured;
  };
  CHECK(seen("i3", "process.exit(1)") == "instance i3: process.exit(1)");
  CHECK(seen("i3", "") == "instance i3 ended");
  CHECK(seen("", "out of memory") == "out of memory");
  const auto cut = [](instance_end::Begun begun) {
    return instance_end::lost({Code::function_invocation_failed, "exit"}, "i3", "/a", "a.ts", begun).measured;
  };
  CHECK(cut(instance_end::Begun::answer) == "instance i3: exit; its answer had begun and was cut off");
  CHECK(cut(instance_end::Begun::socket) == "instance i3: exit; its WebSocket was cut off");
  const Verdict init = instance_end::lost({Code::function_invocation_timeout, "10s"}, "i3", "/a", "a.ts");
  CHECK(init.fix.find("modules") != std::string::npos);
  CHECK(init.enforced);
}

TEST_CASE("instance end: one that a person has ended is told as that, and is no violation") {
  const Verdict asked = instance_end::lost(
      {Code::function_invocation_failed, "killed because somebody asked for it", true}, "i3", "/a", "a.ts");
  CHECK(asked.measured == "instance i3: killed because somebody asked for it");
  CHECK_FALSE(asked.enforced);
  CHECK(asked.fix.find("has not crashed") != std::string::npos);
}

TEST_CASE("instance end: one that was never placed says why, and for how long it had waited") {
  const auto seen = [](Code code, Duration waited) {
    return instance_end::not_placed(code, waited, "/a", "a.ts").measured;
  };
  CHECK(seen(Code::function_throttled, 0s) == "too many wait for an instance");
  CHECK(seen(Code::function_throttled, 1500ms) == "too many wait for an instance, waited 1.50s");
  CHECK(seen(Code::infinite_loop_detected, 0s) == "requests of the app to itself, one inside the other");
  CHECK(seen(Code::function_invocation_failed, 3s) ==
        "no instance starts: see its output above, waited 3.00s");
  CHECK(seen(Code::function_invocation_timeout, 3s) == "waited 3.00s");
}
