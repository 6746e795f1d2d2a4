// Which profile is taken when nobody has named one.
#include "cli/default_profile.hpp"

#include <catch2/catch.hpp>

using vsim::cli::choose_profile;

namespace {
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kSinceMs = 1'745'366'400'000;  // 2025-04-23T00:00:00Z
}  // namespace

TEST_CASE("default profile: vercel.json's own word comes first") {
  const auto on = choose_profile({true, kSinceMs - kDayMs, 0}, 60);
  CHECK(on.name == "hobby-fluid");
  CHECK(on.note.find("since vercel.json says `fluid: true`") != std::string::npos);
  const auto off = choose_profile({false, kSinceMs + kDayMs, 0}, 60);
  CHECK(off.name == "hobby");
  CHECK(off.note.find("since vercel.json says `fluid: false`") != std::string::npos);
}

TEST_CASE("default profile: then the day the project was made, from 23 April 2025 on with Fluid compute") {
  CHECK(choose_profile({{}, kSinceMs - 1, 0}, 60).name == "hobby");
  CHECK(choose_profile({{}, kSinceMs - 1, 0}, 60).note.find("2025-04-22") != std::string::npos);
  CHECK(choose_profile({{}, kSinceMs, 0}, 60).name == "hobby-fluid");
  CHECK(choose_profile({{}, kSinceMs, 0}, 60).note.find("2025-04-23") != std::string::npos);
}

TEST_CASE("default profile: where nobody knows it is hobby, with its meaning and how to choose the other") {
  const auto plain = choose_profile({{}, {}, 60}, 60);
  CHECK(plain.name == "hobby");
  for (const char* said : {"without Fluid compute", "before 23 April 2025", "--profile hobby-fluid"})
    CHECK(plain.note.find(said) != std::string::npos);
  CHECK(plain.note.find("asks for") == std::string::npos);
  const auto more = choose_profile({{}, {}, 61}, 60);
  CHECK(more.name == "hobby");
  CHECK(more.note.find("vercel.json asks for 61 s") != std::string::npos);
  for (const auto& chosen : {plain, more, choose_profile({true, {}, 0}, 60), choose_profile({{}, 1, 0}, 60)})
    CHECK(chosen.note.find('\n') == std::string::npos);
}
