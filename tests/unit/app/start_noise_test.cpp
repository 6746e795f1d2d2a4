#include "app/start_noise.hpp"

#include <catch2/catch.hpp>

using vsim::app::StartNoise;
using Show = vsim::app::StartNoise::Show;

TEST_CASE("StartNoise: what a second instance writes again is left out, and that is said once") {
  StartNoise noise;
  CHECK(noise.look("(node:41) [DEP0040] DeprecationWarning: The `punycode` module is deprecated\n", true) ==
        Show::yes);
  CHECK(noise.look("(Use `node --trace-deprecation ...` to show where the warning was created)\n", true) ==
        Show::yes);
  CHECK(noise.look("db: connected\n", false) == Show::yes);
  CHECK(noise.look("(node:42) [DEP0040] DeprecationWarning: The `punycode` module is deprecated\n", true) ==
        Show::note);
  CHECK(noise.look("(Use `node --trace-deprecation ...` to show where the warning was created)\n", true) ==
        Show::no);
  CHECK(noise.look(" \x1b[33m⚠\x1b[0m metadataBase is not set\n", true) == Show::yes);
  CHECK(noise.look(" ⚠ metadataBase is not set\n", true) == Show::no);
  CHECK(noise.look("db: connected\n", false) == Show::no);
  CHECK(noise.look("db: reconnected\n", false) == Show::yes);
}

TEST_CASE("StartNoise: an error is never left out, nor an empty line between") {
  StartNoise noise;
  for (int i = 0; i < 3; ++i) {
    CHECK(noise.look("Error: DATABASE_URL is not set\n", true) == Show::yes);
    CHECK(noise.look("    at db (lib/db.ts:3:9)\n", true) == Show::yes);
    CHECK(noise.look("\n", false) == Show::yes);
  }
}
