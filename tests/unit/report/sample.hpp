// A run that has something of everything, and texts that must be escaped.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "event/event.hpp"
#include "event/json_codec.hpp"
#include "profile/profile.hpp"
#include "report/collector.hpp"
#include "report/render.hpp"

namespace vsim::report::test {

using namespace std::chrono_literals;

inline const std::string kNasty = "/x/</script><img src=//evil.test>&\"'?token=s3cret&a=`|*";

class Sample {
 public:
  Sample() {
    using namespace event;
    live_.keep_events();
    limits::Verdict slow;
    slow.code = limits::Code::function_invocation_timeout;
    slow.limit_key = "duration.default";
    slow.limit = "10s";
    slow.measured = "10.0s";
    slow.provenance = &from_;
    slow.route = "/api/slow";
    slow.file = "app/api/slow/route.ts:3";
    limits::Verdict polling;
    polling.code = limits::Code::sim_polling_false_pass;
    polling.enforced = false;
    limits::Verdict late;
    late.code = limits::Code::sim_background_work_frozen;
    late.enforced = false;
    late.measured = "1 timer";
    slow_ = {slow};
    polling_ = {polling};
    late_ = {late};
    limits::Verdict nasty = slow;
    nasty.route = "/x/</script>";
    nasty.file = "app/x/<b>&\"'/page.tsx";
    nasty.fix = "Do ]]> not \x1b[31m\x01 do \xff this";
    nasty_ = {nasty};
    limits::Verdict away;
    away.code = limits::Code::router_external_target_connection_error;
    away_ = {away};

    tell(0ms, RunStarted{"0.1.0", "http://localhost:3000", "hobby", "2026-08-24", "next dev", "invocation"});
    tell(1ms, InstanceChanged{"i1", "", "spawning", "", "", "", 0, 4242});
    tell(500ms, InstanceChanged{"i1", "spawning", "spare"});
    tell(900ms, CommandRun{"npx playwright test", false});
    tell(1s, InstanceChanged{"i1", "spare", "leased", "/api/slow"});
    tell(1'080ms, InvocationRunning{static_cast<InvocationId>(1), "/api/slow", "app/api/slow/route.ts", "i1",
                                    "cold", 10s});
    ended(11'100ms, 1, "/api/slow?ms=20000", "/api/slow", "app/api/slow/route.ts", 504, 10s, slow_, "i1");
    tell(11'200ms, InstanceChanged{"i1", "leased", "dead", "/api/slow", "deadline", "killed by SIGKILL",
                                   104'857'600, 4242});
    ended(12s, 2, "/api/fast", "/api/fast", "app/api/fast/route.ts", 200, 5ms, {}, "i2");
    tell(12'500ms, BackgroundWork{static_cast<InvocationId>(2), "dev1::2", "/api/fast",
                                  "app/api/fast/route.ts", "i2", late_});
    ended(23s, 3, "/api/slow?ms=30000", "/api/slow", "app/api/slow/route.ts", 504, 10s, slow_, "i3");
    ended(24s, 4, "/socket.io/?EIO=4&transport=polling&sid=x", "", "", 200, 2ms, polling_, "");
    ended(25s, 5, kNasty, "/x/</script>", "app/x/<b>&\"'/page.tsx", 504, 10s, nasty_, "i4");
    ended(26s, 6, "/gone", "", "", 502, 0s, away_, "");
    direct(27s);
    tell(28s, event::Notice{Level::error, "SIM_MAX_DURATION_OVER_PLAN", "maxDuration 300 is over the plan",
                            "Lower it.", "vercel.json", 4});
    tell(28s, event::Notice{Level::warning, "", "something <else>", "Do it.", "next.config.js", 2});
    const std::vector<ValueChange> changes = {{"duration.default", "10s", "300s"}};
    tell(27'500ms, Deployed{2, "dpl_vercelsim2", 2, 1, 0});
    tell(27'900ms,
         DeploymentMet{2, static_cast<InvocationId>(9), "/api/ws", true, Fate::reconnected, 2s, 300ms});
    tell(28s, DeploymentScored{2, 2, 1, 1, 0, 0, 1, 1, 300ms});
    tell(28s, ProfileChanged{"hobby-fluid", "2026-08-24", "hobby", "fluid", 1, changes});
    tell(28'500ms, ProfileChanged{"hobby-fluid", "2026-08-24", "hobby-fluid", "fluid", 5});
    tell(29s, CommandRun{"npx playwright test", true, 1});
    tell(30s, RunStopped{"the command ended", 1});
  }

  const Run& live() const { return live_.run(); }
  const std::string& lines() const { return lines_; }

 private:
  void tell(Duration at, const event::Event& e) {
    const event::Stamp stamp{++seq_, TimePoint(5s + at),
                             WallTime{1'795'381'445'123 + at / std::chrono::milliseconds(1)}};
    live_.on_event(stamp, e);
    event::encode(lines_, stamp, e, TimePoint(4s));  // the recording counts from another moment
  }
  void ended(Duration at, std::uint64_t id, const std::string& target, std::string_view route,
             std::string_view file, int status, Duration charged,
             const std::vector<limits::Verdict>& verdicts, std::string_view instance) {
    event::InvocationEnded e;
    const std::string request_id = "dev1::" + std::to_string(id);
    e.id = static_cast<InvocationId>(id);
    e.request_id = request_id;
    e.method = "GET";
    e.target = target;
    e.route = route;
    e.file = file;
    e.kind = "app_route";
    e.status = status;
    e.total = charged + 100ms;
    e.charged = charged;
    e.instance = instance;
    e.start = instance.empty() ? "" : "cold";
    if (id == 1) {
      e.compile = 20ms;
      e.waited = 30ms;
      e.init = 10ms;
      e.first_byte = 90ms;
    }
    e.verdicts = verdicts;
    tell(at, e);
  }
  void direct(Duration at) {
    event::InvocationEnded e;
    e.request_id = "dev1::d";
    e.method = "GET";
    e.target = "/favicon.ico";
    e.traffic = event::Traffic::direct;
    e.status = 200;
    tell(at, e);
    e.traffic = event::Traffic::internal;
    tell(at, e);
  }

  profile::Provenance from_{
      "hobby", "profiles/hobby.yaml", 21, "https://vercel.com/docs/limits", "2026-08-03",
      "DOC",   "a \"note\""};
  std::vector<limits::Verdict> slow_, polling_, late_, nasty_, away_;
  Collector live_;
  std::string lines_;
  std::uint64_t seq_ = 0;
};

inline Extras extras() {
  Extras e;
  e.prefix = "apps/web/";
  e.findings.push_back({"sleep-in-route",
                        "Waits",
                        "It waits.",
                        "Do not.",
                        "https://vercel.com/docs",
                        "warning",
                        "app/api/slow/route.ts",
                        7,
                        3,
                        5,
                        "This waits.",
                        {"FUNCTION_INVOCATION_TIMEOUT"}});
  e.findings.push_back({"other-rule",
                        "Other",
                        "",
                        "",
                        "https://vercel.com/docs",
                        "note",
                        "lib/a b.ts",
                        1,
                        0,
                        1,
                        "Something else.",
                        {}});
  e.expected.push_back({limits::Code::function_invocation_timeout, "/x/</script>", "app/x/<b>&\"'/page.tsx",
                        "", "shown in a demo"});
  return e;
}

}  // namespace vsim::report::test
