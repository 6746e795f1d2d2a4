#include "limits/edge_code.hpp"

#include <catch2/catch.hpp>

using namespace vsim::limits;

TEST_CASE("edge code: a violation when the function failed of it, a warning when it went on") {
  const CodeRefused told{"new Function()", "app/t/route.js:3:25", true, false};
  const Verdict failed = edge_code::refused(told, "/t", "app/t/route.js");
  CHECK(failed.code == Code::sim_code_from_strings);
  CHECK(failed.enforced);
  CHECK(failed.route == "/t");
  CHECK(failed.file == "app/t/route.js:3:25");
  CHECK(failed.measured == "new Function() at app/t/route.js:3:25, which threw, and the function failed");

  const Verdict caught =
      edge_code::refused({"eval()", "lib/probe.js:1:1", false, false}, "/t", "app/t/route.js");
  CHECK_FALSE(caught.enforced);
  CHECK(caught.measured == "eval() at lib/probe.js:1:1, which threw; the function went on and answered");
}

TEST_CASE(
    "edge code: where the place is not known it is the function's file, and middleware is no function") {
  CHECK(edge_code::refused({"eval()", "", true, false}, "/t", "app/t/route.js").file == "app/t/route.js");
  const Verdict m = edge_code::refused({"eval()", "", true, true}, "/t", "app/t/route.js");
  CHECK(m.route == "middleware");
  CHECK(m.file.empty());
}
