#include "core/idle_memory.hpp"

#include <catch2/catch.hpp>

using vsim::core::IdleMemory;

namespace {
constexpr std::uint64_t kMb = 1'000'000;
}

TEST_CASE(
    "Memory: what an idle instance weighs is measured before user code has begun, never at the first look") {
  IdleMemory idle;
  // Its first request has filled it before anybody looked.
  idle.look(true, 900 * kMb);
  CHECK(idle.lightest() == 0);
  CHECK(idle.own(900 * kMb) == 900 * kMb);
  idle.look(false, 200 * kMb);
  CHECK(idle.own(900 * kMb) == 700 * kMb);
  // It shrinks later on: of what runs there is still no idle weight to be had.
  idle.look(true, 50 * kMb);
  CHECK(idle.lightest() == 200 * kMb);
  CHECK(idle.own(50 * kMb) == 0);
}

TEST_CASE("Memory: of several idle instances the lightest counts") {
  IdleMemory idle;
  idle.look(false, 210 * kMb);
  idle.look(false, 180 * kMb);
  idle.look(false, 240 * kMb);
  CHECK(idle.own(1180 * kMb) == 1000 * kMb);
}
