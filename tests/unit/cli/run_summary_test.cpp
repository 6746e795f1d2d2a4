// What `run` says when it ends.
#include "cli/run_summary.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

namespace vsim::cli {
namespace {

using namespace std::chrono_literals;

struct Told {
  RunSummary summary;
  event::Stamp stamp;

  Told() { summary.on_event(stamp, event::RunStarted{}); }

  void ended(std::string_view route, std::string_view target, std::vector<limits::Code> codes = {},
             event::Traffic traffic = event::Traffic::invocation, std::string_view kind = {},
             int status = 200) {
    std::vector<limits::Verdict> verdicts(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) verdicts[i].code = codes[i];
    event::InvocationEnded e;
    e.method = "GET";
    e.route = route;
    e.target = target;
    e.traffic = traffic;
    e.kind = kind;
    e.status = status;
    e.verdicts = verdicts;
    stamp.at += 1s;
    summary.on_event(stamp, e);
  }
};

TEST_CASE("Summary of a run: nothing was asked, nothing is said") {
  Told told;
  told.ended("", "/_next/static/x.js", {}, event::Traffic::internal);
  told.ended("", "/logo.svg", {}, event::Traffic::direct);
  CHECK(told.summary.text("").empty());
}

TEST_CASE("Summary of a run: a request that middleware let pass is one request, as is one that it answered") {
  Told told;
  told.ended("middleware", "/api/ok", {}, event::Traffic::invocation, "middleware");
  told.ended("/api/ok", "/api/ok");
  told.ended("middleware", "/old", {}, event::Traffic::invocation, "middleware", 307);
  told.ended("", "/old", {}, event::Traffic::direct);
  CHECK(told.summary.text("").starts_with("\n2 requests to 2 routes in "));
}

TEST_CASE("Summary of a run: requests, violations and warnings, by route, the most told first") {
  Told told;
  told.ended("/api/ok", "/api/ok?x=1");
  told.ended("/api/slow", "/api/slow", {limits::Code::function_invocation_timeout});
  told.ended("/api/slow", "/api/slow", {limits::Code::function_invocation_timeout});
  told.ended("", "/ws?token=1", {limits::Code::sim_websocket_refused});
  limits::Verdict left;
  left.code = limits::Code::sim_background_work_frozen;
  left.enforced = false;
  event::BackgroundWork work;
  work.route = "/api/ok";
  work.verdicts = {&left, 1};
  told.summary.on_event(told.stamp, work);

  CHECK(told.summary.text("") ==
        "\n4 requests to 3 routes in 4.00s: 3 violations, 1 warning\n"
        "  /api/slow  2 requests  ✗ FUNCTION_INVOCATION_TIMEOUT 2 times\n"
        "  /api/ok  1 request  ! SIM_BACKGROUND_WORK_FROZEN once\n"
        "  /ws  1 request  ✗ SIM_WEBSOCKET_REFUSED once\n"
        "  vercel-sim explain CODE says more; run with --events FILE, and `vercel-sim report FILE --html "
        "report.html` makes a page of it\n");
  CHECK(told.summary.text("e.jsonl").ends_with(
      "  vercel-sim report e.jsonl --html report.html makes a page of it\n"));
  CHECK(told.summary.text("-").find("vercel-sim report") == std::string::npos);
}

TEST_CASE("Summary of a run: a route for each address does not fill the memory") {
  Told told;
  for (int i = 0; i < 5000; ++i) told.ended("", fmt::format("/{}", i), {limits::Code::sim_websocket_refused});
  const std::string text = told.summary.text("");
  CHECK(text.starts_with("\n5000 requests to more than 200 routes in "));
  CHECK(text.find("  other routes  4800 requests  ✗ SIM_WEBSOCKET_REFUSED 4800 times\n") !=
        std::string::npos);
  CHECK(text.find("  and 189 more routes\n") != std::string::npos);
}

}  // namespace
}  // namespace vsim::cli
