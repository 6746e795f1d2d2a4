// An emulator, a next dev, instances and a browser on one thread, with no process but the test's and no
// second of real time: what is seen is what the emulator tells.
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "unit/app/stage.hpp"
#include "unit/limits/profiles.hpp"

using namespace vsim;
using namespace vsim::app;
using namespace vsim::app::test;
using namespace boost::asio::experimental::awaitable_operators;
using Said = std::vector<std::string>;

namespace {

// Instances that serve one request at a time, and stay; nothing is asked of this machine for them.
profile::Profile one_at_a_time() {
  profile::Profile profile = vsim::test::make_profile();
  profile.isolation.value = profile::Isolation::instance;
  profile.instances_fork.value = profile::Switch::off;
  profile.disk_tmp.value = profile.disk_writes.value = profile::Strictness::warn;  // a namespace takes a fork
  return profile;
}

}  // namespace

TEST_CASE("a request is dispatched, placed and answered; one is cut at its limit while another is served") {
  const profile::Profile profile = one_at_a_time();
  Stage stage(profile);
  std::string fast, slow, beside, after;
  const auto meanwhile = [&](Stage& s) -> asio::awaitable<void> {
    co_await s.lines.until("running /api/slow on i2");
    beside = co_await s.get("/api/fast");
    co_await s.lines.until("i1 frozen", 2);
    co_await s.clock.advance(profile.duration_default.value);
    // What the thread that plays i2 has waited for a processor is taken off, and it is this machine's.
    while (s.lines.of("i2 dead").empty()) co_await s.clock.advance(1s);
  };
  CHECK(stage.play([&](Stage& s) -> asio::awaitable<void> {
    co_await s.lines.until("i1 spare");
    fast = co_await s.get("/api/fast");
    co_await s.lines.until("i1 frozen");
    slow = co_await (s.get("/api/slow") && meanwhile(s));
    after = co_await s.get("/api/fast");
    co_await s.lines.until("i1 frozen", 3);
  }) == 0);
  CHECK(fast.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(fast.ends_with("from i1"));
  CHECK(beside.ends_with("from i1"));
  CHECK(slow.starts_with("HTTP/1.1 504 "));
  CHECK(slow.find("FUNCTION_INVOCATION_TIMEOUT") != std::string::npos);
  CHECK(after.ends_with("from i1"));
  CHECK(stage.lines.of("started ") == Said{"instance"});
  CHECK(stage.lines.of("ended ") == Said{"/api/fast 200 NONE on i1 after 0 ms",
                                         "/api/fast 200 NONE on i1 after 0 ms",
                                         "/api/slow 504 FUNCTION_INVOCATION_TIMEOUT on i2 after 10000 ms",
                                         "/api/fast 200 NONE on i1 after 0 ms"});
  CHECK(stage.lines.of("i2 ") == Said{"spawning", "spare", "leased", "dying deadline", "dead deadline"});
  CHECK(stage.lines.of("notice: ") == Said{});
  CHECK(stage.lines.said.back() == "stopped stopped");
}

TEST_CASE("a next dev that dies is started again: 503 until then, and instances are new") {
  const profile::Profile profile = one_at_a_time();
  Stage stage(profile);
  std::string before, without, after;
  CHECK(stage.play([&](Stage& s) -> asio::awaitable<void> {
    co_await s.lines.until("i1 spare");
    before = co_await s.get("/api/fast");
    co_await s.lines.until("i1 frozen");
    s.children->next().end();
    co_await s.lines.until("app restarting in 500 ms");
    without = co_await s.get("/api/fast");
    co_await s.lines.until("i1 dead stale");
    co_await s.clock.advance(500ms);
    co_await s.lines.until("app ready ", 2);
    after = co_await s.get("/api/fast");
  }) == 0);
  CHECK(before.ends_with("from i1"));
  CHECK(without.starts_with("HTTP/1.1 503 "));
  CHECK(after.starts_with("HTTP/1.1 200 "));
  CHECK(stage.lines.of("app ") ==
        Said{"ready ", "crashed killed by SIGKILL", "restarting in 500 ms", "ready "});
}
