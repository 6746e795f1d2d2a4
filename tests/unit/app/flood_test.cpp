// Which events of a flood of requests the page and the API do without.
#include "app/flood.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "limits/verdict.hpp"

using namespace vsim;
using namespace vsim::app;
using namespace std::chrono_literals;

namespace {

constexpr InvocationId nth(std::uint64_t n) { return static_cast<InvocationId>(n); }
event::Stamp stamp(Duration at) { return {1, TimePoint(at), {}}; }

struct World {
  Flood flood;
  bool starts(std::uint64_t n, Duration at) {
    event::InvocationStarted started;
    started.id = nth(n);
    return !flood.leaves_out(stamp(at), started);
  }
  bool ends(std::uint64_t n, int status = 200, std::span<const limits::Verdict> verdicts = {},
            limits::Code code = limits::Code::none) {
    event::InvocationEnded ended;
    ended.outcome.code = code;
    ended.id = nth(n);
    ended.status = status;
    ended.verdicts = verdicts;
    return !flood.leaves_out(stamp(1900ms), ended);
  }
  // As many as are shown, and one more, which is not.
  explicit World(std::uint64_t first = 1) {
    for (std::uint64_t i = 0; i < Flood::kMost; ++i) REQUIRE(starts(first + i, 1200ms));
    REQUIRE_FALSE(starts(first + Flood::kMost, 1300ms));
  }
};

constexpr std::uint64_t kBeyond = Flood::kMost + 1;

}  // namespace

TEST_CASE("flood: what begins beyond so many in a second is left out whole; the next second shows again") {
  World w;
  CHECK(w.flood.has_left_out(nth(kBeyond)));
  event::InvocationRunning running;
  running.id = nth(kBeyond);
  CHECK(w.flood.leaves_out(stamp(1400ms), running));
  CHECK_FALSE(w.ends(kBeyond));
  CHECK_FALSE(w.ends(kBeyond, 404));
  CHECK(w.starts(kBeyond + 1, 2000ms));
  CHECK(w.ends(kBeyond + 1));
}

TEST_CASE("flood: the end of what was shown is, whatever comes between") {
  World w;
  for (std::uint64_t n = 1; n <= Flood::kMost; ++n) CHECK(w.ends(n));
}

TEST_CASE(
    "flood: what failed, what a limit said, what was refused and what is of no request is always shown") {
  World w;
  CHECK(w.ends(kBeyond, 500));
  CHECK(w.ends(kBeyond, 504));
  const std::vector<limits::Verdict> said(1);
  CHECK(w.ends(kBeyond, 200, said));
  CHECK(w.ends(kBeyond, 200, {}, limits::Code::function_invocation_failed));
  CHECK(w.ends(0));
  CHECK_FALSE(w.flood.leaves_out(stamp(1400ms), event::Notice{}));
  CHECK_FALSE(w.flood.leaves_out(stamp(1400ms), event::InstanceChanged{}));
}

TEST_CASE("flood: where more are open than are remembered, an end is shown rather than one too few") {
  World w;
  for (std::uint64_t n = kBeyond + 1; n <= kBeyond + 4096; ++n) CHECK_FALSE(w.starts(n, 1500ms));
  CHECK(w.ends(kBeyond));
  CHECK_FALSE(w.ends(kBeyond + 4096));
}
